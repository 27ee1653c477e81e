//! The interface between the store and the sender of its requests.
//!
//! Everything above it is plain Rust and runs natively, too. No call but [`Transport::wait`]
//! blocks.

use std::time::Duration;

use bytes::Bytes;

use crate::request::Outgoing;

/// The longest body of an answer, in bytes. Objects are read in pieces that are smaller.
pub const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// An answer, with its whole body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    pub status: u16,
    /// Names in small letters.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

/// Describes a request without a whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The cause.
    pub text: String,
    /// False if the request certainly did not reach the server.
    pub may_have_arrived: bool,
    /// True if a retry would fail alike.
    pub is_permanent: bool,
}

/// Sends requests, and measures time.
pub trait Transport: 'static {
    /// A request in flight. Dropping it abandons the request.
    type Exchange: 'static;

    /// Starts to send a request.
    fn send(&self, request: Outgoing) -> Self::Exchange;

    /// Continues, and returns the end of the exchange if it has one. Is not called again after it.
    fn advance(&self, exchange: &mut Self::Exchange) -> Option<Result<Answer, Broken>>;

    /// Returns the number of bytes that were sent and received.
    fn moved(&self, exchange: &Self::Exchange) -> u64;

    /// Waits until one of the exchanges may continue, at most this long.
    fn wait(&self, exchanges: &[&Self::Exchange], at_most: Duration);

    /// Returns the time since any fixed moment. It never moves back.
    fn monotonic(&self) -> Duration;

    /// Returns the time since 1970.
    fn since_1970(&self) -> Duration;
}

impl Answer {
    /// Returns the value of a header, whose name has small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.trim())
    }

    /// Returns whether the status is a success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Broken {
    /// Makes the failure of an exchange that may have reached the server.
    pub fn midway(text: impl Into<String>) -> Self {
        Self { text: text.into(), may_have_arrived: true, is_permanent: false }
    }
}
