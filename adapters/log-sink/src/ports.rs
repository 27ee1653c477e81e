//! The log and the system, as the sink needs them.

use std::time::Duration;

/// A failed call of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// True if another name or other options may help.
    pub is_of_input: bool,
    /// The cause, for people.
    pub message: String,
}

/// An open log.
pub trait Log {
    /// Appends one event to the buffer of the log.
    ///
    /// # Errors
    /// The event was not appended.
    fn append(&mut self, event: &[u8]) -> Result<(), Failure>;

    /// Makes all events durable.
    ///
    /// # Errors
    /// The log keeps all events.
    fn flush(&mut self) -> Result<(), Failure>;

    /// Does what is due, without a wait for the store.
    fn tick(&mut self);

    /// Returns the number of events that may not be durable yet.
    fn pending(&self) -> u64;
}

/// The clocks, stderr, and a log.
pub trait System {
    /// The log that it opens.
    type Log: Log;

    /// Opens a log that seals its buffer at this age.
    ///
    /// # Errors
    /// The name cannot be used, or the store fails.
    fn open(&mut self, name: &str, age_ms: u32) -> Result<Self::Log, Failure>;

    /// Returns the time, in microseconds since 1970.
    fn unix_micros(&self) -> u64;

    /// Returns the time since some instant; it never steps back.
    fn elapsed(&self) -> Duration;

    /// Writes a line to stderr.
    fn say(&mut self, line: &str);
}
