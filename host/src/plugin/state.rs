//! The state of one run of a plugin in its wasmtime store.

use stratalog_store_rules::text::log_line;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::logs::{LogsCtx, LogsView};
use super::messages::Messages;
use super::meter::PluginMeter;
use super::usage::Usage;
use crate::sandbox::bindings::wasi::logging::logging::{Host, Level};
use crate::sandbox::imports::ObjectStoreView;
use crate::sandbox::imports::in_flight::InFlight;
use crate::sandbox::imports::logging::emit;

/// All data in a plugin's wasmtime store.
pub(crate) struct PluginState {
    pub(super) logs: LogsCtx,
    pub(super) messages: Messages,
    pub(super) meter: PluginMeter,
    pub(super) in_flight: InFlight,
    pub(super) table: ResourceTable,
    pub(super) wasi: WasiCtx,
}

impl PluginState {
    pub(super) fn logs(&mut self) -> LogsView<'_> {
        LogsView { ctx: &mut self.logs, table: &mut self.table }
    }

    /// Returns the granted logs, object by object, for a plugin that carries a log component of its
    /// own.
    pub(super) fn object_store(&mut self) -> ObjectStoreView<'_> {
        ObjectStoreView {
            access: &mut self.logs,
            table: &mut self.table,
            in_flight: &mut self.in_flight,
        }
    }

    pub(super) fn usage(&self) -> Usage {
        let mut usage = self.logs.usage();
        self.messages.add_to(&mut usage);
        usage
    }
}

impl WasiView for PluginState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl Host for PluginState {
    async fn log(
        &mut self,
        level: Level,
        context: String,
        message: String,
    ) -> wasmtime::Result<()> {
        if self.messages.admit() {
            let message = if context.is_empty() {
                log_line(&message)
            } else {
                log_line(&format!("{context}: {message}"))
            };
            if let Some(recorder) = self.logs.recorder() {
                recorder.message(level, &message);
            }
            emit!(level, "stratalog::plugin", "", message);
        }
        Ok(())
    }
}
