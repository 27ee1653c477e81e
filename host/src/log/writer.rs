//! A writer of the component: in an instance, or parked.
//!
//! 1. A writer is parked only if the component says that nothing of it is in flight. It continues
//!    in another instance as if it had not been parked.
//! 2. A writer that gets no instance stays parked, and keeps its events. A later call tries again.
//! 3. The memory of a new instance counts against the plugin's limit, but is not refused: the
//!    events that it is for were promised to be kept.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::error::Result;
use crate::sandbox::engine::SharedEngine;
use crate::sandbox::instance::{CallError, Called, Handle, Instance};
use crate::sandbox::memory::Memory;
use crate::sandbox::parked::Parked;
use crate::sandbox::seats::{Rest, Seat};
use crate::store::Store;
use crate::types::Written;

/// A writer of a log.
pub(super) struct Writer {
    engine: SharedEngine,
    store: Store,
    /// The log's name below the store's root.
    name: Arc<str>,
    memory: Arc<WriterMemory>,
    place: Place,
}

enum Place {
    Live(Box<Live>),
    Parked(Box<Parked>),
}

struct Live {
    instance: Instance,
    handle: Handle,
    /// Notified when a create of the component has ended.
    create_ended: Arc<Notify>,
    /// Dropped after the instance.
    seat: Seat,
}

/// The memory of a writer's current instance, or of its last one.
pub(super) struct WriterMemory {
    current: Mutex<Memory>,
    /// The bytes of the last instance when it was dropped.
    parked_bytes: AtomicUsize,
}

impl WriterMemory {
    fn new(memory: Memory) -> Self {
        Self { current: Mutex::new(memory), parked_bytes: AtomicUsize::new(0) }
    }

    /// Returns the bytes that the writer takes, or will take once it has an instance again.
    pub(super) fn bytes(&self) -> usize {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner).bytes();
        current.max(self.parked_bytes.load(Ordering::Relaxed))
    }

    fn set(&self, memory: Memory) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = memory;
    }
}

/// The time at which a parked writer has work to do.
pub(super) enum Due {
    /// It has no events.
    Nothing,
    /// Its events are due by their age after this time; none if they never are.
    Events(Option<Duration>),
}

impl Writer {
    /// Wraps a handle in its instance.
    pub(super) fn new(
        engine: SharedEngine,
        store: Store,
        name: Arc<str>,
        (instance, handle, seat): (Instance, Handle, Seat),
    ) -> Self {
        let memory = Arc::new(WriterMemory::new(instance.memory().clone()));
        let place = Place::Live(Box::new(Live::new(instance, handle, seat)));
        Self { engine, store, name, memory, place }
    }

    pub(super) fn memory(&self) -> Arc<WriterMemory> {
        self.memory.clone()
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns true if the writer has an instance.
    pub(super) fn is_live(&self) -> bool {
        matches!(self.place, Place::Live(_))
    }

    /// Returns true if the writer is parked and has no events.
    pub(super) fn has_nothing(&self) -> bool {
        matches!(&self.place, Place::Parked(parked) if parked.open().is_none())
    }

    /// Returns the writer's instance and its handle there. Gives it one if it is parked.
    ///
    /// # Errors
    /// [`CallError::Returned`] if there is no instance for it now.
    pub(super) async fn live(&mut self) -> Called<(&mut Instance, Handle)> {
        if let Place::Parked(parked) = &self.place {
            let live = unpark(&self.engine, &self.store, &self.name, parked).await?;
            self.memory.set(live.instance.memory().clone());
            self.place = Place::Live(Box::new(live));
        }
        match &mut self.place {
            Place::Live(live) => Ok((&mut live.instance, live.handle)),
            Place::Parked(_) => Err(CallError::Trapped(crate::error::Error::Closed)),
        }
    }

    /// Parks the writer if nothing of it is in flight. Returns what it has made durable, and when
    /// its events are due.
    pub(super) async fn park(&mut self) -> Called<Option<(Written, Due)>> {
        let Place::Live(live) = &mut self.place else { return Ok(None) };
        let bytes = live.instance.memory().bytes();
        let Some(parked) = live.instance.park(live.handle).await? else { return Ok(None) };
        self.memory.parked_bytes.store(bytes, Ordering::Relaxed);
        let due = match parked.open() {
            Some(open) => Due::Events(open.due_in_micros().map(Duration::from_micros)),
            None => Due::Nothing,
        };
        let written = parked.written();
        self.place = Place::Parked(Box::new(parked));
        Ok(Some((written, due)))
    }

    /// Returns the handle and its instance, if there is one.
    pub(super) fn if_live(&mut self) -> Option<(&mut Instance, Handle)> {
        match &mut self.place {
            Place::Live(live) => Some((&mut live.instance, live.handle)),
            Place::Parked(_) => None,
        }
    }

    /// Returns the notification that a create of the component has ended. None if it is parked.
    pub(super) fn create_ended(&self) -> Option<Arc<Notify>> {
        match &self.place {
            Place::Live(live) => Some(live.create_ended.clone()),
            Place::Parked(_) => None,
        }
    }

    /// Begins a rest, unless the writer is parked.
    pub(super) fn rest(&self, has_events: bool) -> Option<Rest> {
        match &self.place {
            Place::Live(live) => Some(live.seat.rest(has_events)),
            Place::Parked(_) => None,
        }
    }

    /// Leaves the seat of the instance to another writer.
    pub(super) fn step_outside(&mut self) {
        if let Place::Live(live) = &mut self.place {
            live.seat.step_outside();
        }
    }
}

impl Live {
    fn new(instance: Instance, handle: Handle, seat: Seat) -> Self {
        let create_ended = instance.create_ended();
        Self { instance, handle, create_ended, seat }
    }
}

/// Gives a parked writer an instance.
async fn unpark(engine: &SharedEngine, store: &Store, name: &str, parked: &Parked) -> Called<Live> {
    let taken = async {
        let seat = engine.seats().take().await?;
        Ok((engine.instantiate_anyway(store).await?, seat))
    };
    let taken: Result<_> = taken.await;
    let (mut instance, seat) = taken.map_err(CallError::Returned)?;
    let handle = match instance.unpark(name, parked).await {
        // It has returned this state itself.
        Err(CallError::Returned(error)) => return Err(CallError::Trapped(error)),
        unparked => unparked?,
    };
    Ok(Live::new(instance, handle, seat))
}
