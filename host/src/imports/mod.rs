//! What the host lends a component: the one place that joins stores, clock and logging to wasmtime.

pub(crate) mod logging;
pub(crate) mod object_store;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::Semaphore;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use crate::clock::Clock;
use crate::limits::{CREATES_UNDER_WAY_MAX, Limits};
use crate::meter::{ComputeMeter, MemoryMeter};
use crate::store::Store;

/// Everything one instance of a component can reach.
pub(crate) struct State {
    pub store: Store,
    pub memory: MemoryMeter,
    pub meter: ComputeMeter,
    /// Objects whose creates were started, have succeeded, and are done with.
    pub created: u64,
    /// Their bytes.
    pub created_bytes: Arc<AtomicU64>,
    /// Bounds the bytes that creates under way hold, whoever still waits for them.
    creates: Arc<Semaphore>,
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
            store,
            memory: MemoryMeter::new(limits.memory_bytes_max),
            meter: ComputeMeter::default(),
            created: 0,
            created_bytes: Arc::default(),
            creates: Arc::new(Semaphore::new(CREATES_UNDER_WAY_MAX)),
            table,
            wasi,
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}
