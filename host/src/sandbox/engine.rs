//! Compiles the component and makes instances of it: the one place for wasmtime's configuration.
//!
//! 1. A component is checked before it is compiled, and compiled once. Its compiled form is kept on
//!    disk and shared by processes.
//! 2. [`Limits`] bound the time that an instance computes. Waiting for the store is free.

use std::path::Path;
use std::sync::{Arc, Weak};
use std::thread;

use tokio::runtime::Handle;
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Engine, Store as WasmStore, UpdateDeadline};

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::limits::{EPOCH_TICK, HOST_CALL_BYTES_MAX, INSTANCE_MEMORY_OPTION as OPTION, Limits};
use crate::sandbox::address_space::{self, TooLittle};
use crate::sandbox::bindings::LogComponentPre;
use crate::sandbox::bindings::wasi::logging::logging;
use crate::sandbox::buffer_pool::BufferPool;
use crate::sandbox::imports::{self, State};
use crate::sandbox::instance::Instance;
use crate::sandbox::interface::{self, World, of_package};
use crate::sandbox::memory::Memory;
use crate::sandbox::module_cache::{self, Uncompiled};
use crate::sandbox::prewarm::Prewarmed;
use crate::sandbox::reader_seats::ReaderSeats;
use crate::sandbox::seats::Seats;
use crate::store::Store;

/// A compiled component, ready to be instantiated.
pub(crate) struct LogEngine {
    engine: Engine,
    component: LogComponentPre<State>,
    sha256: String,
    clock: Clock,
    limits: Limits,
    seats: Arc<Seats>,
    reader_seats: ReaderSeats,
    pub(crate) prewarmed: Prewarmed,
}

impl LogEngine {
    /// Compiles a component, or takes the compiled form from `cache`. `sha256` is that of `bytes`,
    /// if it is known.
    pub(crate) fn new(
        bytes: &[u8],
        origin: &str,
        sha256: Option<&str>,
        cache: Option<&Path>,
        (clock, limits, seats, reader_seats): (Clock, Limits, Arc<Seats>, ReaderSeats),
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
        let check = || interface::check(World::Log, bytes, origin, &linker);
        let sha256 = sha256.map_or_else(|| module_cache::sha256_of(bytes), str::to_owned);
        let (known, purpose) = (Some(&*sha256), World::Log.name());
        let log = Uncompiled { bytes, origin, sha256: known, purpose };
        let component = match module_cache::find(&engine, log, cache) {
            Ok(component) => component,
            Err(missing) => {
                check()?;
                missing
                    .compile(&engine)
                    .map_err(|error| refuse("is not a WebAssembly component", &error))?
            }
        };
        let component = linker.instantiate_pre(&component).and_then(LogComponentPre::new);
        let component = component.map_err(|error| {
            // A component from the cache was checked by another build of this host, perhaps.
            check().err().unwrap_or_else(|| {
                let what =
                    concat!("is not a component of the world ", of_package!("log-component"));
                refuse(what, &error)
            })
        })?;
        tick(&engine)
            .map_err(|error| Error::Component(format!("cannot start the epoch thread: {error}")))?;
        let prewarmed = Prewarmed::default();
        Ok(Self { engine, component, sha256, clock, limits, seats, reader_seats, prewarmed })
    }

    /// Returns the SHA-256 of the component's bytes, in hexadecimal digits.
    pub(crate) fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Returns the instance that is ready, or makes one.
    async fn instance(self: &Arc<Self>) -> Result<Instance> {
        let (ready, is_next_due) = self.prewarmed.take();
        if is_next_due {
            let warmup = Warmup(Arc::downgrade(self));
            if let Ok(runtime) = Handle::try_current() {
                runtime.spawn(warmup.run());
            }
        }
        let mut instance = match ready {
            Some(instance) => instance,
            None => self.make().await?,
        };
        // The instance may have waited for longer than a call may take.
        instance.wasm_store.set_epoch_deadline(1);
        Ok(instance)
    }

    /// Makes an instance that has no store yet.
    pub(crate) async fn make(&self) -> Result<Instance> {
        let state = State::new(&self.clock, &self.limits);
        let mut wasm_store = WasmStore::new(&self.engine, state);
        wasm_store.limiter(|state| &mut state.memory);
        wasm_store.set_hostcall_fuel(HOST_CALL_BYTES_MAX);
        let compute_max = self.limits.call_compute_max;
        wasm_store.set_epoch_deadline(1);
        wasm_store.epoch_deadline_callback(move |context| {
            if context.data().in_flight.meter.computed() > compute_max {
                return Err(wasmtime::Error::msg(format!(
                    "a call computed for longer than call_compute_max = {compute_max:?}"
                )));
            }
            Ok(UpdateDeadline::Yield(1))
        });
        let time = wasm_store.data_mut().in_flight.meter.begin();
        let component = time.measure(self.component.instantiate_async(&mut wasm_store)).await;
        let component = component.map_err(|error| Error::trapped(&error))?;
        Ok(Instance { wasm_store, component })
    }
}

