//! Compiles the component and makes instances of it: what wasmtime needs to know, in one place.
//!
//! 1. A component is looked at before it is compiled, and compiled once: the compiled form is kept on
//!    disk and shared by processes.
//! 2. An instance computes only as long as [`Limits`] allow; waiting for the store is free.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;
use wasmtime::component::{HasSelf, Linker, ResourceAny};
use wasmtime::{Config, Engine, Store as Instances, UpdateDeadline};

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::limits::{EPOCH_TICK, HOST_CALL_BYTES_MAX, Limits};
use crate::log::buffer_pool::Recycler;
use crate::log::reader::CountedPage;
use crate::records::Page;
use crate::repairs::{RepairStep, Skipped};
use crate::sandbox::address_space::{self, TooLittle};
use crate::sandbox::bindings::exports::stratalog::log::append_log::Guest;
use crate::sandbox::bindings::wasi::logging::logging;
use crate::sandbox::bindings::{LogComponent, LogComponentPre};
use crate::sandbox::imports::{self, State};
use crate::sandbox::interface::{self, World};
use crate::sandbox::memory::Memory;
use crate::sandbox::meter::PolledTime;
use crate::sandbox::module_cache;
use crate::sandbox::prewarm::{Making, Spare};
use crate::store::Store;

/// What lowers the address space that an instance needs.
pub(crate) const OPTION: &str = "memory_bytes_max (--memory-max)";

/// A compiled component, ready to be instantiated.
pub(crate) struct LogEngine {
    engine: Engine,
    component: LogComponentPre<State>,
    sha256: String,
    clock: Clock,
    limits: Limits,
    pub(crate) spare: Spare,
}

impl LogEngine {
    /// Compiles `bytes`, or takes the compiled form from `cache`.
    pub(crate) fn new(
        bytes: &[u8],
        origin: &str,
        cache: Option<&Path>,
        clock: Clock,
        limits: Limits,
    ) -> Result<Self> {
        let mut config = Config::new();
        config.concurrency_support(false).epoch_interruption(true);
        let refuse = |what: &str, error: &wasmtime::Error| match address_space::lack(error, OPTION)
        {
            Some(lack) => Error::LimitReached(format!("cannot compile {origin}: {lack}")),
            None => Error::Component(format!("{origin} {what}: {error:#}")),
        };
        let engine = address_space::engine(&mut config, limits.memory_bytes_max).map_err(
            |error| match error.downcast::<TooLittle>() {
                Ok(too_little) => Error::LimitReached(too_little.to_string()),
                Err(error) => refuse("cannot be run here", &error),
            },
        )?;
        let linker = linker(&engine).map_err(|error| refuse("cannot be linked here", &error))?;
        interface::check(World::Log, bytes, origin, &linker)?;
        let component = module_cache::compile(&engine, bytes, origin, cache)
            .map_err(|error| refuse("is not a WebAssembly component", &error))?;
        let component = linker.instantiate_pre(&component).and_then(LogComponentPre::new);
        let component = component.map_err(|error| {
            refuse("is not a component of the world stratalog:log/log-component@0.1.0", &error)
        })?;
        tick(&engine).map_err(|error| {
            Error::Component(format!("cannot start the epoch's thread: {error}"))
        })?;
        let sha256 = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { engine, component, sha256, clock, limits, spare: Spare::default() })
    }

    /// The SHA-256 of the component's bytes, in hexadecimal digits.
    pub(crate) fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Returns an instance that is ready, or makes one.
    async fn instance(self: &Arc<Self>) -> Result<Instance> {
        let (ready, is_next_due) = self.spare.take();
        if is_next_due {
            let making = Making(Arc::downgrade(self));
            if let Ok(runtime) = Handle::try_current() {
                runtime.spawn(making.run());
            }
        }
        let mut instance = match ready {
            Some(instance) => instance,
            None => self.make().await?,
        };
        // It may have waited for longer than a call may take.
        instance.instances.set_epoch_deadline(1);
        Ok(instance)
    }

    /// Makes an instance that has no store yet.
    pub(crate) async fn make(&self) -> Result<Instance> {
        let state = State::new(&self.clock, &self.limits);
        let mut instances = Instances::new(&self.engine, state);
        instances.limiter(|state| &mut state.memory);
        instances.set_hostcall_fuel(HOST_CALL_BYTES_MAX);
        let compute_max = self.limits.call_compute_max;
        instances.set_epoch_deadline(1);
        instances.epoch_deadline_callback(move |context| {
            if context.data().work.meter.computed() > compute_max {
                return Err(wasmtime::Error::msg(format!(
                    "a call computed for longer than call_compute_max = {compute_max:?}"
                )));
            }
            Ok(UpdateDeadline::Yield(1))
        });
        let time = instances.data_mut().work.meter.begin();
        let component = time.measure(self.component.instantiate_async(&mut instances)).await;
        let component = component.map_err(|error| Error::trapped(&error))?;
        Ok(Instance { instances, component })
    }
}

