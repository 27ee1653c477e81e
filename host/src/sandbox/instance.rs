//! One instance of the component, and the calls of its exports.
//!
//! 1. Every call goes through [`Instance::call`], which measures its time and separates the two
//!    ways to fail.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Notify;
use wasmtime::Store as WasmStore;
pub(crate) use wasmtime::component::ResourceAny as Handle;

use crate::error::{Error, Result};
use crate::page::Page;
use crate::sandbox::bindings::LogComponent;
use crate::sandbox::bindings::exports::stratalog::log::files::LogFile;
use crate::sandbox::imports::State;
use crate::sandbox::memory::{Borrowed, Memory};
use crate::types::interface::{self as wit, Options, Pending, ReadOptions};
use crate::types::{RepairStep, Skipped, TrimOptions, TrimResult, VerifyProgress, Written};

/// The reason why a call failed.
#[derive(Clone, Debug)]
pub(crate) enum CallError {
    /// The component returned an error, and takes more calls.
    Returned(Error),
    /// The instance failed, and takes no more calls.
    Trapped(Error),
}

/// The result of a call.
pub(crate) type Called<T> = Result<T, CallError>;

/// A page, and the count of its memory.
pub(crate) type CountedPage = (Page, Borrowed);

/// One instance of the component, with a memory of its own.
pub(crate) struct Instance {
    pub(super) wasm_store: WasmStore<State>,
    pub(super) component: LogComponent,
}

impl Instance {
    /// Returns the memory that the instance takes.
    pub(crate) fn memory(&self) -> &Memory {
        self.wasm_store.data().memory.memory()
    }

