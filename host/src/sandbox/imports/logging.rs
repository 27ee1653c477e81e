//! A component's log messages as tracing events of the target `stratalog::guest`.

use stratalog_store_rules::text::log_line;

use crate::sandbox::bindings::wasi::logging::logging::{Host, Level};
use crate::sandbox::imports::State;

/// Emits a message as a tracing event of a target.
macro_rules! emit {
    ($level:expr, $target:literal, $context:expr, $message:expr) => {{
        use crate::sandbox::bindings::wasi::logging::logging::Level;
        let (context, message) = (&$context, &$message);
        match $level {
            Level::Trace => tracing::trace!(target: $target, context, "{message}"),
            Level::Debug => tracing::debug!(target: $target, context, "{message}"),
            Level::Info => tracing::info!(target: $target, context, "{message}"),
            Level::Warn => tracing::warn!(target: $target, context, "{message}"),
            Level::Error | Level::Critical => {
                tracing::error!(target: $target, context, "{message}")
            }
        }
    }};
}
#[cfg(feature = "plugins")]
pub(crate) use emit;

impl Host for State {
    async fn log(
        &mut self,
        level: Level,
        context: String,
        message: String,
    ) -> wasmtime::Result<()> {
        let (context, message) = (log_line(&context), log_line(&message));
        emit!(level, "stratalog::guest", context, message);
        Ok(())
    }
}
