//! What the host lends a component: the one place that joins stores, clock and logging to wasmtime.

pub(crate) mod logging;
pub(crate) mod object_store;

use wasmtime::component::ResourceTable;
use wasmtime::{StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use crate::clock::Clock;
use crate::limits::Limits;
use crate::store::Store;

/// Everything one instance of a component can reach.
pub(crate) struct State {
    pub store: Store,
    pub limits: StoreLimits,
    /// Ticks of the epoch that the call under way has computed for.
    pub ticks: u32,
    table: ResourceTable,
    wasi: WasiCtx,
}

impl State {
    pub(crate) fn new(store: Store, clock: &Clock, limits: &Limits) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles_max);
        let memories = StoreLimitsBuilder::new()
            .memory_size(limits.memory_bytes_max)
            .memories(4)
            .tables(8)
            .table_elements(100_000)
            .instances(16)
            .build();
        // No files, no environment, no network, no standard streams.
        let wasi = WasiCtxBuilder::new().wall_clock(clock.clone()).build();
        Self { store, limits: memories, ticks: 0, table, wasi }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}
