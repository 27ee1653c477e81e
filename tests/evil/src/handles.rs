//! Takes handles without end, and uses them after they are invalid.

use crate::LABEL;
use crate::bindings::stratalog::log::append_log::{self, Reader};
use crate::bindings::stratalog::log::types::{
    CompactOptions, Error, ReadOptions, TrimOptions, TrimPoint,
};
use crate::say;

const EVERYTHING: ReadOptions =
    ReadOptions { start: None, last: None, limit: None, since: None, until: None, pending: None };

const COMPACT: CompactOptions =
    CompactOptions { full: true, fan_in: None, segment_bytes_max: None, batches_max: None };

/// Opens logs and drops none.
pub(crate) fn log_flood() {
    hold("logs", || say::open(LABEL));
}

/// Opens readers and drops none.
pub(crate) fn reader_flood() {
    hold("readers", || append_log::read(LABEL, &EVERYTHING));
}

fn hold<T>(what: &str, open: impl Fn() -> Result<T, Error>) {
    let mut held = Vec::new();
    loop {
        match open() {
            Ok(handle) => held.push(handle),
            Err(error) => {
                say::line(&format!("{} {what} held: {}", held.len(), say::text(&error)));
                break;
            }
        }
    }
    // A returned handle is available again.
    held.pop();
    say::outcome("one given back, one more", &open());
}

/// Reads the log from its beginning over and over.
pub(crate) fn read_flood(times: u64) {
    let mut events = 0_u64;
    for _ in 0..times {
        match append_log::read(LABEL, &EVERYTHING).and_then(|reader| count(&reader)) {
            Ok(read) => events = events.saturating_add(read),
            Err(error) => return say::line(&format!("read: {}", say::text(&error))),
        }
    }
    say::line(&format!("{events} events read"));
}

fn count(reader: &Reader) -> Result<u64, Error> {
    let mut events = 0_u64;
    while let Some(page) = reader.next()? {
        events = events.saturating_add(page.events);
    }
    Ok(events)
}

pub(crate) fn calls_after_close() {
    let Some(log) = say::opened() else { return };
    say::outcome("append", &log.append(b"before"));
    say::outcome("close", &log.close());
    say::outcome("append", &log.append(b"after"));
    say::outcome("append-lines", &log.append_lines(b"after\n"));
    say::outcome("flush", &log.flush());
    say::outcome("read-all", &log.read_all());
    say::outcome("compact", &log.compact(COMPACT));
    say::outcome("file-count", &log.file_count());
    say::outcome("close", &log.close());
    say::line(&format!("tick: {}", log.tick()));
    let pending = log.pending();
    say::line(&format!("pending: {} bytes", pending.lines.len()));
}

/// Keeps a position in a log while its beginning is trimmed.
pub(crate) fn read_after_trim() {
    let reader = append_log::read(LABEL, &ReadOptions { limit: None, ..EVERYTHING });
    let Ok(reader) = reader else { return say::outcome("read", &reader) };
    say::outcome("compact", &append_log::compact(LABEL, COMPACT));
    match append_log::trim(
        LABEL,
        &TrimPoint::KeepEvents(1),
        TrimOptions { lazy: false, keep_unread: false },
    ) {
        Ok(trimmed) => say::line(&format!("trim: {} events", trimmed.events)),
        Err(error) => say::line(&format!("trim: {}", say::text(&error))),
    }
    loop {
        match reader.next() {
            Ok(Some(page)) => {
                say::line(&format!("next: {} events, {} missed", page.events, page.missed));
            }
            Ok(None) => return say::line("next: none"),
            Err(error) => return say::line(&format!("next: {}", say::text(&error))),
        }
    }
}
