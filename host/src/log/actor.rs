//! The task that owns a writer: drains the packed events and answers commands.
//!
//! 1. Before a command, all events packed before it are passed to the component.
//! 2. A pack that the component refused is kept and offered again before anything newer.
//! 3. Few packed events wait a millisecond for more, so that not each of them costs a call of the
//!    component. No command waits for that.
//! 4. What is durable is published as the component reports it, after every call that may have made
//!    more of it durable.
//! 5. Flushes wait side by side: see [`flush`].
//! 6. With nobody to hear of it, the end of a create takes no call of the component.
//! 7. A writer that rests is parked: see [`rest`].

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::append_queue::{AppendQueue, Pack};
use super::background::Background;
use super::durable::Durable;
use super::notices::{Notice, Notifier};
use crate::error::{Error, Result};
use crate::log::writer::Writer;
use crate::sandbox::instance::{CallError, Called};
use crate::sandbox::seats::Rest;
use crate::telemetry::PendingEvents;
use crate::types::interface::Pending;
use crate::types::{WriteFailure, Written};

use flush::{Flush, SealDue};
use waits::{notified, others_have_run, reached};

mod dropping;
mod flush;
mod measured;
mod packs;
mod rest;
mod waits;

type Reply<T> = oneshot::Sender<Result<T>>;

/// The requests of callers.
pub(super) enum Command {
    Flush(Reply<Written>),
    /// Waits until all that is appended now is durable.
    Durable(Reply<Written>),
    /// Runs one maintenance tick; returns true if anything is still pending.
    Tick(Reply<bool>),
    Pending(Reply<Pending>),
    FileCount(Reply<u64>),
    Close(Reply<Written>),
}

pub(super) struct WriterActor {
    writer: Writer,
    queue: Arc<AppendQueue>,
    /// A pack that the component refused.
    refused: Option<Pack>,
    tick: Duration,
    /// The time of the next tick; none while nothing is pending.
    tick_at: Option<Instant>,
    /// The time to pass on a small pack; none while none is known to exist.
    linger_until: Option<Instant>,
    /// The events that were passed to the component.
    events_passed: u64,
    /// Those that are not durable yet, by the times of their passing, for metrics.
    pending_events: PendingEvents,
    /// The flushes that wait, oldest first.
    flushes: VecDeque<Flush>,
    seal_due: SealDue,
    /// Those that wait without a flush, oldest first.
    waits: VecDeque<Flush>,
    notifier: Notifier,
    /// True if the events that are lost were reported.
    has_warned: bool,
    /// True if appends that find no room fail.
    is_refusing: bool,
    /// True if the writer could not be parked when it should, since a create was in flight.
    is_held: bool,
    /// The time of the last step.
    active_at: Instant,
    /// The time at which the component got an instance, the first events after a rest, or made
    /// events durable.
    progress_at: Instant,
    /// The durable writes that the component has reported.
    written: Written,
    /// The same for the handles.
    durable: Arc<Durable>,
    /// Compacts concurrently, if the options ask for it.
    background: Option<Background>,
}

enum Next {
    Commands(Vec<Command>),
    Seal,
    CreateEnded,
    Work,
    Tick,
    Compacted,
    Park,
    Dropped,
}

impl WriterActor {
    pub(super) fn new(
        writer: Writer,
        (queue, durable, notifier): (Arc<AppendQueue>, Arc<Durable>, Notifier),
        tick: Duration,
        background: Option<Background>,
    ) -> Self {
        let now = Instant::now();
        Self {
            writer,
            queue,
            refused: None,
            tick,
            tick_at: None,
            linger_until: None,
            events_passed: 0,
            pending_events: PendingEvents::new(),
            flushes: VecDeque::new(),
            seal_due: SealDue::No,
            waits: VecDeque::new(),
            notifier,
            has_warned: false,
            is_refusing: false,
            is_held: false,
            active_at: now,
            progress_at: now,
            written: Written { batches: 0, events: 0, bytes: 0 },
            durable,
            background,
        }
    }

