//! One instance of the component, and the calls of its exports.

use bytes::Bytes;
use wasmtime::Store as WasmStore;
pub(crate) use wasmtime::component::ResourceAny as Handle;

use crate::error::{Error, Result};
use crate::page::Page;
use crate::sandbox::bindings::LogComponent;
use crate::sandbox::bindings::exports::stratalog::log::append_log::Guest;
pub(crate) use crate::sandbox::bindings::exports::stratalog::log::host_lines::FlushProgress;
use crate::sandbox::imports::State;
use crate::sandbox::memory::{Borrowed, Memory};
use crate::sandbox::meter::PolledTime;
use crate::types::interface::{self as types, Options};
use crate::types::{CompactOptions, Compaction, RepairStep, Skipped, Written};

/// The return of a call: its result, or the failure of the instance.
pub(crate) type Called<T> = wasmtime::Result<T>;

/// A failure of the instance.
pub(crate) type Trap = wasmtime::Error;

/// A page, and the count of its memory.
pub(crate) type CountedPage = (Page, Borrowed);

/// One instance of the component, with a memory of its own.
pub(crate) struct Instance {
    pub(super) wasm_store: WasmStore<State>,
    pub(super) component: LogComponent,
}

impl Instance {
    /// Begins a call: returns the exports, the wasmtime store, and the time that measures the call.
    pub(crate) fn enter(&mut self) -> (&Guest, &mut WasmStore<State>, PolledTime) {
        let time = self.wasm_store.data_mut().in_flight.meter.begin();
        (self.component.stratalog_log_append_log(), &mut self.wasm_store, time)
    }

    /// Returns the memory that the instance takes.
    pub(crate) fn memory(&self) -> &Memory {
        self.wasm_store.data().memory.memory()
    }

    /// Returns the options of a handle of the component, with every default filled in.
    pub(crate) async fn effective_options(&mut self, log: Handle) -> Result<Options> {
        let time = self.wasm_store.data_mut().in_flight.meter.begin();
        let lines = self.component.stratalog_log_host_lines();
        let options = time.measure(lines.call_effective_options(&mut self.wasm_store, log)).await;
        options.map_err(|error| Error::trapped(&error))
    }

    /// Passes events to a handle of the component. They are packed lines that were checked, and
    /// they count already against the memory of their owner. Returns what the handle has made
    /// durable.
    pub(crate) async fn append_host_bytes(
        &mut self,
        log: Handle,
        lines: Bytes,
        events: u64,
    ) -> Result<Written> {
        let state = self.wasm_store.data_mut();
        let time = state.in_flight.meter.begin();
        let lines = state.keep_counted(lines)?;
        let appended = self.component.stratalog_log_host_lines();
        let appended = time.measure(appended.call_append(&mut self.wasm_store, log, lines, events));
        Ok(appended.await.map_err(|error| Error::trapped(&error))??)
    }

    /// Does one step of a flush of a handle.
    pub(crate) async fn flush_step(
        &mut self,
        log: Handle,
    ) -> Called<Result<FlushProgress, types::Error>> {
        let time = self.wasm_store.data_mut().in_flight.meter.begin();
        let lines = self.component.stratalog_log_host_lines();
        time.measure(lines.call_flush_step(&mut self.wasm_store, log)).await
    }

    /// Returns what a handle has made durable.
    pub(crate) async fn written(&mut self, log: Handle) -> Called<Written> {
        let time = self.wasm_store.data_mut().in_flight.meter.begin();
        let lines = self.component.stratalog_log_host_lines();
        time.measure(lines.call_written_by(&mut self.wasm_store, log)).await
    }

    /// Returns the next page of a reader of the component. After the outer error, the instance
    /// takes no more calls.
    pub(crate) async fn next_page(
        &mut self,
        reader: Handle,
    ) -> Result<Result<Option<CountedPage>>> {
        let time = self.wasm_store.data_mut().in_flight.meter.begin();
        let lines = self.component.stratalog_log_host_lines();
        let page = time.measure(lines.call_next(&mut self.wasm_store, reader)).await;
        let page = match page.map_err(|error| Error::trapped(&error))? {
            Ok(Some(page)) => page,
            Ok(None) => return Ok(Ok(None)),
            Err(error) => return Ok(Err(error.into())),
        };
        let state = self.wasm_store.data_mut();
        let (lines, counted) = match page.lines {
            Some(lines) => state.take_bytes(lines)?,
            None => (Bytes::new(), state.memory.memory().borrow_freely(0)),
        };
        let page = Page { lines, events: page.events, missed: page.missed };
        Ok(Ok(Some((page, counted))))
    }

    /// Lets a reader skip damage.
    pub(crate) async fn skip_damaged(&mut self, reader: Handle) -> Result<()> {
        let time = self.wasm_store.data_mut().in_flight.meter.begin();
        let repairs = self.component.stratalog_log_repairs();
        let skips = time.measure(repairs.call_skip_damaged(&mut self.wasm_store, reader)).await;
        skips.map_err(|error| Error::trapped(&error))
    }

    /// Returns the damage that a reader has skipped since the last call.
    pub(crate) async fn take_skipped(&mut self, reader: Handle) -> Result<Vec<Skipped>> {
        let time = self.wasm_store.data_mut().in_flight.meter.begin();
        let repairs = self.component.stratalog_log_repairs();
        let skipped = time.measure(repairs.call_take_skipped(&mut self.wasm_store, reader)).await;
        skipped.map_err(|error| Error::trapped(&error))
    }

    /// Compacts a log.
    pub(crate) async fn compact(
        &mut self,
        name: &str,
        options: &CompactOptions,
    ) -> Result<Compaction> {
        let (guest, wasm_store, time) = self.enter();
        let done = time.measure(guest.call_compact(wasm_store, name, *options)).await;
        Ok(done.map_err(|error| Error::trapped(&error))??)
    }

    /// Repairs a log, or returns the steps of a repair without doing them.
    pub(crate) async fn repair(&mut self, name: &str, dry_run: bool) -> Result<Vec<RepairStep>> {
        let time = self.wasm_store.data_mut().in_flight.meter.begin();
        let repairs = self.component.stratalog_log_repairs();
        let steps = time.measure(repairs.call_repair(&mut self.wasm_store, name, dry_run)).await;
        Ok(steps.map_err(|error| Error::trapped(&error))??)
    }

    /// Returns the position after a reader's last page.
    pub(crate) async fn position(&mut self, reader: Handle) -> Result<Option<String>> {
        let (guest, wasm_store, time) = self.enter();
        let reader_calls = guest.reader();
        let position = time.measure(reader_calls.call_position(wasm_store, reader)).await;
        position.map_err(|error| Error::trapped(&error))
    }

    /// Returns the position before a reader's last page.
    pub(crate) async fn position_before(&mut self, reader: Handle) -> Result<Option<String>> {
        let time = self.wasm_store.data_mut().in_flight.meter.begin();
        let lines = self.component.stratalog_log_host_lines();
        let position = time.measure(lines.call_position_before(&mut self.wasm_store, reader)).await;
        position.map_err(|error| Error::trapped(&error))
    }

    /// Drops a handle that the component returned.
    pub(crate) async fn drop_handle(&mut self, handle: Handle) -> Result<()> {
        let time = self.wasm_store.data_mut().in_flight.meter.begin();
        let dropped = time.measure(handle.resource_drop_async(&mut self.wasm_store)).await;
        dropped.map_err(|error| Error::trapped(&error))
    }
}
