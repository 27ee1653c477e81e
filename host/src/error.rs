//! The errors of the library, by the reaction of the caller.

use std::fmt;

use crate::store::{LocationError, OpenError};

/// The result of an operation on a log.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The reason why an operation failed. Cheap to clone, so that one failure answers all callers that
/// waited for it.
///
/// No message ever contains a credential.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name, option or limit is out of range: fix the call.
    #[error("{0}")]
    InvalidInput(String),
    /// An event is not acceptable: fix it or leave it out. The call took nothing.
    #[error("line {}: {fault}", line + 1)]
    InvalidEvent {
        /// The line of the call, counted from 0.
        line: u64,
        /// The fault of the line.
        fault: EventFault,
    },
    /// The store did not confirm a write. Every event is kept, in order: flush again, later if
    /// [`Error::is_transient`].
    #[error("cannot write {object}: {fate}{}: {message}", kept(*events_held))]
    WriteFailed {
        /// The object that was to be created.
        object: String,
        /// The fate of the write.
        fate: WriteFate,
        /// Events that the handle has in memory now.
        events_held: u64,
        /// The cause that the store reported.
        message: String,
        /// True if a later retry may help.
        transient: bool,
    },
    /// The store did not answer a read, list or delete: repeat the call.
    #[error("{message}")]
    StoreFailed {
        /// The operation that was attempted, and the cause that the store reported.
        message: String,
        /// True if a later retry may help.
        transient: bool,
    },
    /// An object is not what its name, index or manifest says: stop and restore it.
    #[error("{object} is damaged: expected {expected}, found {found}")]
    Damaged {
        /// The object, relative to the store's root.
        object: String,
        /// The expected content.
        expected: String,
        /// The content found.
        found: String,
    },
    /// The store has nothing of the log, and the call needs one that exists: fix the name, or
    /// append first.
    #[error("there is no log {name}{}", shown_below(below, *more))]
    NoLog {
        /// The name in the call, below the store's root.
        name: String,
        /// The logs below that name, sorted: at most 16.
        below: Vec<String>,
        /// True if there may be more.
        more: bool,
    },
    /// Other compactors won every time: no action is needed.
    #[error("{0}")]
    Conflict(String),
    /// The store, or this version, cannot do this. The text says what would help.
    #[error("{0}")]
    Unsupported(String),
    /// The caller was not granted this log, or not this right.
    #[error("{0}")]
    Denied(String),
    /// The caller reached a limit. The text names it, its value and the option that raises it.
    #[error("{0}")]
    LimitReached(String),
    /// The handle was closed.
    #[error("the log was closed: open it again")]
    Closed,
    /// The text that a user typed does not name a log.
    #[error(transparent)]
    Location(#[from] LocationError),
    /// The store could not be opened: an option, credentials, or the folder.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The component cannot be used: it is not a component, or not one of a log.
    #[error("{0}")]
    Component(String),
    /// The component failed while it ran: by a trap, or by a limit of [`Limits`](crate::Limits)
    /// that the text names. Its instance is gone, and the events that were not flushed are lost.
    #[error("the log's component failed: {0}")]
    Guest(String),
}

/// The events that a failed write has kept, for its message. Empty if there are none.
fn kept(events: u64) -> String {
    match events {
        0 => String::new(),
        events => format!("; {events} events are kept in memory"),
    }
}

/// The reason why a line is not an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventFault {
    /// It has no bytes.
    #[error("the event is empty: an event has at least one byte")]
    Empty,
    /// It contains an LF.
    #[error("the event has a line feed inside: an event is one line")]
    LineFeed,
    /// It is over the limit.
    #[error("the event has {bytes} bytes, more than event_bytes_max = {bytes_max}")]
    TooLong {
        /// The number of bytes found, without the LF.
        bytes: u64,
        /// The limit that applies.
        bytes_max: u64,
    },
    /// The last packed line does not end with LF.
    #[error("the last line does not end with a line feed")]
    Unterminated,
}

/// The fate of a write that did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteFate {
    /// It is in the store and stays.
    Durable,
    /// It is not in the store and will not appear.
    NotWritten,
    /// It may be in the store, may appear later, or never. A retry of the flush is safe.
    Unknown,
}

impl fmt::Display for WriteFate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Durable => "it is durable",
            Self::NotWritten => "it was not written",
            Self::Unknown => "whether it was written is unknown",
        })
    }
}

/// Lists the logs below a name that is not a log, for people.
fn shown_below(below: &[String], more: bool) -> String {
    match (below.is_empty(), more) {
        (true, _) => String::new(),
        (false, false) => format!("; below it are {}", below.join(", ")),
        (false, true) => format!("; below it are {} and more", below.join(", ")),
    }
}

impl Error {
    /// Returns true if the same call may succeed later without any action.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::WriteFailed { transient, .. } | Self::StoreFailed { transient, .. } => *transient,
            Self::Conflict(_) => true,
            Self::InvalidInput(_)
            | Self::InvalidEvent { .. }
            | Self::Damaged { .. }
            | Self::NoLog { .. }
            | Self::Unsupported(_)
            | Self::Denied(_)
            | Self::LimitReached(_)
            | Self::Closed
            | Self::Location(_)
            | Self::Open(_)
            | Self::Component(_)
            | Self::Guest(_) => false,
        }
    }
}
