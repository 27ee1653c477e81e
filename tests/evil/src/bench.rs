//! An honest plugin, to measure with. Prints nothing but `hello`.
//!
//! `hello`; `append N`, one call for each event; `append-packed N`, 1,000 events in a call. An event
//! has 200 bytes, and the log behind `bench` flushes by itself at its defaults, and at the end.

use std::process::ExitCode;

use bindings::stratalog::log::append_log::{Error, Log, Options};

#[allow(clippy::all, clippy::restriction, unsafe_code, unreachable_pub, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "plugin", generate_all });
}

const LABEL: &str = "bench";
const EVENT_BYTES: usize = 200;
const PACKET_EVENTS: u64 = 1_000;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let count = |text: &str| text.parse::<u64>().ok();
    let done = match words.as_slice() {
        ["hello"] => {
            println!("hello");
            Ok(())
        }
        ["append", events] if let Some(events) = count(events) => append(events),
        ["append-packed", events] if let Some(events) = count(events) => append_packed(events),
        _ => {
            eprintln!("usage: hello | append N | append-packed N");
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

fn append(events: u64) -> Result<(), Error> {
    let log = open()?;
    for number in 0..events {
        log.append(event(number).as_bytes())?;
    }
    log.close().map(drop)
}

fn append_packed(events: u64) -> Result<(), Error> {
    let log = open()?;
    let mut first = 0;
    while first < events {
        let end = events.min(first.saturating_add(PACKET_EVENTS));
        let packet: String = (first..end).map(|number| event(number) + "\n").collect();
        log.append_lines(packet.as_bytes())?;
        first = end;
    }
    log.close().map(drop)
}

/// 200 bytes without the LF.
fn event(number: u64) -> String {
    let start = format!(r#"{{"number":{number},"filler":""#);
    let end = "\"}";
    let filler = EVENT_BYTES.saturating_sub(start.len() + end.len());
    format!("{start}{}{end}", "x".repeat(filler))
}

fn open() -> Result<Log, Error> {
    let options = Options {
        flush_threshold: Some(100_000),
        flush_bytes: None,
        flush_interval_ms: None,
        event_bytes_max: None,
        buffer_bytes_max: None,
    };
    Log::open(LABEL, options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_its_size() {
        for number in [0, 7, 1_234_567_890] {
            assert_eq!(event(number).len(), EVENT_BYTES);
        }
    }
}