/// All that a log's component reaches.
fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    imports::add_to_linker(&mut linker, State::objects)?;
    logging::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    Ok(linker)
}

/// Advances the engine's epoch for as long as the engine lives.
pub(crate) fn tick(engine: &Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    thread::Builder::new().name("stratalog-epoch".to_owned()).spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(EPOCH_TICK);
        }
    })?;
    Ok(())
}

/// One instance of the component, with a memory of its own.
pub(crate) struct Instance {
    instances: Instances<State>,
    component: LogComponent,
}

impl Instance {
    /// The instance's exports, its store for one call, and the time that the call is measured on.
    pub(crate) fn begin(&mut self) -> (&Guest, &mut Instances<State>, PolledTime) {
        let time = self.instances.data_mut().work.meter.begin();
        (self.component.stratalog_log_append_log(), &mut self.instances, time)
    }

    /// The memory that it takes.
    pub(crate) fn memory(&self) -> &Memory {
        self.instances.data().memory.memory()
    }

    /// Hands events to a handle that the component has given out: packed lines that were checked,
    /// and that count already for who holds them.
    pub(crate) async fn append_held(
        &mut self,
        log: ResourceAny,
        lines: Bytes,
        events: u64,
    ) -> Result<()> {
        let state = self.instances.data_mut();
        let time = state.work.meter.begin();
        let lines = state.hold_counted(lines)?;
        let appended = self.component.stratalog_log_held_lines();
        let appended = time.measure(appended.call_append(&mut self.instances, log, lines, events));
        Ok(appended.await.map_err(|error| Error::trapped(&error))??)
    }

    /// The next page of a reader that the component has given out. The outer error is the instance's
    /// last.
    pub(crate) async fn next_page(
        &mut self,
        reader: ResourceAny,
    ) -> Result<Result<Option<CountedPage>>> {
        let time = self.instances.data_mut().work.meter.begin();
        let lines = self.component.stratalog_log_held_lines();
        let page = time.measure(lines.call_next(&mut self.instances, reader)).await;
        let page = match page.map_err(|error| Error::trapped(&error))? {
            Ok(Some(page)) => page,
            Ok(None) => return Ok(Ok(None)),
            Err(error) => return Ok(Err(error.into())),
        };
        let state = self.instances.data_mut();
        let (lines, counted) = match page.lines {
            Some(lines) => state.take_bytes(lines)?,
            None => (Bytes::new(), state.memory.memory().borrow_freely(0)),
        };
        let page = Page { lines, events: page.events, missed: page.missed };
        Ok(Ok(Some((page, counted))))
    }

    /// Lets a reader leave out damage.
    pub(crate) async fn skip_damaged(&mut self, reader: ResourceAny) -> Result<()> {
        let time = self.instances.data_mut().work.meter.begin();
        let repairs = self.component.stratalog_log_repairs();
        let skips = time.measure(repairs.call_skip_damaged(&mut self.instances, reader)).await;
        skips.map_err(|error| Error::trapped(&error))
    }

