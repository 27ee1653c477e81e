//! The errors of the logic, one kind for each reaction of the caller.
//!
//! Mirrors the `error` variant of the WIT, one to one, so that the shell only converts.

use std::fmt;

use crate::ports::{StoreError, StoreErrorKind};
use quantities::{count, size};

pub(crate) mod quantities;

/// A failed operation on a log. Nothing is lost by any of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Fix the call: the text names the value and the range.
    #[error("{0}")]
    InvalidInput(String),
    /// Fix the event or leave it out; the call appended nothing.
    #[error("line {line}: {fault}")]
    InvalidEvent { line: u64, fault: EventFault },
    /// Flush again; everything is kept.
    #[error(transparent)]
    WriteFailed(WriteFailure),
    /// Repeat the call.
    #[error("{message}")]
    StoreFailed { message: String, transient: bool },
    /// Stop and restore the object.
    #[error(transparent)]
    Damaged(Damage),
    /// Fix the name, or append first.
    #[error(transparent)]
    NoLog(NoLog),
    /// Another compactor won every time; no action is needed.
    #[error("{0}")]
    Conflict(String),
    /// The store, or this version, does not support the operation.
    #[error("{0}")]
    Unsupported(String),
    /// The handle was closed.
    #[error("the log was closed: open it again")]
    Closed,
}

impl Error {
    /// The error of a read, list or delete that the store failed.
    pub(crate) fn store(doing: &str, what: &str, error: &StoreError) -> Self {
        if error.kind == StoreErrorKind::NotAnObject {
            let found = format!("something else: {}", of_the_object(&error.message, what));
            return Self::Damaged(Damage::new(what, REGULAR_FILE, found));
        }
        // A message names the object. One that also names the action is complete.
        let message = match error.message.starts_with("cannot ") {
            true => error.message.clone(),
            false => format!("cannot {doing} {what}: {}", error.message),
        };
        Self::StoreFailed { message, transient: error.is_transient() }
    }
}

/// The reason why a line is not an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventFault {
    #[error("the event is empty: an event has at least one byte")]
    Empty,
    #[error("the event has a line feed inside: an event is one line")]
    LineFeed,
    #[error("the event has {}, more than event_bytes_max = {bytes_max}", size(*bytes))]
    TooLong { bytes: u64, bytes_max: u64 },
    #[error("the last line does not end with a line feed")]
    Unterminated,
}

/// The three fates of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteFate {
    Durable,
    NotWritten,
    Unknown,
}

impl fmt::Display for WriteFate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Durable => "the object is durable",
            Self::NotWritten => "the object was not written",
            Self::Unknown => "the object may have been written",
        })
    }
}

/// A write that did not succeed. The events are kept, in order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot write {object}: {fate}{}: {message}", kept(*events_pending))]
pub struct WriteFailure {
    pub object: String,
    pub fate: WriteFate,
    pub events_pending: u64,
    pub message: String,
    pub transient: bool,
}

/// The part of a message about the events that the writer keeps; empty where it keeps none.
fn kept(events: u64) -> String {
    match events {
        0 => String::new(),
        events => format!("; {} kept in memory", count(events, "event is", "events are")),
    }
}

impl WriteFailure {
    /// Returns whether the same write failed in the same way, with any number of events pending.
    pub(crate) fn repeats(&self, earlier: &Self) -> bool {
        self.object == earlier.object && self.message == earlier.message
    }

    pub(crate) fn new(
        object: &str,
        fate: WriteFate,
        error: &StoreError,
        events_pending: u64,
    ) -> Self {
        Self {
            object: object.to_owned(),
            fate,
            events_pending,
            message: of_the_object(&error.message, object),
            transient: error.is_transient(),
        }
    }
}

/// Returns the message of a store for a text that names the object already: its name is long.
pub(crate) fn of_the_object(message: &str, object: &str) -> String {
    let named = message.split_once('"');
    let named = named.and_then(|(action, rest)| Some((action, rest.strip_prefix(object)?)));
    match named.and_then(|(action, rest)| Some((action, rest.strip_prefix('"')?))) {
        Some((action, rest)) => [action, "the object", rest].concat(),
        None => message.to_owned(),
    }
}

/// A log of which the store has no object, although the call needs one.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("there is no log {name}")]
pub struct NoLog {
    pub name: String,
    /// Logs below that name, sorted.
    pub below: Vec<String>,
    /// More logs may exist.
    pub more: bool,
}

/// An object that differs from its name, index or manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{object} is damaged: expected {expected}, found {found}")]
pub struct Damage {
    /// The object: its own name in formats, its key once a driver reports it.
    pub object: String,
    pub expected: String,
    pub found: String,
}

/// The expectation where something other than an object has an object's key.
const REGULAR_FILE: &str = "a regular file";

/// The finding where an object is gone.
const ABSENT: &str = "no such object";

impl Damage {
    /// Returns true if the object is gone.
    pub(crate) fn is_absence(&self) -> bool {
        self.found == ABSENT
    }

    /// The damage of a key under which something other than an object was found.
    pub(crate) fn intruder(key: String, found: impl Into<String>) -> Self {
        Self::new(key, REGULAR_FILE, found)
    }

    /// Returns true if something other than an object has the object's key.
    pub(crate) fn is_intruder(&self) -> bool {
        self.expected == REGULAR_FILE
    }

    pub(crate) fn new(
        object: impl fmt::Display,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self { object: object.to_string(), expected: expected.into(), found: found.into() }
    }
}

impl StoreError {
    /// Returns true if a later retry may succeed.
    pub fn is_transient(&self) -> bool {
        match self.kind {
            StoreErrorKind::Unavailable | StoreErrorKind::Other => true,
            StoreErrorKind::NotFound
            | StoreErrorKind::NotAnObject
            | StoreErrorKind::PermissionDenied
            | StoreErrorKind::Unsupported
            | StoreErrorKind::Invalid => false,
        }
    }
}