    /// Serves until the log is closed, all its handles are dropped, or the component fails.
    pub(super) async fn run(mut self, mut receiver: mpsc::Receiver<Command>) {
        loop {
            // A rest that ends in a park lasts until then, so that no other writer is asked, too.
            let rest = self.begin_rest();
            let next = self.next(&mut receiver, rest.as_ref()).await;
            let rest = rest.filter(|_| matches!(next, Next::Park));
            let step = match next {
                Next::Commands(commands) => self.serve(commands).await,
                Next::Seal => self.seal_if_due().await.map(|()| false),
                Next::CreateEnded => self.poll_creates().await.map(|()| false),
                Next::Work => self.linger().await.map(|()| false),
                Next::Tick => self.maintain().await.map(|()| false),
                Next::Compacted => Ok(false),
                Next::Park => self.park().await.map(|()| false),
                Next::Dropped => self.flush_dropped().await.map(|()| true),
            };
            drop(rest);
            self.active_at = Instant::now();
            match step {
                Ok(false) => self.compact_if_due(),
                Ok(true) => break,
                Err(error) => {
                    self.has_warned = true;
                    tracing::error!("unflushed events are lost: {error}");
                    break;
                }
            }
        }
    }

    async fn next(&mut self, receiver: &mut mpsc::Receiver<Command>, rest: Option<&Rest>) -> Next {
        let tick = reached(self.tick_at);
        let lingered = reached(self.linger_until);
        let awaits_creates = self.awaits_creates() || self.is_watched() || self.is_held;
        let create_ended = self.writer.create_ended();
        let rested = reached(self.parks_at());
        let asked = async {
            match rest {
                Some(rest) => rest.asked().await,
                None => std::future::pending().await,
            }
        };
        let compacted = async {
            match &mut self.background {
                Some(background) => background.ended().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            command = receiver.recv() => match command {
                Some(command) => {
                    let mut commands = vec![command];
                    while let Ok(command) = receiver.try_recv() {
                        commands.push(command);
                    }
                    Next::Commands(commands)
                }
                None => Next::Dropped,
            },
            () = others_have_run(), if self.seal_due != SealDue::No => Next::Seal,
            () = notified(create_ended), if awaits_creates => Next::CreateEnded,
            () = tick => Next::Tick,
            () = self.queue.work() => Next::Work,
            () = lingered => Next::Work,
            () = compacted => Next::Compacted,
            () = asked => Next::Park,
            () = rested => Next::Park,
        }
    }

    /// Starts commands in order, and answers all but the flushes. True when the log is closed.
    async fn serve(&mut self, commands: Vec<Command>) -> Result<bool> {
        for command in commands {
            if !matches!(command, Command::Flush(_)) {
                self.seal_if_due().await?;
            }
            match command {
                Command::Flush(reply) => self.add_flush(reply),
                Command::Durable(reply) => self.add_wait(reply),
                Command::Tick(reply) => {
                    self.maintain().await?;
                    reply.send(Ok(self.tick_at.is_some())).ok();
                }
                Command::Pending(reply) => {
                    let pending = self.pending().await;
                    reply.send(pending.clone().map_err(Error::from)).ok();
                    unless_trapped(pending)?;
                }
                Command::FileCount(reply) => {
                    let count = self.file_count().await;
                    reply.send(count.clone().map_err(Error::from)).ok();
                    unless_trapped(count)?;
                }
                Command::Close(reply) => {
                    // No append may slip in between the last flush and the end.
                    self.queue.end(Error::Closed);
                    let mut closed = self.flush().await;
                    if closed.is_ok()
                        && let Some((instance, handle)) = self.writer.if_live()
                    {
                        let written = instance.close(handle).await;
                        closed = self.checked(written);
                    }
                    let done = closed.is_ok();
                    if let Ok(written) = closed {
                        self.queue.keep_closed(written);
                    }
                    if done {
                        self.compact_if_due();
                        self.finish_compacting().await;
                    }
                    reply.send(closed.clone().map_err(Error::from)).ok();
                    unless_trapped(closed)?;
                    if done {
                        self.drop_handle().await?;
                        return Ok(true);
                    }
                    self.queue.reopen();
                }
            }
        }
        Ok(false)
    }

    fn compact_if_due(&mut self) {
        if let Some(background) = &mut self.background {
            background.begin_if_due(self.written.batches);
        }
    }

    async fn finish_compacting(&mut self) {
        if let Some(background) = &mut self.background {
            background.finish().await;
        }
    }

    /// Returns the number of events that have not reached the component.
    fn events_here(&self) -> u64 {
        let refused = self.refused.as_ref().map_or(0, |pack| pack.events);
        refused + self.queue.events()
    }

    /// Adds the events that have not reached the component to a failure.
    fn with_all_pending(&self, error: Error) -> Error {
        match error {
            Error::WriteFailed(failure) => {
                let events_pending = failure.events_pending.saturating_add(self.events_here());
                Error::WriteFailed(WriteFailure { events_pending, ..failure })
            }
            error => error,
        }
    }

    /// Publishes what the component has made durable.
    fn publish(&mut self, written: Written) {
        if written != self.written {
            self.progress_at = Instant::now();
            self.notifier.send(Notice::Durable(written));
            self.count_durable(written);
        }
        self.written = written;
        self.durable.publish(written);
        self.release_flushes();
    }

    /// Publishes what is durable after a call that does not return it.
    async fn publish_written(&mut self) -> Called<()> {
        // What a parked writer has made durable was published when it was parked.
        if let Some((instance, handle)) = self.writer.if_live() {
            let written = instance.written(handle).await;
            self.publish(self.checked(written)?);
        }
        Ok(())
    }

    /// Counts the objects. Events that are refused for now are in none.
    async fn file_count(&mut self) -> Called<u64> {
        unless_trapped(self.drain().await).map_err(CallError::Trapped)?;
        self.wake().await?;
        let (instance, handle) = self.writer.live().await?;
        let count = instance.file_count(handle).await;
        if let Err(CallError::Trapped(_)) = count {
            return self.checked(count);
        }
        self.publish_written().await?;
        self.poll_flushes().await.map_err(CallError::Trapped)?;
        count
    }

    async fn pending(&mut self) -> Called<Pending> {
        unless_trapped(self.drain().await).map_err(CallError::Trapped)?;
        self.wake().await?;
        let (instance, handle) = self.writer.live().await?;
        let pending = instance.pending(handle).await;
        let mut pending = self.checked(pending)?;
        pending.lines.extend(self.refused.iter().flat_map(|pack| pack.lines.iter().copied()));
        self.queue.copy_to(&mut pending.lines);
        Ok(pending)
    }

    async fn maintain(&mut self) -> Result<()> {
        self.tick_at = None;
        self.end_hold();
        let drained = self.drain().await;
        let has_instance = self.writer.is_live();
        if !has_instance && (drained.is_err() || self.writer.has_nothing()) {
            return unless_trapped(drained);
        }
        unless_trapped(drained)?;
        if !has_instance && !self.wake_or_wait().await? {
            return Ok(());
        }
        self.step_outside_if_stuck();
        if self.is_watched() {
            // A create that failed immediately has notified nobody, and the tick would only log it.
            self.poll_creates().await?;
        }
        let Some((instance, handle)) = self.writer.if_live() else { return Ok(()) };
        let pending = instance.tick(handle).await;
        let pending = self.checked(pending)?;
        self.publish_written().await?;
        self.poll_flushes().await?;
        self.tick_at = (pending || self.refused.is_some()).then(|| Instant::now() + self.tick);
        Ok(())
    }

    /// Records that the component failed, before the callers that wait for a reply are released.
    fn checked<T>(&self, called: Called<T>) -> Called<T> {
        called.inspect_err(|error| {
            if let CallError::Trapped(error) = error {
                self.queue.end(error.clone());
            }
        })
    }
}

/// Returns the failure that ends the log. An error that the component returned does not.
fn unless_trapped<T>(called: Called<T>) -> Result<()> {
    match called {
        Err(CallError::Trapped(error)) => Err(error),
        Ok(_) | Err(CallError::Returned(_)) => Ok(()),
    }
}

impl Drop for WriterActor {
    fn drop(&mut self) {
        // Also if the runtime shuts down meanwhile: no caller may wait for a reply that never
        // comes.
        self.queue.end_if_open(Error::Closed);
        self.warn_of_loss("was still open when the program stopped");
    }
}