/// The instantiation of the next instance. When it ends, in any way, another one can be made.
struct Warmup(Weak<LogEngine>);

impl Warmup {
    async fn run(self) {
        let Some(engine) = self.0.upgrade() else { return };
        match engine.make().await {
            Ok(instance) => engine.prewarmed.put(instance),
            // The next request for an instance returns the error.
            Err(error) => tracing::debug!("cannot keep a spare instance: {error}"),
        }
    }
}

impl Drop for Warmup {
    fn drop(&mut self) {
        if let Some(engine) = self.0.upgrade() {
            engine.prewarmed.end_warmup();
        }
    }
}

/// Links all imports of a log's component.
fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    imports::add_to_linker(&mut linker, State::object_store)?;
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

/// An engine shared by hosts, logs and readers, and the plugin that its instances count against.
#[derive(Clone)]
pub(crate) struct SharedEngine {
    engine: Arc<LogEngine>,
    charge: Option<Charge>,
}

/// The memory and the buffer pool of everything that works for one plugin.
#[derive(Clone)]
pub(crate) struct Charge {
    pub(crate) memory: Memory,
    /// For the events in flight to its logs.
    pool: BufferPool,
}

impl Charge {
    pub(crate) fn to(memory: Memory) -> Self {
        Self { pool: BufferPool::charging(&memory), memory }
    }
}

impl SharedEngine {
    pub(crate) fn new(engine: LogEngine) -> Self {
        Self { engine: Arc::new(engine), charge: None }
    }

    /// Returns the same engine, whose instances also count against this plugin.
    pub(crate) fn charging(&self, charge: &Charge) -> Self {
        Self { engine: self.engine.clone(), charge: Some(charge.clone()) }
    }

    /// Returns the pool for the events in flight to a log.
    pub(crate) fn buffer_pool(&self) -> BufferPool {
        self.charge.as_ref().map(|charge| charge.pool.clone()).unwrap_or_default()
    }

    pub(crate) fn engine(&self) -> &Arc<LogEngine> {
        &self.engine
    }

    /// Returns the seats of the writers.
    pub(crate) fn seats(&self) -> &Arc<Seats> {
        &self.engine.seats
    }

    /// Returns the seats of the readers.
    pub(crate) fn reader_seats(&self) -> &ReaderSeats {
        &self.engine.reader_seats
    }

    /// Returns an instance as [`SharedEngine::instantiate`], even beyond the plugin's limit.
    pub(crate) async fn instantiate_anyway(&self, store: &Store) -> Result<Instance> {
        let mut instance = self.engine.instance().await?;
        if let Some(charge) = &self.charge {
            instance.memory().charge_anyway(&charge.memory);
        }
        instance.wasm_store.data_mut().provide(store.clone());
        Ok(instance)
    }

    /// Returns an instance that reaches the two stores of a copy.
    pub(crate) async fn instantiate_pair(&self, from: &Store, to: &Store) -> Result<Instance> {
        let mut instance = self.instantiate(from).await?;
        instance.wasm_store.data_mut().provide_pair(from.clone(), to.clone());
        Ok(instance)
    }

    /// Returns an instance that reaches one store.
    pub(crate) async fn instantiate(&self, store: &Store) -> Result<Instance> {
        let mut instance = self.engine.instance().await?;
        if let Some(charge) = &self.charge {
            instance.memory().charge(&charge.memory)?;
        }
        instance.wasm_store.data_mut().provide(store.clone());
        Ok(instance)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::host::Host;

    #[tokio::test]
    async fn spare_is_made_after_the_second_request_and_one_at_a_time() {
        let host = Host::new().unwrap();
        let prewarmed = &host.engine().engine().prewarmed;
        let take = || {
            let (ready, is_next_due) = prewarmed.take();
            (ready.is_some(), is_next_due)
        };
        assert_eq!(take(), (false, false));
        assert_eq!(take(), (false, true));
        assert_eq!(take(), (false, false), "one is being made");
        Warmup(Arc::downgrade(host.engine().engine())).run().await;
        assert_eq!(take(), (true, true));
        // A warm-up that was dropped does not prevent another one.
        drop(Warmup(Arc::downgrade(host.engine().engine())));
        assert_eq!(take(), (false, true));
    }
}
