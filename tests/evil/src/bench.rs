//! An honest plugin, to measure with. Prints only the lines described here.
//!
//! - `hello` prints a greeting.
//! - `append-and-say` appends one event, then reports it.
//! - `append N` makes one call for each event.
//! - `append-packed N` appends 1,000 events in a call.
//! - With `large` behind it, each of both fills batches of 4 MiB.
//! - `read` reads the log, and `compact` compacts it.
//!
//! An event has 200 bytes. The log behind `bench` flushes by itself at its defaults, and at the
//! end.

use std::process::ExitCode;

use bindings::stratalog::log::append_log::{self, Log};
use bindings::stratalog::log::types::{CompactOptions, Error, Options, ReadOptions};

#[allow(clippy::all, clippy::restriction, unsafe_code, unreachable_pub, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "plugin", generate_all });
}

const LABEL: &str = "bench";
const EVENT_BYTES: usize = 200;
const PACKET_EVENTS: usize = 1_000;

/// More events than 4 MiB have.
const LARGE_BATCH_EVENTS: u32 = 1_000_000;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let count = |text: &str| text.parse::<usize>().ok();
    let done = match words.as_slice() {
        ["hello"] => {
            println!("hello");
            Ok(())
        }
        ["append-and-say"] => append_and_say(),
        [word @ ("append" | "append-packed"), events, size @ ..]
            if matches!(size, [] | ["large"])
                && let Some(events) = count(events) =>
        {
            let log = open((!size.is_empty()).then_some(LARGE_BATCH_EVENTS));
            log.and_then(|log| match *word {
                "append" => append(&log, events),
                _ => append_packed(&log, events),
            })
        }
        ["read"] => read(),
        ["compact"] => compact(),
        _ => {
            let usage = "hello | append-and-say | append[-packed] N [large] | read | compact";
            eprintln!("usage: {usage}");
            return ExitCode::FAILURE;
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:?}");
            ExitCode::FAILURE
        }
    }
}

fn append_and_say() -> Result<(), Error> {
    let log = open(None)?;
    log.append(&[b'x'; EVENT_BYTES])?;
    println!("appended");
    log.close().map(drop)
}

fn append(log: &Log, events: usize) -> Result<(), Error> {
    let event = [b'x'; EVENT_BYTES];
    for _ in 0..events {
        log.append(&event)?;
    }
    log.close().map(drop)
}

fn append_packed(log: &Log, events: usize) -> Result<(), Error> {
    let event = [&[b'x'; EVENT_BYTES][..], b"\n"].concat();
    let packet = event.repeat(PACKET_EVENTS);
    for _ in 0..events / PACKET_EVENTS {
        log.append_lines(&packet)?;
    }
    let rest = event.repeat(events % PACKET_EVENTS);
    log.append_lines(&rest)?;
    log.close().map(drop)
}

fn read() -> Result<(), Error> {
    let options = ReadOptions {
        start: None,
        last: None,
        limit: None,
        since: None,
        until: None,
        pending: None,
    };
    let reader = append_log::read(LABEL, &options)?;
    let (mut events, mut lines) = (0, 0);
    while let Some(page) = reader.next()? {
        events += page.events;
        lines += page.lines.len() / (EVENT_BYTES + 1);
    }
    assert_eq!(usize::try_from(events), Ok(lines), "each event is one line");
    Ok(())
}

fn compact() -> Result<(), Error> {
    let options =
        CompactOptions { full: false, fan_in: None, segment_bytes_max: None, batches_max: None };
    append_log::compact(LABEL, options).map(drop)
}

fn open(flush_threshold: Option<u32>) -> Result<Log, Error> {
    let options = Options {
        flush_threshold,
        flush_bytes: None,
        flush_interval_ms: None,
        event_bytes_max: None,
        buffer_bytes_max: None,
        creates_max: None,
    };
    Log::open(LABEL, options)
}
