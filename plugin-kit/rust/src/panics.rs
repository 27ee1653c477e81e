//! Panics as events of a log.

use std::collections::BTreeMap;
use std::panic;

use crate::Log;
use crate::journal::Journal;

/// Appends each panic to a log and flushes it, then calls the hook that was set before.
///
/// A component that panics traps, and ends. The event is
/// `{"time":"…","level":"critical","context":"…","message":"…"}`, whose context is the place, such
/// as `src/main.rs:12:5`.
pub fn journal_panics(log: Log) {
    let journal = Journal::new(log);
    let previous = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let text = info.payload_as_str().unwrap_or("a value that is not a text");
        journal.add("critical", &place, text, &BTreeMap::new());
        journal.flush();
        previous(info);
    }));
}
