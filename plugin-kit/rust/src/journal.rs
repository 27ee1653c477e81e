//! Records of a program as events of a log: what the facades `log` and `tracing` share.
//!
//! An event is `{"time":"…","level":"…","context":"…","message":"…"}`, as those of the log sink.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use serde::Serialize;

use crate::Log;

/// The most bytes of a message. A longer one is cut.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;

/// A log that takes records. It never fails its caller, and reports what it dropped.
pub(crate) struct Journal {
    state: Mutex<State>,
}

struct State {
    log: Log,
    /// The number of records that the log did not take since it last took one.
    dropped: u64,
}

#[derive(Serialize)]
struct Record<'a> {
    time: String,
    level: &'a str,
    context: &'a str,
    message: &'a str,
    #[serde(flatten)]
    fields: &'a BTreeMap<String, String>,
}

impl Journal {
    pub(crate) fn new(log: Log) -> Self {
        Self { state: Mutex::new(State { log, dropped: 0 }) }
    }

    /// Appends a record with fields of its own.
    pub(crate) fn add(
        &self,
        level: &str,
        context: &str,
        message: &str,
        fields: &BTreeMap<String, String>,
    ) {
        let message = cut(message);
        let time = humantime::format_rfc3339_micros(SystemTime::now()).to_string();
        let record = Record { time, level, context, message, fields };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.dropped > 0 {
            let message = format!("{} records were dropped", state.dropped);
            let fields = &BTreeMap::new();
            let (time, context) = (record.time.clone(), env!("CARGO_PKG_NAME"));
            let report = Record { time, level: "warn", context, message: &message, fields };
            if state.log.append_json(&report).is_ok() {
                state.dropped = 0;
            }
        }
        if state.log.append_json(&record).is_err() {
            state.dropped += 1;
        }
    }

    /// Makes the records durable that were added so far.
    pub(crate) fn flush(&self) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = state.log.flush() {
            eprintln!("warning: {error}");
        }
    }
}

/// Returns the beginning of a message that is too long.
fn cut(message: &str) -> &str {
    message.get(..message.floor_char_boundary(MESSAGE_BYTES_MAX)).unwrap_or(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_is_cut_between_characters() {
        assert_eq!(cut("short"), "short");
        let long = format!("{}é", "x".repeat(MESSAGE_BYTES_MAX - 1));
        assert_eq!(cut(&long).len(), MESSAGE_BYTES_MAX - 1);
    }

    #[test]
    fn record_is_one_line_of_json_with_its_fields() {
        let fields = BTreeMap::from([("user".to_owned(), "a\nb".to_owned())]);
        let time = "2026-01-31T12:00:00.000000Z".to_owned();
        let (level, context, message) = ("info", "shop", "sold\n");
        let record = Record { time, level, context, message, fields: &fields };
        let expected = r#"{"time":"2026-01-31T12:00:00.000000Z","level":"info","context":"shop","message":"sold\n","user":"a\nb"}"#;
        assert_eq!(serde_json::to_string(&record).unwrap(), expected);
    }
}
