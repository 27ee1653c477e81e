//! The errors of the library, by the reaction of the caller.

use std::fmt;

use crate::numbers::count;
use crate::store::{LocationError, OpenError, StoreError, StoreErrorKind};
use crate::types::interface as types;
use crate::types::{Damage, InvalidEvent, NoLog, StoreFailure, WriteFailure};

/// The result of an operation on a log.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The reason why an operation failed. Cheap to clone, so that one failure answers all callers that
/// waited for it.
///
/// No message ever contains a credential.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name, option or limit is out of range: fix the call.
    #[error("{0}")]
    InvalidInput(String),
    /// An event is not acceptable: fix it or leave it out. The call took nothing.
    #[error("line {}: {}", .0.line.saturating_add(1), .0.fault)]
    InvalidEvent(InvalidEvent),
    /// The store did not confirm a write. Every event is kept, in order: flush again, later if
    /// [`Error::is_transient`].
    #[error("cannot write {}: {}{}: {}", .0.object, .0.fate, kept(.0.events_pending), .0.message)]
    WriteFailed(WriteFailure),
    /// The store did not answer a read, list or delete: repeat the call.
    #[error("{}", .0.message)]
    StoreFailed(StoreFailure),
    /// An object is not what its name, index or manifest says: stop and restore it.
    #[error("{} is damaged: expected {}, found {}", .0.object, .0.expected, .0.found)]
    Damaged(Damage),
    /// The store has nothing of the log, and the call needs one that exists: fix the name, or
    /// append first.
    #[error("there is no log {}{}", .0.name, shown_below(&.0.below, .0.more))]
    NoLog(NoLog),
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
    /// A value does not serialize, or an event is not the JSON of the wanted type. The feature
    /// `serde` has it.
    #[cfg(feature = "serde")]
    #[error(transparent)]
    Json(JsonError),
    /// The component cannot be used: it is not a component, or not one of a log.
    #[error("{0}")]
    Component(String),
    /// The component failed while it ran: by a trap, or by a limit of [`Limits`](crate::Limits)
    /// that the text names. Its instance is gone, and the events that were not flushed are lost.
    #[error("the log's component failed: {0}")]
    Guest(String),
}

/// As [`Display`](fmt::Display): a `main` that returns an error prints it so.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A value that is no event, or an event that is no such value.
#[cfg(feature = "serde")]
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}: {source}", self.what())]
pub struct JsonError {
    /// The position behind the event; empty for a pass without positions. None for an append.
    pub event: Option<String>,
    /// The reason.
    pub source: std::sync::Arc<serde_json::Error>,
}

#[cfg(feature = "serde")]
impl JsonError {
    fn what(&self) -> String {
        match self.event.as_deref() {
            None => "cannot write the value as JSON".to_owned(),
            Some("") => "the event is not the expected JSON".to_owned(),
            Some(position) => format!("the event before {position} is not the expected JSON"),
        }
    }
}

/// The events that a failed write has kept, for its message. Empty if there are none.
fn kept(events: u64) -> String {
    match events {
        0 => String::new(),
        events => format!("; {} kept in memory", count(events, "event is", "events are")),
    }
}

/// Lists the logs below a name that is not a log, for people.
fn shown_below(below: &[String], more: bool) -> String {
    match (below.is_empty(), more) {
        (true, _) => String::new(),
        (false, false) => format!("; logs below this name: {}", below.join(", ")),
        (false, true) => format!("; logs below this name: {} and more", below.join(", ")),
    }
}

impl Error {
    /// Returns the name of its kind, as in the WIT.
    pub(crate) fn kind_name(&self) -> &'static str {
        match self {
            Self::InvalidInput(_) => "invalid-input",
            Self::InvalidEvent(_) => "invalid-event",
            Self::WriteFailed(_) => "write-failed",
            Self::Damaged(_) => "damaged",
            Self::NoLog(_) => "no-log",
            Self::Conflict(_) => "conflict",
            Self::Unsupported(_) => "unsupported",
            Self::Denied(_) => "denied",
            Self::LimitReached(_) => "limit-reached",
            Self::Closed => "closed",
            Self::StoreFailed(_)
            | Self::Location(_)
            | Self::Open(_)
            | Self::Component(_)
            | Self::Guest(_) => "store-failed",
            #[cfg(feature = "serde")]
            Self::Json(_) => "store-failed",
        }
    }

    /// Returns true if the same call may succeed later without any action.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::WriteFailed(WriteFailure { transient, .. })
            | Self::StoreFailed(StoreFailure { transient, .. }) => *transient,
            Self::Conflict(_) => true,
            Self::InvalidInput(_)
            | Self::InvalidEvent(_)
            | Self::Damaged(_)
            | Self::NoLog(_)
            | Self::Unsupported(_)
            | Self::Denied(_)
            | Self::LimitReached(_)
            | Self::Closed
            | Self::Location(_)
            | Self::Open(_)
            | Self::Component(_)
            | Self::Guest(_) => false,
            #[cfg(feature = "serde")]
            Self::Json(_) => false,
        }
    }
}

impl Error {
    /// Makes the error of a request that the host itself has made to a store.
    pub(crate) fn of_store(error: StoreError) -> Self {
        Self::StoreFailed(store_failure(error))
    }
}

/// Returns the failure of a store without its kind.
pub(crate) fn store_failure(error: StoreError) -> StoreFailure {
    let transient = error.kind == StoreErrorKind::Unavailable;
    StoreFailure { message: error.message, transient }
}

impl From<types::Error> for Error {
    fn from(error: types::Error) -> Self {
        match error {
            types::Error::InvalidInput(message) => Self::InvalidInput(message),
            types::Error::InvalidEvent(event) => Self::InvalidEvent(event),
            types::Error::WriteFailed(failure) => Self::WriteFailed(failure),
            types::Error::StoreFailed(failure) => Self::StoreFailed(failure),
            types::Error::Damaged(damage) => Self::Damaged(damage),
            types::Error::NoLog(absent) => Self::NoLog(absent),
            types::Error::Conflict(message) => Self::Conflict(message),
            types::Error::Unsupported(message) => Self::Unsupported(message),
            types::Error::Denied(message) => Self::Denied(message),
            types::Error::LimitReached(message) => Self::LimitReached(message),
            types::Error::Closed => Self::Closed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_that_main_returns_is_printed_as_its_text() {
        let error = Error::from(LocationError::Empty);
        assert!(error.to_string().contains("write a path"), "{error}");
        assert_eq!(format!("{error:?}"), error.to_string());
    }
}
