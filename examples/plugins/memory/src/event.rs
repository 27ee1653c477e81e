//! Encodes and decodes the events of a memory in its log: one JSON object each, with only these
//! fields.
//!
//! 1. A decoded event is within the limits here. The log may hold anything.
//! 2. An id is computed from the key and the text, never taken from an event.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The most bytes of a key; it has at least 1.
pub(crate) const KEY_BYTES_MAX: usize = 256;
/// The most bytes of a text or a reason; it has at least 1. Far below the log's own limit of 1 MiB,
/// so that the escaped JSON fits, too.
pub(crate) const TEXT_BYTES_MAX: usize = 64 * 1024;

/// A change of a memory. Times are in microseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "memory", deny_unknown_fields)]
pub(crate) enum Event {
    /// A text is added, or repeated.
    #[serde(rename = "upsert.1")]
    Upsert { at: u64, key: String, text: String },
    /// A text replaces another.
    #[serde(rename = "revise.1")]
    Revise { at: u64, parent: Id, key: String, text: String },
    /// A text is no longer valid.
    #[serde(rename = "retire.1")]
    Retire { at: u64, id: Id, reason: String },
}

impl Event {
    /// Decodes a line of the log.
    ///
    /// # Errors
    /// The reason why the line is not an event of a memory.
    pub(crate) fn decode(line: &[u8]) -> Result<Self, String> {
        let event: Self = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        match &event {
            Self::Upsert { key, text, .. } | Self::Revise { key, text, .. } => {
                check_key(key).and_then(|()| check_text("text", text))
            }
            Self::Retire { reason, .. } => check_text("reason", reason),
        }?;
        Ok(event)
    }

    /// Encodes the line for the log, without LF.
    pub(crate) fn encode(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

/// Checks a key: one line, not too long.
///
/// # Errors
/// The fault of the key.
pub(crate) fn check_key(key: &str) -> Result<(), String> {
    if key.chars().any(char::is_control) {
        return Err("a key has no control characters".to_owned());
    }
    check_length("key", key, KEY_BYTES_MAX)
}

/// Checks a text or a reason. It may have many lines.
///
/// # Errors
/// The fault of the text.
pub(crate) fn check_text(what: &str, text: &str) -> Result<(), String> {
    check_length(what, text, TEXT_BYTES_MAX)
}

fn check_length(what: &str, text: &str, max: usize) -> Result<(), String> {
    if (1..=max).contains(&text.len()) {
        return Ok(());
    }
    Err(format!("a {what} has 1 to {max} bytes, this one has {}", text.len()))
}

/// Identifies a text under a key: the first 16 bytes of a SHA-256, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Id(String);

impl Id {
    const BYTES: usize = 16;

    pub(crate) fn of(key: &str, text: &str) -> Self {
        let mut digest = Sha256::new();
        // A key has no NUL, so two different pairs are never the same bytes.
        for part in [key.as_bytes(), b"\0", text.as_bytes()] {
            digest.update(part);
        }
        let bytes = digest.finalize();
        Self(bytes.iter().take(Self::BYTES).map(|byte| format!("{byte:02x}")).collect())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Id {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if text.len() == 2 * Self::BYTES && is_hex {
            return Ok(Self(text));
        }
        Err(format!("an id has {} lower-case hexadecimal digits", 2 * Self::BYTES))
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_decoded_as_they_were_encoded() {
        let parent = Id::of("k", "a");
        let (key, text) = ("k".to_owned(), "two\nlines \u{1f600} \"".to_owned());
        for event in [
            Event::Upsert { at: 1, key: key.clone(), text: text.clone() },
            Event::Revise { at: u64::MAX, parent: parent.clone(), key, text: text.clone() },
            Event::Retire { at: 0, id: parent, reason: text },
        ] {
            let line = event.encode().unwrap();
            assert!(!line.contains('\n'));
            assert_eq!(Event::decode(line.as_bytes()).unwrap(), event);
        }
        let line = r#"{"memory":"upsert.1","at":7,"key":"k","text":"a"}"#;
        let event = Event::Upsert { at: 7, key: "k".to_owned(), text: "a".to_owned() };
        assert_eq!((event.encode().unwrap().as_str(), Id::of("k", "a").as_str().len()), (line, 32));
    }

    #[test]
    fn text_that_is_no_event_is_refused() {
        let long = "x".repeat(TEXT_BYTES_MAX + 1);
        let table = [
            ("", "EOF"),
            ("null", "invalid type"),
            (r#"{"error":"disk full"}"#, "missing field `memory`"),
            (r#"{"memory":"upsert.2","at":7,"key":"k","text":"a"}"#, "unknown variant"),
            (r#"{"memory":"upsert.1","at":-7,"key":"k","text":"a"}"#, "invalid value"),
            (r#"{"memory":"upsert.1","at":7,"key":"k","text":"a","x":1}"#, "unknown field"),
            (r#"{"memory":"upsert.1","at":7,"key":"k\n","text":"a"}"#, "no control characters"),
            (r#"{"memory":"upsert.1","at":7,"key":"","text":"a"}"#, "a key has 1 to 256 bytes"),
            (r#"{"memory":"retire.1","at":7,"id":"0","reason":"a"}"#, "32 lower-case"),
            (
                &format!(r#"{{"memory":"upsert.1","at":7,"key":"k","text":"{long}"}}"#),
                "this one has 65537",
            ),
        ];
        for (line, reason) in table {
            let error = Event::decode(line.as_bytes()).unwrap_err();
            assert!(error.contains(reason), "{line}: {error}");
        }
    }
}
