//! Ends at a bad moment, with events that were not flushed.

use std::process;

use crate::bindings::stratalog::log::append_log::Log;
use crate::bindings::wasi::cli::exit;
use crate::{LABEL, say};

/// Appends, flushes, appends again, and traps.
pub(crate) fn trap_after_append() {
    let Some(log) = start() else { return };
    say::outcome("append", &log.append(b"not flushed"));
    process::abort();
}

/// Appends and exits as if all were well.
pub(crate) fn exit_without_close() {
    let Some(log) = start() else { return };
    say::outcome("append", &log.append(b"not flushed"));
    process::exit(0);
}

/// Appends and returns without dropping the handle.
pub(crate) fn return_without_close() {
    let Some(log) = start() else { return };
    say::outcome("append", &log.append(b"not flushed"));
    std::mem::forget(log);
}

/// Ends with its own exit code, and with an event that was not flushed.
pub(crate) fn exit_with_code(code: u64) {
    let Some(log) = start() else { return };
    say::outcome("append", &log.append(b"not flushed"));
    exit::exit_with_code(u8::try_from(code).unwrap_or(u8::MAX));
}

/// Ends with a code that the language cannot express.
pub(crate) fn exit_of_language() {
    process::exit(3);
}

fn start() -> Option<Log> {
    // The handle writes nothing by itself in this time.
    let log = Log::open(LABEL, say::options(Some(1_000_000)));
    let Ok(log) = log else {
        say::outcome("open", &log);
        return None;
    };
    say::outcome("append", &log.append(b"flushed"));
    say::outcome("flush", &log.flush());
    Some(log)
}
