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

use stratalog_store_rules::text::log_line;

/// The variable of the environment that names the lowest level that is shown.
const LEVEL_VARIABLE: &str = "STRATALOG_LOG";

/// The lowest level that is shown without that variable.
const DEFAULT: Option<Level> = Some(Level::Warn);

/// The level of a message, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Critical,
}

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
                DEFAULT
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

/// Returns the lowest level that is shown; none to show nothing. An empty name is none.
///
/// # Errors
/// The report of a name that is not one of a level.
fn shown_from(named: Option<&str>) -> Result<Option<Level>, String> {
    let named = named.unwrap_or_default();
    match named.trim().to_ascii_lowercase().as_str() {
        "" => Ok(DEFAULT),
        "off" => Ok(None),
        "trace" => Ok(Some(Level::Trace)),
        "debug" => Ok(Some(Level::Debug)),
        "info" => Ok(Some(Level::Info)),
        "warn" => Ok(Some(Level::Warn)),
        "error" => Ok(Some(Level::Error)),
        _ => Err(format!(
            "cannot use {LEVEL_VARIABLE}={named}: it is not off or one of trace, debug, info, \
             warn, error; the default is used: warn"
        )),
    }
}

fn line(level: Level, context: &str, message: &str) -> String {
    let name = match level {
        Level::Trace => "trace",
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warning",
        Level::Error | Level::Critical => "error",
    };
    let (context, message) = (log_line(context), log_line(message));
    if context.is_empty() {
        format!("{name}: {message}")
    } else {
        format!("{name}: {context}: {message}")
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

    #[test]
    fn levels_are_shown_from_the_named_one_on() {
        for (named, from) in [
            (None, Some(Level::Warn)),
            (Some(" "), Some(Level::Warn)),
            (Some("Info "), Some(Level::Info)),
            (Some("warn"), Some(Level::Warn)),
            (Some("off"), None),
        ] {
            assert_eq!(shown_from(named), Ok(from), "{named:?}");
        }
        assert!(Level::Critical > Level::Error && Level::Info < Level::Warn);
    }

    #[test]
    fn level_that_does_not_exist_is_reported() {
        for named in ["nope", "stratalog=debug", "warn,info", "3"] {
            let report = shown_from(Some(named)).unwrap_err();
            assert!(report.starts_with(&format!("cannot use STRATALOG_LOG={named}: ")), "{report}");
            assert!(report.ends_with("; the default is used: warn"), "{report}");
        }
    }
}
