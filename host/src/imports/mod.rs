//! What the host lends a component: the one place that joins stores, clock and logging to wasmtime.

pub(crate) mod lender;
pub(crate) mod logging;
pub(crate) mod object_store;
pub(crate) mod object_work;

<<<<<<< HEAD
=======
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::Semaphore;
>>>>>>> w2
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use crate::clock::Clock;
use crate::limits::Limits;
use crate::meter::MemoryMeter;
use crate::store::Store;

use object_store::Objects;
use object_work::ObjectWork;

/// Everything one instance of a component can reach.
pub(crate) struct State {
    pub memory: MemoryMeter,
<<<<<<< HEAD
    pub work: ObjectWork,
    store: Store,
=======
    pub meter: ComputeMeter,
    /// Objects whose creates were started, have succeeded, and are done with.
    pub created: u64,
    /// Their bytes.
    pub created_bytes: Arc<AtomicU64>,
    /// Bounds the bytes that creates under way hold, whoever still waits for them.
    creates: Arc<Semaphore>,
>>>>>>> w2
    table: ResourceTable,
    wasi: WasiCtx,
}

impl State {
    pub(crate) fn new(store: Store, clock: &Clock, limits: &Limits) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles_max);
        // No files, no environment, no network, no standard streams.
        let wasi = WasiCtxBuilder::new().wall_clock(clock.clone()).build();
        Self {
            memory: MemoryMeter::new(limits.memory_bytes_max),
<<<<<<< HEAD
            work: ObjectWork::default(),
            store,
=======
            meter: ComputeMeter::default(),
            created: 0,
            created_bytes: Arc::default(),
            creates: Arc::new(Semaphore::new(CREATES_UNDER_WAY_MAX)),
>>>>>>> w2
            table,
            wasi,
        }
    }
}

impl State {
    /// The whole store.
    pub(crate) fn objects(&mut self) -> Objects<'_> {
        Objects { lender: &mut self.store, table: &mut self.table, work: &mut self.work }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}
