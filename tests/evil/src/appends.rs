//! Appends too much.

use crate::bindings::stratalog::log::append_log::Log;
use crate::say;

const MIB: usize = 1024 * 1024;

/// Appends one event of this many MiB.
pub(crate) fn huge_event(mib: u64) {
    let Some(log) = say::opened() else { return };
    let event = vec![b'x'; bytes(mib)];
    say::outcome("append", &log.append(&event));
    still_usable(&log);
}

/// Appends this many MiB of lines in one call.
pub(crate) fn huge_lines(mib: u64) {
    let Some(log) = say::opened() else { return };
    let mut lines = vec![b'x'; bytes(mib)];
    for end in lines.iter_mut().skip(1023).step_by(1024) {
        *end = b'\n';
    }
    say::outcome("append-lines", &log.append_lines(&lines));
    still_usable(&log);
}

fn bytes(mib: u64) -> usize {
    usize::try_from(mib).unwrap_or(usize::MAX).saturating_mul(MIB)
}

fn still_usable(log: &Log) {
    say::outcome("append", &log.append(b"small"));
    say::outcome("flush", &log.flush());
}

/// Appends this many events of one byte, one call for each; stops at the first refusal.
pub(crate) fn tiny_appends(count: u64) {
    let Some(log) = say::opened() else { return };
    for number in 0..count {
        if let Err(error) = log.append(b"x") {
            say::line(&format!("{number} appended: {}", say::text(&error)));
            return say::outcome("flush", &log.flush());
        }
    }
    say::line(&format!("{count} appended"));
    say::outcome("flush", &log.flush());
}

/// Appends numbers, and prints each when it is durable.
pub(crate) fn until_stopped() {
    let Some(log) = say::opened() else { return };
    for number in 0_u64.. {
        let event = format!("{{\"number\":{number}}}");
        if let Err(error) = log.append(event.as_bytes()).and_then(|()| log.flush()) {
            return say::line(&format!("append: {}", say::text(&error)));
        }
        say::line(&number.to_string());
    }
}