    /// Calls an export, or drops a handle. `call` gets the exports and the wasmtime store.
    ///
    /// # Errors
    /// [`CallError::Trapped`].
    pub(crate) async fn call<'a, T, F>(
        &'a mut self,
        call: impl FnOnce(&'a LogComponent, &'a mut WasmStore<State>) -> F,
    ) -> Called<T>
    where
        F: Future<Output = wasmtime::Result<T>>,
    {
        let time = self.wasm_store.data_mut().in_flight.meter.begin();
        let called = time.measure(call(&self.component, &mut self.wasm_store)).await;
        called.map_err(|error| CallError::Trapped(Error::trapped(&error)))
    }

    /// Calls an export that returns a result.
    pub(crate) async fn try_call<'a, T, F>(
        &'a mut self,
        call: impl FnOnce(&'a LogComponent, &'a mut WasmStore<State>) -> F,
    ) -> Called<T>
    where
        F: Future<Output = wasmtime::Result<Result<T, wit::Error>>>,
    {
        self.call(call).await?.map_err(|error| CallError::Returned(error.into()))
    }

    /// Opens a log for appending.
    pub(crate) async fn open(&mut self, name: &str, options: Options) -> Called<Handle> {
        self.try_call(|exports, store| async move {
            exports.stratalog_log_append_log().log().call_open(store, name, options).await
        })
        .await
    }

    /// Returns the options of a handle of the component, with every default filled in.
    pub(crate) async fn effective_options(&mut self, log: Handle) -> Called<Options> {
        self.call(|exports, store| {
            exports.stratalog_log_host_lines().call_effective_options(store, log)
        })
        .await
    }

    /// Passes events to a handle of the component. They are packed lines that were checked, and
    /// they count already against the memory of their owner. Returns what the handle has made
    /// durable.
    pub(crate) async fn append_host_bytes(
        &mut self,
        log: Handle,
        lines: Bytes,
        events: u64,
    ) -> Called<Written> {
        let lines = self.wasm_store.data_mut().keep_counted(lines).map_err(CallError::Trapped)?;
        self.try_call(|exports, store| {
            exports.stratalog_log_host_lines().call_append(store, log, lines, events)
        })
        .await
    }

    /// Starts a flush; with `retry`, also starts the creates that have failed again. Returns what
    /// the handle has made durable.
    pub(crate) async fn start_flush(&mut self, log: Handle, retry: bool) -> Called<Written> {
        self.try_call(|exports, store| {
            exports.stratalog_log_host_lines().call_start_flush(store, log, retry)
        })
        .await
    }

    /// Records which creates have ended. Returns what the handle has made durable.
    pub(crate) async fn poll_flush(&mut self, log: Handle) -> Called<Written> {
        self.try_call(|exports, store| {
            exports.stratalog_log_host_lines().call_poll_flush(store, log)
        })
        .await
    }

    /// Returns the notification that a create in flight has ended.
    pub(crate) fn create_ended(&self) -> Arc<Notify> {
        self.wasm_store.data().in_flight.create_ended.clone()
    }

    /// Returns what a handle has made durable.
    pub(crate) async fn written(&mut self, log: Handle) -> Called<Written> {
        self.call(|exports, store| exports.stratalog_log_host_lines().call_written_by(store, log))
            .await
    }

    /// Runs a maintenance tick; returns true if anything is still pending.
    pub(crate) async fn tick(&mut self, log: Handle) -> Called<bool> {
        self.call(|exports, store| async move {
            exports.stratalog_log_append_log().log().call_tick(store, log).await
        })
        .await
    }

    /// Returns the events of a handle that may not be in the store yet.
    pub(crate) async fn pending(&mut self, log: Handle) -> Called<Pending> {
        self.call(|exports, store| async move {
            exports.stratalog_log_append_log().log().call_pending(store, log).await
        })
        .await
    }

    /// Returns the number of objects with the log's stored events.
    pub(crate) async fn file_count(&mut self, log: Handle) -> Called<u64> {
        self.try_call(|exports, store| async move {
            exports.stratalog_log_append_log().log().call_file_count(store, log).await
        })
        .await
    }

    /// Flushes and closes a handle.
    pub(crate) async fn close(&mut self, log: Handle) -> Called<Written> {
        self.try_call(|exports, store| async move {
            exports.stratalog_log_append_log().log().call_close(store, log).await
        })
        .await
    }

    /// Starts a reading pass.
    pub(crate) async fn read(&mut self, name: &str, options: &ReadOptions) -> Called<Handle> {
        self.try_call(|exports, store| {
            exports.stratalog_log_append_log().call_read(store, name, options)
        })
        .await
    }

    /// Starts a reading pass at a named position.
    pub(crate) async fn read_named(
        &mut self,
        name: &str,
        position: &str,
        options: &ReadOptions,
    ) -> Called<Handle> {
        self.try_call(|exports, store| {
            exports.stratalog_log_append_log().call_read_named(store, name, position, options)
        })
        .await
    }

    /// Returns the named positions of a log.
    pub(crate) async fn named_positions(&mut self, name: &str) -> Called<Vec<wit::NamedPosition>> {
        self.try_call(|exports, store| {
            exports.stratalog_log_append_log().call_named_positions(store, name)
        })
        .await
    }

    /// Forgets a named position.
    pub(crate) async fn forget_position(&mut self, name: &str, position: &str) -> Called<bool> {
        self.try_call(|exports, store| {
            exports.stratalog_log_append_log().call_forget_position(store, name, position)
        })
        .await
    }

    /// Commits a position under the name of a reader.
    pub(crate) async fn commit(&mut self, reader: Handle, position: Option<&str>) -> Called<()> {
        self.try_call(|exports, store| async move {
            exports.stratalog_log_append_log().reader().call_commit(store, reader, position).await
        })
        .await
    }

    /// Returns the next page of a reader.
    pub(crate) async fn next_page(&mut self, reader: Handle) -> Called<Option<CountedPage>> {
        let page = self
            .try_call(|exports, store| exports.stratalog_log_host_lines().call_next(store, reader))
            .await?;
        let Some(page) = page else { return Ok(None) };
        let state = self.wasm_store.data_mut();
        let (lines, counted) = match page.lines {
            Some(lines) => state.take_bytes(lines).map_err(CallError::Trapped)?,
            None => (Bytes::new(), state.memory.memory().borrow_freely(0)),
        };
        Ok(Some((Page { lines, events: page.events, missed: page.missed }, counted)))
    }

    /// Returns the position after a reader's last page.
    pub(crate) async fn position(&mut self, reader: Handle) -> Called<Option<String>> {
        self.call(|exports, store| async move {
            exports.stratalog_log_append_log().reader().call_position(store, reader).await
        })
        .await
    }

    /// Returns the position before a reader's last page.
    pub(crate) async fn position_before(&mut self, reader: Handle) -> Called<Option<String>> {
        self.call(|exports, store| {
            exports.stratalog_log_host_lines().call_position_before(store, reader)
        })
        .await
    }

    /// Returns the batches of the events of a reader's last page.
    pub(crate) async fn batches(&mut self, reader: Handle) -> Called<Vec<wit::BatchEvents>> {
        self.call(|exports, store| async move {
            exports.stratalog_log_append_log().reader().call_batches(store, reader).await
        })
        .await
    }

    /// Returns the positions behind events of a reader's last page, from the event with this number
    /// on, each ended by LF.
    pub(crate) async fn positions(&mut self, reader: Handle, first: u64) -> Called<Option<String>> {
        self.call(|exports, store| async move {
            exports.stratalog_log_append_log().reader().call_positions(store, reader, first).await
        })
        .await
    }

    /// Lets a reader skip damage.
    pub(crate) async fn skip_damaged(&mut self, reader: Handle) -> Called<()> {
        self.call(|exports, store| exports.stratalog_log_repairs().call_skip_damaged(store, reader))
            .await
    }

    /// Returns the damage that a reader has skipped since the last call.
    pub(crate) async fn take_skipped(&mut self, reader: Handle) -> Called<Vec<Skipped>> {
        self.call(|exports, store| exports.stratalog_log_repairs().call_take_skipped(store, reader))
            .await
    }

    /// Starts a verification.
    pub(crate) async fn verify(&mut self, name: &str) -> Called<Handle> {
        self.try_call(|exports, store| exports.stratalog_log_append_log().call_verify(store, name))
            .await
    }

    /// Does a step of a verification. None when everything is checked.
    pub(crate) async fn next_checked(
        &mut self,
        verifier: Handle,
    ) -> Called<Option<VerifyProgress>> {
        self.try_call(|exports, store| async move {
            exports.stratalog_log_append_log().verifier().call_next(store, verifier).await
        })
        .await
    }

    /// Trims a log.
    pub(crate) async fn trim(
        &mut self,
        name: &str,
        until: &wit::TrimPoint,
        options: TrimOptions,
    ) -> Called<TrimResult> {
        self.try_call(|exports, store| {
            exports.stratalog_log_append_log().call_trim(store, name, until, options)
        })
        .await
    }

    /// Returns what [`Instance::trim`] would do.
    pub(crate) async fn plan_trim(
        &mut self,
        name: &str,
        until: &wit::TrimPoint,
        options: TrimOptions,
    ) -> Called<TrimResult> {
        self.try_call(|exports, store| {
            exports.stratalog_log_append_log().call_plan_trim(store, name, until, options)
        })
        .await
    }

    /// Repairs a log, or returns the steps of a repair without doing them.
    pub(crate) async fn repair(&mut self, name: &str, dry_run: bool) -> Called<Vec<RepairStep>> {
        self.try_call(|exports, store| {
            exports.stratalog_log_repairs().call_repair(store, name, dry_run)
        })
        .await
    }

    /// Lists the files of a log.
    pub(crate) async fn list_files(
        &mut self,
        name: &str,
        since: Option<u64>,
        until: Option<u64>,
    ) -> Called<Handle> {
        self.try_call(|exports, store| {
            exports.stratalog_log_files().call_list_files(store, name, since, until)
        })
        .await
    }

    /// Returns the next files of a list.
    pub(crate) async fn next_files(&mut self, list: Handle) -> Called<Vec<LogFile>> {
        self.call(|exports, store| async move {
            exports.stratalog_log_files().file_list().call_next(store, list).await
        })
        .await
    }

    /// Counts the objects, events and bytes of a log.
    pub(crate) async fn stat(&mut self, name: &str) -> Called<wit::Stats> {
        self.try_call(|exports, store| exports.stratalog_log_append_log().call_stat(store, name))
            .await
    }

    /// Drops a handle that the component returned.
    pub(crate) async fn drop_handle(&mut self, handle: Handle) -> Called<()> {
        self.call(|_, store| handle.resource_drop_async(store)).await
    }
}
