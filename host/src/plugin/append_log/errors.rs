//! Converts the library's errors for plugins.
//!
//! 1. A plugin gets labels, kinds and numbers, but no URL, credential or log name. The cause goes
//!    to the host's own log messages.

use crate::error::Error;
use crate::sandbox::imports::access::KeyScope;
use crate::types::interface as wit;
use crate::types::{NoLog, StoreFailure, WriteFailure};

impl KeyScope {
    /// Converts the failure of a commit of a position of this log.
    pub(super) fn refuse_commit(&self, error: Error) -> wit::Error {
        match error {
            Error::Conflict(_) => wit::Error::Conflict(format!(
                "another reader of the log {} has committed under this name; open the log under it \
                 again",
                self.name
            )),
            error => self.refuse(error),
        }
    }

    /// Converts the failure of a call on this log.
    pub(super) fn refuse(&self, error: Error) -> wit::Error {
        if !matches!(
            error,
            Error::InvalidInput(_)
                | Error::InvalidEvent(_)
                | Error::NoLog(_)
                | Error::Denied(_)
                | Error::LimitReached(_)
                | Error::Closed
        ) {
            tracing::warn!(target: "stratalog::plugin", "the log {}: {error}", self.name);
        }
        let label = &self.name;
        match error {
            Error::InvalidInput(message) => wit::Error::InvalidInput(message),
            Error::InvalidEvent(event) => wit::Error::InvalidEvent(event),
            Error::WriteFailed(failure) => wit::Error::WriteFailed(WriteFailure {
                object: self.object(&failure.object),
                message: format!(
                    "the store of the log {label} did not confirm a write: see the host's \
                     messages"
                ),
                ..failure
            }),
            Error::StoreFailed(StoreFailure { transient, .. }) => failed(label, transient),
            Error::Damaged(damage) => wit::Error::Damaged(self.damage(damage)),
            // The plugin must not see the names of logs below this one.
            Error::NoLog(_) => {
                let name = label.to_string();
                wit::Error::NoLog(NoLog { name, below: Vec::new(), more: false })
            }
            Error::Conflict(_) => wit::Error::Conflict(format!(
                "cannot compact the log {label}: other compactors committed first; no action is \
                 needed"
            )),
            Error::Unsupported(_) => wit::Error::Unsupported(format!(
                "the store of the log {label}, or this host, does not support this call: ask the \
                 operator"
            )),
            Error::Denied(message) => wit::Error::Denied(message),
            Error::LimitReached(message) => wit::Error::LimitReached(message),
            Error::Closed => wit::Error::Closed,
            Error::Location(_) | Error::Open(_) | Error::Component(_) | Error::Guest(_) => {
                failed(label, false)
            }
            #[cfg(feature = "serde")]
            Error::Json(_) => failed(label, false),
        }
    }
}

/// Converts the error of a call that was not admitted. Its text has only the plugin's own actions.
pub(super) fn refuse_ungranted(error: Error) -> wit::Error {
    match error {
        Error::LimitReached(message) => wit::Error::LimitReached(message),
        error => wit::Error::Denied(error.to_string()),
    }
}

fn failed(label: &str, transient: bool) -> wit::Error {
    let message = format!("the store of the log {label} did not answer: see the host's messages");
    wit::Error::StoreFailed(StoreFailure { message, transient })
}
