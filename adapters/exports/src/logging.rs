//! Log messages, of the log's component and of the adapter, as lines on stderr.
//!
//! Owns: the form of a line, and which levels are shown.
//! Must not know: the sender of a message.
//!
//! 1. A message cannot control a terminal, and cannot make a line look like another.
//! 2. A message that cannot be written is dropped: logging never fails its caller.
//! 3. A level that cannot be used is reported once, and the default is used.

use std::cell::OnceCell;
use std::io::Write as _;

use stratalog_store_rules::log_level::{LEVEL_VARIABLE, Level, SHOWN_FROM_DEFAULT, shown_from};
use stratalog_store_rules::text::log_line;

thread_local! {
    static SHOWN_FROM: OnceCell<Option<Level>> = const { OnceCell::new() };
}

/// Writes a message to stderr, if its level is shown. By default, warnings and errors are.
pub fn log(level: Level, context: &str, message: &str) {
    let shown_from = SHOWN_FROM.with(|from| {
        *from.get_or_init(|| {
            let named = std::env::var(LEVEL_VARIABLE).ok();
            shown_from(named.as_deref()).unwrap_or_else(|report| {
                say(&line(Level::Warn, "", &report));
                SHOWN_FROM_DEFAULT
            })
        })
    });
    if shown_from.is_some_and(|from| level >= from) {
        say(&line(level, context, message));
    }
}

fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").ok();
}

fn line(level: Level, context: &str, message: &str) -> String {
    let label = level.label();
    let (context, message) = (log_line(context), log_line(message));
    if context.is_empty() {
        format!("{label}: {message}")
    } else {
        format!("{label}: {context}: {message}")
    }
}

#[cfg(test)]
mod tests {
    use stratalog_store_rules::limits::LOG_LINE_BYTES_MAX;

    use super::*;

    #[test]
    fn message_cannot_drive_a_terminal_or_fill_a_log() {
        let shown = line(Level::Warn, "log", "a\x1b[2Jb\n\u{202e}");
        assert_eq!(shown, "warning: log: a\u{fffd}[2Jb\u{fffd}\u{fffd}");
        let long = line(Level::Error, "", &"x".repeat(5000));
        assert!(long.starts_with("error: xx") && long.ends_with('…'));
        assert!(long.len() < LOG_LINE_BYTES_MAX + 16);
    }
}
