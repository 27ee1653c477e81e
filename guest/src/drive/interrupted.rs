//! The reason why work on a log stopped: an object is gone, or a call failed.
//!
//! 1. A listed or named object that is gone was compacted, usually: the log is loaded again. The
//!    caller decides how often, and which error the last time is.

use crate::decide::source::SourceObject;
use crate::error::Error;

/// The reason why work stopped.
pub(crate) enum Interrupted {
    /// The object does not exist (any more): load the log again.
    Gone(Box<SourceObject>),
    Failed(Error),
}

impl From<Error> for Interrupted {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<SourceObject> for Interrupted {
    fn from(gone: SourceObject) -> Self {
        Self::Gone(Box::new(gone))
    }
}

/// Returns None if an object is gone.
pub(crate) fn unless_gone<T>(outcome: Result<T, Interrupted>) -> Result<Option<T>, Error> {
    match outcome {
        Ok(done) => Ok(Some(done)),
        Err(Interrupted::Gone(_)) => Ok(None),
        Err(Interrupted::Failed(error)) => Err(error),
    }
}