    /// What a reader left out since this was asked last.
    pub(crate) async fn take_skipped(&mut self, reader: ResourceAny) -> Result<Vec<Skipped>> {
        let time = self.instances.data_mut().work.meter.begin();
        let repairs = self.component.stratalog_log_repairs();
        let skipped = time.measure(repairs.call_take_skipped(&mut self.instances, reader)).await;
        let skipped = skipped.map_err(|error| Error::trapped(&error))?;
        Ok(skipped.into_iter().map(Skipped::from).collect())
    }

    /// Repairs a log, or says what that would do.
    pub(crate) async fn repair(&mut self, name: &str, dry_run: bool) -> Result<Vec<RepairStep>> {
        let time = self.instances.data_mut().work.meter.begin();
        let repairs = self.component.stratalog_log_repairs();
        let steps = time.measure(repairs.call_repair(&mut self.instances, name, dry_run)).await;
        let steps = steps.map_err(|error| Error::trapped(&error))??;
        Ok(steps.into_iter().map(RepairStep::from).collect())
    }

    /// Where a reader stands, behind its last page.
    pub(crate) async fn position(&mut self, reader: ResourceAny) -> Result<Option<String>> {
        let (guest, instances, time) = self.begin();
        let reader_calls = guest.reader();
        let position = time.measure(reader_calls.call_position(instances, reader)).await;
        position.map_err(|error| Error::trapped(&error))
    }

    /// Where a reader stood before its last page.
    pub(crate) async fn position_before(&mut self, reader: ResourceAny) -> Result<Option<String>> {
        let time = self.instances.data_mut().work.meter.begin();
        let lines = self.component.stratalog_log_held_lines();
        let position = time.measure(lines.call_position_before(&mut self.instances, reader)).await;
        position.map_err(|error| Error::trapped(&error))
    }

    /// How many objects the instance has created by creates that it started and did not wait for
    /// from the beginning: a writer's batches.
    pub(crate) fn created(&self) -> u64 {
        self.instances.data().work.created
    }

    /// The bytes of those objects; goes on counting.
    pub(crate) fn created_bytes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.instances.data().work.created_bytes)
    }

    /// Drops a handle that the component has given out.
    pub(crate) async fn drop_handle(&mut self, handle: ResourceAny) -> Result<()> {
        let time = self.instances.data_mut().work.meter.begin();
        let dropped = time.measure(handle.resource_drop_async(&mut self.instances)).await;
        dropped.map_err(|error| Error::trapped(&error))
    }
}

/// An engine shared by hosts, logs and readers, and what its instances count against besides.
#[derive(Clone)]
pub(crate) struct SharedEngine {
    engine: Arc<LogEngine>,
    charge: Option<Charge>,
}

/// What all that works for one plugin counts against.
#[derive(Clone)]
pub(crate) struct Charge {
    pub(crate) memory: Memory,
    /// For the events on their way to its logs.
    recycler: Recycler,
}

impl Charge {
    pub(crate) fn to(memory: Memory) -> Self {
        Self { recycler: Recycler::charging(&memory), memory }
    }
}

impl SharedEngine {
    pub(crate) fn new(engine: LogEngine) -> Self {
        Self { engine: Arc::new(engine), charge: None }
    }

    /// The same engine, whose instances count against this, too.
    pub(crate) fn charging(&self, charge: &Charge) -> Self {
        Self { engine: self.engine.clone(), charge: Some(charge.clone()) }
    }

    /// For the events on their way to a log.
    pub(crate) fn recycler(&self) -> Recycler {
        self.charge.as_ref().map(|charge| charge.recycler.clone()).unwrap_or_default()
    }

    pub(crate) fn engine(&self) -> &Arc<LogEngine> {
        &self.engine
    }

    /// Returns an instance that reaches one store.
    pub(crate) async fn instantiate(&self, store: &Store) -> Result<Instance> {
        let mut instance = self.engine.instance().await?;
        if let Some(charge) = &self.charge {
            instance.memory().charge(&charge.memory)?;
        }
        instance.instances.data_mut().lend(store.clone());
        Ok(instance)
    }
}
