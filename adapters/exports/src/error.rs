//! The errors of a store, as the contract has them.
//!
//! A write is "not written" only when that is certain. Anything else is "unknown".

/// Determines the caller's reaction to a [`StoreError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// The object, the bucket or the folder does not exist.
    NotFound,
    /// The object's place has something other than an object. It was not touched.
    NotAnObject,
    /// The store refuses: credentials, a policy, or a read-only folder.
    PermissionDenied,
    /// The store cannot be reached, is overloaded, full or too slow.
    Unavailable,
    /// The store lacks the ability.
    Unsupported,
    /// The request itself is wrong: a bad key, range or setting.
    Invalid,
    /// Anything else; the message has the store's own words.
    Other,
}

/// Describes a failed operation of a store: its kind and a message without secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    /// The kind, which determines the caller's reaction.
    pub kind: StoreErrorKind,
    /// The action, the object, the store and the cause.
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
    /// A durable object of that key exists. It may be the caller's own earlier attempt.
    #[error("an object of that name already exists")]
    AlreadyExists,
    /// Nothing was written, for certain.
    #[error("not written: {0}")]
    NotWritten(#[source] StoreError),
    /// The object may exist, now or shortly.
    #[error("unknown whether written: {0}")]
    Unknown(#[source] StoreError),
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadFailure {
    /// The number of the range that failed, from 0. All ranges before it were delivered whole.
    pub number: usize,
    /// The cause.
    pub error: StoreError,
}
