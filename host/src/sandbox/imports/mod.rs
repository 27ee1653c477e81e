//! The imports of a component: the one place that joins stores, clock and logging to wasmtime.

pub(crate) mod access;
pub(crate) mod host_bytes;
pub(crate) mod in_flight;
pub(crate) mod listing;
pub(crate) mod logging;
pub(crate) mod object_store;

use bytes::Bytes;
use stratalog_store_rules::limits::KEYS_MAX;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::sandbox::bindings::stratalog::log::object_store as wit;
use crate::sandbox::memory::{Borrowed, Memory};
use crate::sandbox::meter::MemoryMeter;
use crate::store::Store;

use crate::numbers::{grouped, to_u64};
use access::{Provided, StoreAccess};
use host_bytes::HostBytes;
use in_flight::InFlight;

/// The objects that an instance may reach and its operations in flight, borrowed from its state.
pub(crate) struct ObjectStoreView<'a> {
    pub access: &'a mut dyn StoreAccess,
    pub table: &'a mut ResourceTable,
    pub in_flight: &'a mut InFlight,
}

struct HasObjectStore;

impl HasData for HasObjectStore {
    type Data<'a> = ObjectStoreView<'a>;
}

/// Adds a log component's imports from a store to a linker. `view` finds the objects in the data of
/// a wasmtime store.
pub(crate) fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> ObjectStoreView<'_>,
) -> wasmtime::Result<()> {
    host_bytes::add_to_linker(linker, view)?;
    wit::add_to_linker::<T, HasObjectStore>(linker, view)
}

/// Everything one instance of a component can reach.
pub(crate) struct State {
    pub memory: MemoryMeter,
    pub in_flight: InFlight,
    stores: Provided,
    table: ResourceTable,
    wasi: WasiCtx,
}

impl State {
    pub(crate) fn new(clock: &Clock, limits: &Limits) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles_max);
        // No files, no environment, no network, no standard streams.
        let wasi = WasiCtxBuilder::new().wall_clock(clock.clone()).build();
        let memory = Memory::new(limits.memory_bytes_max);
        Self {
            memory: MemoryMeter::new(memory.clone()),
            in_flight: InFlight::new(memory),
            stores: Provided::None,
            table,
            wasi,
        }
    }

    /// Provides the whole store.
    pub(crate) fn provide(&mut self, store: Store) {
        self.stores = Provided::One(store);
    }

    /// Provides the stores of a copy.
    pub(crate) fn provide_pair(&mut self, from: Store, to: Store) {
        self.stores = Provided::Two(from, to);
    }

    /// Keeps bytes for the component that already count against every limit but the instance's own.
    pub(crate) fn keep_counted(&mut self, bytes: Bytes) -> Result<Resource<HostBytes>> {
        let bytes = HostBytes::of_counted(bytes, &self.in_flight.memory);
        let handle = bytes.and_then(|bytes| Ok(self.table.push(bytes)?));
        handle.map_err(|error| Error::trapped(&error))
    }

    /// Keeps bytes for the component.
    pub(crate) fn keep(&mut self, bytes: Bytes) -> Result<Resource<HostBytes>> {
        let bytes = HostBytes::new(bytes, &self.in_flight.memory);
        let handle = bytes.and_then(|bytes| Ok(self.table.push(bytes)?));
        handle.map_err(|error| Error::trapped(&error))
    }

    /// Takes host bytes over from the component, with their count.
    pub(crate) fn take_bytes(&mut self, bytes: Resource<HostBytes>) -> Result<(Bytes, Borrowed)> {
        let bytes = self.table.delete(bytes).map_err(|error| Error::Guest(error.to_string()))?;
        let counted = self.in_flight.memory.borrow_freely(bytes.len());
        Ok((bytes.into_kept(), counted))
    }

    /// Returns the objects that the instance may reach.
    pub(crate) fn object_store(&mut self) -> ObjectStoreView<'_> {
        ObjectStoreView {
            access: &mut self.stores,
            table: &mut self.table,
            in_flight: &mut self.in_flight,
        }
    }
}

/// Traps a component that passes more in one call than the interface allows.
pub(super) fn check_count(what: &str, count: usize) -> wasmtime::Result<()> {
    if count <= KEYS_MAX {
        return Ok(());
    }
    Err(wasmtime::Error::msg(format!(
        "{} {what} in one call, more than {}",
        grouped(to_u64(count)),
        grouped(to_u64(KEYS_MAX))
    )))
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}
