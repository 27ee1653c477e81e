//! An event that was read.

use std::borrow::Cow;
use std::time::SystemTime;

/// An event that was read from a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The bytes of the event, without a line feed.
    pub bytes: Vec<u8>,
    /// The time of the batch of the event; none if it is not in a batch yet.
    pub time: Option<SystemTime>,
}

impl Event {
    /// Returns the event as text. Bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    /// Returns the value that the event has as JSON.
    ///
    /// # Errors
    /// An event that is no JSON, or not that of the type.
    #[cfg(feature = "serde")]
    pub fn json<'a, T: serde::Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.bytes)
    }
}
