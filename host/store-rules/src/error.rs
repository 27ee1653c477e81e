//! The errors of a store, in the few kinds that a caller can react to.
//!
//! A write is "not written" only when that is certain. Anything else is "unknown".

use std::fmt;

/// Determines the caller's reaction to a [`StoreError`]. The kinds are those of the WIT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreErrorKind {
    /// The object, the bucket or the folder does not exist.
    NotFound,
    /// In a folder the object's place has something other than a regular file, such as a link. It
    /// was not followed and not touched: move it away.
    NotAnObject,
    /// The store refuses: credentials, policy, or a read-only folder. Stop and fix that.
    PermissionDenied,
    /// The store cannot be reached, is overloaded, full or too slow. Try again later.
    Unavailable,
    /// The store lacks the ability. Use another store or another setting.
    Unsupported,
    /// The request itself is wrong: a bad key, range or setting. Fix the input.
    Invalid,
    /// Anything else; the message has the store's own words.
    Other,
}

impl fmt::Display for StoreErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "not found",
            Self::NotAnObject => "not an object",
            Self::PermissionDenied => "permission denied",
            Self::Unavailable => "unavailable",
            Self::Unsupported => "unsupported",
            Self::Invalid => "invalid",
            Self::Other => "other",
        })
    }
}

/// Describes a failed operation of a store: its kind and a message without secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    /// The kind, which determines the caller's reaction.
    pub kind: StoreErrorKind,
    /// The action, the object, the store and the cause, in lower case and free of secrets.
    pub message: String,
}

impl StoreError {
    /// Makes an error of `kind`; the message must already be free of secrets.
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

/// Reports the fate of a write that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// A durable object of that name exists. It may be the caller's own earlier attempt: a get
    /// decides.
    #[error("an object of that name already exists")]
    AlreadyExists,
    /// Nothing was written, for certain.
    #[error("not written: {0}")]
    NotWritten(#[source] StoreError),
    /// The object may exist, now or shortly. Retry with the same name and bytes.
    #[error("unknown whether written: {0}")]
    Unknown(#[source] StoreError),
}

impl WriteError {
    /// Returns the error of the store, or none for [`WriteError::AlreadyExists`].
    pub fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::AlreadyExists => None,
            Self::NotWritten(error) | Self::Unknown(error) => Some(error),
        }
    }
}

/// The outcome of a write.
pub type Outcome = Result<(), WriteError>;

/// Names an object that could not be deleted, and the cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteFailure {
    /// The object's key.
    pub key: String,
    /// The reason why it may still exist.
    pub error: StoreError,
}

/// Reports the range of an ordered read that failed, and the cause.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("range {number}: {error}")]
pub struct OrderedReadError {
    /// The number of the range that failed, from 0. All ranges before it were delivered whole.
    pub number: usize,
    /// The cause.
    pub error: StoreError,
}
