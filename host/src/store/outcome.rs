//! The outcomes of operations and requests, as metrics and spans have them.
//!
//! Owns: the words. Must not know: the numbers of either.

use stratalog_store_rules::error::{StoreError, StoreErrorKind, WriteError};

use crate::telemetry::OK;

/// The result of an operation's work.
pub(super) trait Outcome {
    /// Returns the word for it.
    fn outcome(&self) -> &'static str;
}

/// The outcome of deletes: true if one of them failed.
pub(super) struct Deleted {
    pub(super) has_failed: bool,
}

impl Outcome for Deleted {
    fn outcome(&self) -> &'static str {
        if self.has_failed { "failed" } else { OK }
    }
}

impl<T> Outcome for Result<T, StoreError> {
    fn outcome(&self) -> &'static str {
        self.as_ref().err().map_or(OK, of_error)
    }
}

impl Outcome for Result<(), WriteError> {
    fn outcome(&self) -> &'static str {
        match self {
            Ok(()) => OK,
            Err(WriteError::AlreadyExists) => "exists",
            Err(WriteError::NotWritten(error) | WriteError::Unknown(error)) => of_error(error),
        }
    }
}

fn of_error(error: &StoreError) -> &'static str {
    match error.kind {
        StoreErrorKind::NotFound => "not-found",
        StoreErrorKind::NotAnObject => "not-an-object",
        StoreErrorKind::PermissionDenied => "permission-denied",
        StoreErrorKind::Unavailable => "unavailable",
        StoreErrorKind::Unsupported => "unsupported",
        StoreErrorKind::Invalid => "invalid",
        StoreErrorKind::Other => "other",
    }
}

/// Returns the word for an action.
pub(super) fn of_action(action: &'static str) -> &'static str {
    match action {
        "check before creating" => "check",
        "start writing" => "upload-start",
        "write a part of" => "upload-part",
        "finish writing" => "upload-finish",
        "abort writing" => "upload-abort",
        action => action,
    }
}
