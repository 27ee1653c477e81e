//! The calls of feeds.

use bytes::Bytes;

use crate::sandbox::bindings::exports::stratalog::log::feeds as wit;
use crate::sandbox::instance::{CallError, Called, Handle, Instance};
use crate::types::interface::Options;

pub(crate) use wit::Resumed;

impl Instance {
    /// Seals checked lines as a batch of a handle, with the name of an earlier one if there is one.
    /// Returns the name.
    pub(crate) async fn seal(
        &mut self,
        log: Handle,
        lines: Bytes,
        name: Option<&str>,
    ) -> Called<String> {
        let lines = self.wasm_store.data_mut().keep(lines).map_err(CallError::Trapped)?;
        self.try_call(|exports, store| {
            exports.stratalog_log_feeds().call_seal(store, log, lines, name)
        })
        .await
    }

    /// Starts the creates of sealed batches.
    pub(crate) async fn start_sealed(&mut self, log: Handle) -> Called<()> {
        self.call(|exports, store| exports.stratalog_log_feeds().call_start(store, log)).await
    }

    /// Makes a handle that continues the batches of an earlier one.
    pub(crate) async fn resume(
        &mut self,
        name: &str,
        options: Options,
        batches: &[String],
    ) -> Called<Resumed> {
        self.try_call(|exports, store| {
            exports.stratalog_log_feeds().call_resume(store, name, options, batches)
        })
        .await
    }
}
