//! An honest plugin, to measure with. Prints only the lines described here.
//!
//! - `hello` prints a greeting.
//! - `append-and-say` appends one event, then reports it.
//! - `append N` makes one call for each event.
//! - `append-packed N` appends 1,000 events in a call.
//!
//! An event has 200 bytes. The log behind `bench` flushes by itself at its defaults, and at the
//! end.

use std::process::ExitCode;

use bindings::stratalog::log::append_log::Log;
use bindings::stratalog::log::types::{Error, Options};

#[allow(clippy::all, clippy::restriction, unsafe_code, unreachable_pub, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "plugin", generate_all });
}

const LABEL: &str = "bench";
const EVENT_BYTES: usize = 200;
const PACKET_EVENTS: usize = 1_000;

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
        ["append", events] if let Some(events) = count(events) => append(events),
        ["append-packed", events] if let Some(events) = count(events) => append_packed(events),
        _ => {
            eprintln!("usage: hello | append-and-say | append N | append-packed N");
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
    let log = open()?;
    log.append(&[b'x'; EVENT_BYTES])?;
    println!("appended");
    log.close().map(drop)
}

fn append(events: usize) -> Result<(), Error> {
    let log = open()?;
    let event = [b'x'; EVENT_BYTES];
    for _ in 0..events {
        log.append(&event)?;
    }
    log.close().map(drop)
}

fn append_packed(events: usize) -> Result<(), Error> {
    let log = open()?;
    let event = [&[b'x'; EVENT_BYTES][..], b"\n"].concat();
    let packet = event.repeat(PACKET_EVENTS);
    for _ in 0..events / PACKET_EVENTS {
        log.append_lines(&packet)?;
    }
    let rest = event.repeat(events % PACKET_EVENTS);
    log.append_lines(&rest)?;
    log.close().map(drop)
}

fn open() -> Result<Log, Error> {
    let options = Options {
        flush_threshold: None,
        flush_bytes: None,
        flush_interval_ms: None,
        event_bytes_max: None,
        buffer_bytes_max: None,
        creates_max: None,
    };
    Log::open(LABEL, options)
}
