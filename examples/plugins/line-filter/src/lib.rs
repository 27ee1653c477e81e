//! Keeps the lines that are UTF-8 text without control characters, and journals the others to the
//! log `rejects`. This is a plugin of the world `line-filter`, which `examples/own_world.rs` runs.

#[allow(clippy::all, clippy::restriction, unsafe_code, unreachable_pub, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: ["../../../wit", "world.wit"],
        world: "stratalog:samples/line-filter",
        generate_all,
    });
}

use std::cell::OnceCell;

use bindings::stratalog::log::append_log::Log;
use bindings::stratalog::log::types::Options;

struct Filter;

#[allow(unsafe_code, reason = "generated")]
mod exported {
    use super::{Filter, bindings};

    bindings::export!(Filter with_types_in bindings);
}

thread_local! {
    /// Opened by the first rejected line. The host closes it.
    static REJECTS: OnceCell<Option<Log>> = const { OnceCell::new() };
}

impl bindings::Guest for Filter {
    fn keep(line: String) -> bool {
        let keep = !line.chars().any(char::is_control);
        if !keep {
            REJECTS.with(|rejects| {
                if let Some(log) = rejects.get_or_init(open) {
                    journal(log, &line);
                }
            });
        }
        keep
    }
}

fn open() -> Option<Log> {
    let options = Options {
        flush_threshold: None,
        flush_bytes: None,
        flush_interval_ms: None,
        event_bytes_max: None,
        buffer_bytes_max: None,
        creates_max: None,
    };
    let opened = Log::open("rejects", options);
    opened.inspect_err(|error| eprintln!("cannot open the log rejects: {error:?}")).ok()
}

/// Journals a rejected line, escaped: an event is one line without control characters.
fn journal(log: &Log, line: &str) {
    let event = line.escape_default().to_string();
    if let Err(error) = log.append(event.as_bytes()) {
        eprintln!("cannot append to the log rejects: {error:?}");
    }
}
