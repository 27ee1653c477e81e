//! What the host lends a component: the one place that joins stores, clock and logging to wasmtime.

pub(crate) mod lender;
pub(crate) mod logging;
pub(crate) mod object_store;
pub(crate) mod object_work;

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
    pub work: ObjectWork,
    /// None until the instance is used.
    store: Option<Store>,
    table: ResourceTable,
    wasi: WasiCtx,
}

impl State {
    pub(crate) fn new(clock: &Clock, limits: &Limits) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles_max);
        // No files, no environment, no network, no standard streams.
        let wasi = WasiCtxBuilder::new().wall_clock(clock.clone()).build();
        Self {
            memory: MemoryMeter::new(limits.memory_bytes_max),
            work: ObjectWork::default(),
            store: None,
            table,
            wasi,
        }
    }

    /// Lends a store, whole.
    pub(crate) fn lend(&mut self, store: Store) {
        self.store = Some(store);
    }

    /// What is lent.
    pub(crate) fn objects(&mut self) -> Objects<'_> {
        Objects { lender: &mut self.store, table: &mut self.table, work: &mut self.work }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}
