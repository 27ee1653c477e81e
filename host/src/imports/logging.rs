//! A component's log messages as tracing events of the target `stratalog::guest`.

use crate::bindings::wasi::logging::logging::{Host, Level};
use crate::imports::State;
use crate::limits::LOG_LINE_BYTES_MAX;

/// Emits a message as a tracing event of a target.
macro_rules! emit {
    ($level:expr, $target:literal, $context:expr, $message:expr) => {{
        use crate::bindings::wasi::logging::logging::Level;
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
pub(crate) use emit;

impl Host for State {
    async fn log(
        &mut self,
        level: Level,
        context: String,
        message: String,
    ) -> wasmtime::Result<()> {
        let (context, message) = (printable(&context), printable(&message));
        emit!(level, "stratalog::guest", context, message);
        Ok(())
    }
}

/// The text without control characters, which could drive a terminal, and not too long.
pub(crate) fn printable(text: &str) -> String {
    let mut line = String::new();
    for character in text.chars() {
        if line.len() >= LOG_LINE_BYTES_MAX {
            line.push('…');
            break;
        }
        line.push(if character.is_control() { '\u{fffd}' } else { character });
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_cannot_drive_a_terminal_or_fill_a_log() {
        assert_eq!(printable("a\x1b[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
        let long = printable(&"x".repeat(5000));
        assert!(long.len() < LOG_LINE_BYTES_MAX + 8 && long.ends_with('…'));
    }
}
