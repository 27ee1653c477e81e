//! The errors of the library as a plugin may know them.
//!
//! 1. No URL, no credential, no name of a log: a plugin gets labels, kinds and numbers. The cause
//!    goes to the host's own log messages.

use super::wit;
use crate::error::{Error, EventFault, WriteFate};
use crate::sandbox::imports::access::KeyScope;

impl KeyScope {
    /// Converts the failure of a call on this log.
    pub(super) fn refuse(&self, error: Error) -> wit::Error {
        if !matches!(
            error,
            Error::InvalidInput(_)
                | Error::InvalidEvent { .. }
                | Error::NoLog { .. }
                | Error::Denied(_)
                | Error::LimitReached(_)
                | Error::Closed
        ) {
            tracing::warn!(target: "stratalog::plugin", "the log {}: {error}", self.name);
        }
        let label = &self.name;
        match error {
            Error::InvalidInput(message) => wit::Error::InvalidInput(message),
            Error::InvalidEvent { line, fault } => {
                wit::Error::InvalidEvent(wit::InvalidEvent { line, fault: fault.into() })
            }
            Error::WriteFailed { object, fate, events_held, message: _, transient } => {
                wit::Error::WriteFailed(wit::WriteFailure {
                    object: self.object(&object),
                    fate: fate.into(),
                    events_held,
                    message: format!("the store of the log {label} did not take a batch"),
                    transient,
                })
            }
            Error::StoreFailed { message: _, transient } => failed(label, transient),
            Error::Damaged { object, expected, found } => {
                wit::Error::Damaged(wit::Damage { object: self.object(&object), expected, found })
            }
            // The plugin must not learn of logs below this one.
            Error::NoLog { .. } => {
                let name = label.to_string();
                wit::Error::NoLog(wit::NoLog { name, below: Vec::new(), more: false })
            }
            Error::Conflict(_) => wit::Error::Conflict(format!(
                "other compactors of the log {label} kept winning: nothing to do"
            )),
            Error::Unsupported(_) => wit::Error::Unsupported(format!(
                "the store of the log {label}, or this host, cannot do that: ask the operator"
            )),
            Error::Denied(message) => wit::Error::Denied(message),
            Error::LimitReached(message) => wit::Error::LimitReached(message),
            Error::Closed => wit::Error::Closed,
            Error::Location(_) | Error::Open(_) | Error::Component(_) | Error::Guest(_) => {
                failed(label, false)
            }
        }
    }
}

/// Converts the refusal of a call that was not admitted. Its text is about the plugin's own
/// actions.
pub(super) fn refuse_unlent(error: Error) -> wit::Error {
    match error {
        Error::LimitReached(message) => wit::Error::LimitReached(message),
        error => wit::Error::Denied(error.to_string()),
    }
}

fn failed(label: &str, transient: bool) -> wit::Error {
    let message =
        format!("the store of the log {label} did not answer: the host's messages say why");
    wit::Error::StoreFailed(wit::StoreFailure { message, transient })
}

impl From<EventFault> for wit::EventFault {
    fn from(fault: EventFault) -> Self {
        match fault {
            EventFault::Empty => Self::Empty,
            EventFault::LineFeed => Self::LineFeed,
            EventFault::TooLong { bytes, bytes_max } => {
                Self::TooLong(wit::TooLong { bytes, bytes_max })
            }
            EventFault::Unterminated => Self::Unterminated,
        }
    }
}

impl From<WriteFate> for wit::WriteFate {
    fn from(fate: WriteFate) -> Self {
        match fate {
            WriteFate::Durable => Self::Durable,
            WriteFate::NotWritten => Self::NotWritten,
            WriteFate::Unknown => Self::Unknown,
        }
    }
}
