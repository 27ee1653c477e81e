//! A record as one event: an object of JSON on one line.
//!
//! 1. An event has no control character, so it is one line, and cannot control a terminal.
//! 2. An event is never longer than the log accepts: a text is cut, and the event says so.

use std::fmt::{self, Write as _};

use stratalog_store_rules::log_level::Level;

use crate::timestamp::Timestamp;

/// The most bytes of an event, as the log is opened with.
pub const EVENT_BYTES_MAX: u32 = 1024 * 1024;

/// The most bytes of an encoded context. It is a name of a place, not a text.
const CONTEXT_BYTES_MAX: usize = 4 * 1024;

/// The most bytes of an encoded message: leaves room for the context and the names.
const MESSAGE_BYTES_MAX: usize = 1024 * 1024 - 8 * 1024;

/// The context of the events of the sink itself.
const OWN_CONTEXT: &str = "stratalog-log-sink";

/// A message that a component logged.
pub struct Record<'a> {
    pub time: Timestamp,
    pub level: Level,
    pub context: &'a str,
    pub message: &'a str,
}

impl Record<'_> {
    /// Returns the record as an event, without an LF.
    pub fn event(&self) -> String {
        let mut event = self.begun();
        event.push('}');
        event
    }

    /// Returns the event without its last brace.
    fn begun(&self) -> String {
        let Self { time, level, context, message } = self;
        let mut event = String::with_capacity(80 + context.len() + message.len());
        add(&mut event, format_args!("{{\"time\":\"{time}\",\"level\":\"{}\"", level.name()));
        event.push_str(",\"context\":\"");
        let mut cut = add_escaped(&mut event, context, CONTEXT_BYTES_MAX);
        event.push_str("\",\"message\":\"");
        cut += add_escaped(&mut event, message, MESSAGE_BYTES_MAX);
        event.push('"');
        if cut > 0 {
            add(&mut event, format_args!(",\"cut_bytes\":{cut}"));
        }
        event
    }
}

/// Returns the event that reports dropped records.
pub fn dropped(time: Timestamp, records: u64, since: Timestamp, cause: &str) -> String {
    let are = if records == 1 { "record was" } else { "records were" };
    let message = format!("{records} {are} dropped since {since}: {cause}");
    let record = Record { time, level: Level::Warn, context: OWN_CONTEXT, message: &message };
    let mut event = record.begun();
    add(&mut event, format_args!(",\"dropped\":{records}}}"));
    event
}

/// Adds a text as the inside of a JSON string, and returns the bytes of the text that were left
/// out.
fn add_escaped(event: &mut String, text: &str, bytes_max: usize) -> usize {
    let begin = event.len();
    for (offset, character) in text.char_indices() {
        let before = event.len();
        match character {
            '"' => event.push_str("\\\""),
            '\\' => event.push_str("\\\\"),
            '\n' => event.push_str("\\n"),
            '\r' => event.push_str("\\r"),
            '\t' => event.push_str("\\t"),
            control if control.is_control() => {
                add(event, format_args!("\\u{:04x}", u32::from(control)));
            }
            other => event.push(other),
        }
        if event.len() - begin > bytes_max {
            event.truncate(before);
            return text.len() - offset;
        }
    }
    0
}

/// Adds a formatted text. A `String` accepts every text.
fn add(event: &mut String, text: fmt::Arguments<'_>) {
    event.write_fmt(text).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(context: &str, message: &str) -> String {
        Record { time: Timestamp(1_500_000), level: Level::Info, context, message }.event()
    }

    #[test]
    fn record_becomes_one_object() {
        assert_eq!(
            event("shop", "sold"),
            r#"{"time":"1970-01-01T00:00:01.500000Z","level":"info","context":"shop","message":"sold"}"#
        );
    }

    #[test]
    fn characters_are_escaped_that_end_a_string_or_a_line() {
        let wild = event("a\"b\\", "\0\u{1}\n\r\t\u{7f}\u{85}\u{1b}[2J\u{2028}größe 日本 🦀");
        assert!(wild.contains(r#""context":"a\"b\\","#), "{wild}");
        let message = "\\u0000\\u0001\\n\\r\\t\\u007f\\u0085\\u001b[2J\u{2028}größe 日本 🦀";
        assert!(wild.ends_with(&format!("\"message\":\"{message}\"}}")), "{wild}");
        assert!(!wild.chars().any(char::is_control));
    }

    #[test]
    fn long_texts_are_cut_between_characters_and_counted() {
        let limit = usize::try_from(EVENT_BYTES_MAX).unwrap();
        for message in ["x".repeat(3_000_000), "\0".repeat(3_000_000), "🦀".repeat(600_000)] {
            let long = event(&"ü".repeat(50_000), &message);
            assert!(long.len() <= limit && long.len() > limit - 16 * 1024, "{}", long.len());
            let (_, cut) = long.rsplit_once(",\"cut_bytes\":").unwrap();
            let cut: usize = cut.trim_end_matches('}').parse().unwrap();
            assert!(cut > 0 && cut < message.len() + 100_000, "{cut}");
        }
        let whole = event("", &"x".repeat(MESSAGE_BYTES_MAX));
        assert!(!whole.contains("cut_bytes") && whole.len() <= limit);
    }

    #[test]
    fn report_of_dropped_records_has_their_number() {
        let event = dropped(Timestamp(2_000_000), 3, Timestamp(0), "no \"disk\"");
        assert!(event.contains(r#""level":"warn","context":"stratalog-log-sink""#), "{event}");
        let end = r#"3 records were dropped since 1970-01-01T00:00:00.000000Z: no \"disk\"","dropped":3}"#;
        assert!(event.ends_with(end), "{event}");
    }
}
