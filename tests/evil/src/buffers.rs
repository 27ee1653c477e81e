//! Makes its logs buffer events without end, none of them ever flushed.

use std::io::{self, Read as _};

use crate::LABEL;
use crate::bindings::stratalog::log::append_log::Log;
use crate::bindings::stratalog::log::types::{Error, Options};
use crate::say;

const LOGS: usize = 64;
const MIB: usize = 1024 * 1024;

/// The largest buffers, which nothing empties.
const LARGEST: Options = Options {
    flush_threshold: Some(1_000_000),
    flush_bytes: Some(32 * 1024 * 1024),
    flush_interval_ms: Some(0),
    event_bytes_max: Some(16 * 1024 * 1024),
    buffer_bytes_max: Some(32 * 1024 * 1024),
    creates_max: None,
};

/// Appends many lines in each call.
pub(crate) fn packed() {
    let lines = [&[b'x'; 1023][..], b"\n"].concat().repeat(1024);
    fill(|log| log.append_lines(&lines).map(drop), lines.len());
}

/// Appends one event of a few bytes in each call.
pub(crate) fn small() {
    fill(|log| log.append(&[b'x'; 63]), 64);
}

/// Fills one log after the other, each as far as possible; then waits until stdin is closed.
fn fill(append: impl Fn(&Log) -> Result<(), Error>, bytes: usize) {
    let (mut logs, mut held) = (Vec::new(), 0_usize);
    let refused = loop {
        if logs.len() == LOGS {
            break None;
        }
        let log = match Log::open(LABEL, LARGEST) {
            Ok(log) => log,
            Err(error) => break Some(("open", error)),
        };
        let mut in_log = 0_usize;
        let mut full = None;
        // Slightly less than the size that would seal the buffer.
        while in_log.saturating_add(bytes) < 31 * MIB {
            match append(&log) {
                Ok(()) => in_log = in_log.saturating_add(bytes),
                Err(error) => {
                    full = Some(("append", error));
                    break;
                }
            }
        }
        held = held.saturating_add(in_log);
        logs.push(log);
        if full.is_some() {
            break full;
        }
    };
    let (call, error) = match &refused {
        Some((call, error)) => (*call, say::text(error)),
        None => ("nothing", "is refused".to_owned()),
    };
    say::line(&format!("{} logs, {} MiB, {call}: {error}", logs.len(), held / MIB));
    let _ = io::stdin().read(&mut [0]);
    // Accepted events are kept: the first log is whole.
    if let Some(log) = logs.first() {
        say::outcome("flush", &log.flush());
    }
}

/// Appends nothing, for comparison.
pub(crate) fn none() {
    say::line("no logs");
    let _ = io::stdin().read(&mut [0]);
}
