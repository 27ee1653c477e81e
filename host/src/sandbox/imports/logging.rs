//! A component's log messages as tracing events of the target `stratalog::guest`.

use crate::limits::LOG_LINE_BYTES_MAX;
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

/// Returns the text, cut to a limit, without characters that could control a terminal or make a
/// line look like another.
pub(crate) fn printable(text: &str) -> String {
    let mut line = String::new();
    for character in text.chars() {
        if line.len() >= LOG_LINE_BYTES_MAX {
            line.push('…');
            break;
        }
        line.push(if deceives(character) { '\u{fffd}' } else { character });
    }
    line
}

/// Returns true for control characters, line separators, changes of text direction, and invisible
/// tags.
fn deceives(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_cannot_drive_a_terminal_or_fill_a_log() {
        assert_eq!(printable("a\x1b[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
        assert_eq!(
            printable("a\u{202e}\u{2067}\u{2028}\u{e0041}b"),
            "a\u{fffd}\u{fffd}\u{fffd}\u{fffd}b"
        );
        assert_eq!(
            printable("Zoë e\u{301} \u{1f469}\u{200d}\u{1f52c}"),
            "Zoë e\u{301} \u{1f469}\u{200d}\u{1f52c}"
        );
        let long = printable(&"x".repeat(5000));
        assert!(long.len() < LOG_LINE_BYTES_MAX + 8 && long.ends_with('…'));
    }
}
