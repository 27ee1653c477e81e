//! Outcomes, in lines.

use std::io::{self, Write as _};

use crate::bindings::stratalog::log::append_log::Log;
use crate::bindings::stratalog::log::types::{Error, InvalidEvent, Options};

/// Prints one line immediately: the next call may be the end.
pub(crate) fn line(text: &str) {
    let mut stdout = io::stdout().lock();
    // A process that cannot print cannot report that either.
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}

/// Prints the outcome of a call.
pub(crate) fn outcome<T>(call: &str, outcome: &Result<T, Error>) {
    match outcome {
        Ok(_) => line(&format!("{call}: ok")),
        Err(error) => line(&format!("{call}: {}", text(error))),
    }
}

/// Formats the case of an error and its text.
pub(crate) fn text(error: &Error) -> String {
    match error {
        Error::InvalidInput(reason) => format!("invalid-input: {reason}"),
        Error::InvalidEvent(InvalidEvent { line, fault }) => {
            format!("invalid-event: line {line}: {fault:?}")
        }
        Error::WriteFailed(failure) => format!("write-failed: {}", failure.message),
        Error::StoreFailed(failure) => format!("store-failed: {}", failure.message),
        Error::Damaged(damage) => format!("damaged: {}", damage.object),
        Error::NoLog(absent) => format!("no-log: {}", absent.name),
        Error::Conflict(reason) => format!("conflict: {reason}"),
        Error::Unsupported(reason) => format!("unsupported: {reason}"),
        Error::Denied(reason) => format!("denied: {reason}"),
        Error::LimitReached(reason) => format!("limit-reached: {reason}"),
        Error::Closed => "closed".to_owned(),
    }
}

/// Opens a log with the default options.
pub(crate) fn open(name: &str) -> Result<Log, Error> {
    Log::open(name, options(None))
}

/// Opens the log behind the label. Without it there is nothing to do.
pub(crate) fn opened() -> Option<Log> {
    let log = open(crate::LABEL);
    if log.is_err() {
        outcome("open", &log);
    }
    log.ok()
}

/// Returns the default options, except for the threshold.
pub(crate) fn options(flush_threshold: Option<u32>) -> Options {
    Options {
        flush_threshold,
        flush_bytes: None,
        flush_interval_ms: None,
        event_bytes_max: None,
        buffer_bytes_max: None,
        creates_max: None,
    }
}
