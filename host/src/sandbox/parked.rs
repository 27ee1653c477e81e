//! The states of writers and readers that have no instance.

use bytes::Bytes;

use crate::sandbox::bindings::exports::stratalog::log::parking as wit;
use crate::sandbox::instance::{CallError, Called, Handle, Instance};
use crate::sandbox::memory::Borrowed;
use crate::types::Written;
use crate::types::interface::Options;

/// A parked writer.
pub(crate) struct Parked {
    options: Options,
    writer: u64,
    last_time: u64,
    batches: u64,
    written: Written,
    generation: u64,
    open: Option<OpenEvents>,
}

/// Its events that are in no batch.
pub(crate) struct OpenEvents {
    lines: Bytes,
    /// Counts them, also for a plugin.
    _counted: Borrowed,
    events: u64,
    opened: u64,
    due_in: Option<u64>,
}

/// A parked reader.
pub(crate) struct ParkedReader(wit::ParkedReader);

impl ParkedReader {
    /// Returns the position behind the last event.
    pub(crate) fn position(&self) -> &str {
        &self.0.position
    }
}

impl Parked {
    /// Returns what the writer has made durable.
    pub(crate) fn written(&self) -> Written {
        self.written
    }

    /// Returns the events that are in no batch.
    pub(crate) fn open(&self) -> Option<&OpenEvents> {
        self.open.as_ref()
    }
}

impl OpenEvents {
    /// Returns the microseconds until they are due by their age; none if they never are.
    pub(crate) fn due_in_micros(&self) -> Option<u64> {
        self.due_in
    }
}

impl Instance {
    /// Parks a writer, and closes its handle. None if it has a create that is not confirmed.
    pub(crate) async fn park(&mut self, log: Handle) -> Called<Option<Parked>> {
        let parked = self
            .call(|exports, store| exports.stratalog_log_parking().call_park(store, log))
            .await?;
        let Some(parked) = parked else { return Ok(None) };
        let state = self.wasm_store.data_mut();
        let open = match parked.open {
            Some(wit::OpenEvents { lines, events, opened, due_in }) => {
                let (lines, counted) = state.take_bytes(lines).map_err(CallError::Trapped)?;
                Some(OpenEvents { lines, _counted: counted, events, opened, due_in })
            }
            None => None,
        };
        let wit::Parked { options, writer, last_time, batches, written, generation, .. } = parked;
        Ok(Some(Parked { options, writer, last_time, batches, written, generation, open }))
    }

    /// Makes a parked writer of this log again.
    pub(crate) async fn unpark(&mut self, name: &str, parked: &Parked) -> Called<Handle> {
        let open = match &parked.open {
            Some(open) => {
                let state = self.wasm_store.data_mut();
                let lines = state.keep(open.lines.clone()).map_err(CallError::Trapped)?;
                let OpenEvents { events, opened, due_in, .. } = *open;
                Some(wit::OpenEvents { lines, events, opened, due_in })
            }
            None => None,
        };
        let Parked { options, writer, last_time, batches, written, generation, .. } = *parked;
        let state = wit::Parked { options, writer, last_time, batches, written, generation, open };
        self.try_call(|exports, store| {
            exports.stratalog_log_parking().call_unpark(store, name, state)
        })
        .await
    }

    /// Parks a reader. None if it has something to report.
    pub(crate) async fn park_reader(&mut self, reader: Handle) -> Called<Option<ParkedReader>> {
        let parked = self
            .call(|exports, store| exports.stratalog_log_parking().call_park_reader(store, reader))
            .await?;
        Ok(parked.map(ParkedReader))
    }

    /// Makes a parked reader of this log again.
    pub(crate) async fn unpark_reader(
        &mut self,
        name: &str,
        parked: &ParkedReader,
    ) -> Called<Handle> {
        self.try_call(|exports, store| {
            exports.stratalog_log_parking().call_unpark_reader(store, name, &parked.0)
        })
        .await
    }
}
