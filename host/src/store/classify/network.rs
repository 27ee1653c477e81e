//! The facts that errors of a store on the network hold.

use std::error::Error;

use object_store::client::{HttpError, HttpErrorKind};
use stratalog_store_rules::reply::wrong::WrongReply;

use crate::store::reply::Refused;

/// The way in which a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HttpFailure {
    /// It was not answered.
    Way,
    /// The answer could not be read.
    Answer,
}

impl HttpFailure {
    /// Returns the failure that an error states by itself, without its causes.
    pub(super) fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        Some(match error.downcast_ref::<HttpError>()?.kind() {
            HttpErrorKind::Decode => Self::Answer,
            _ => Self::Way,
        })
    }
}

/// Returns the text about an answer that is not the reply to its request.
pub(super) fn wrong_reply(error: &(dyn Error + 'static)) -> Option<String> {
    error.downcast_ref::<WrongReply>().map(ToString::to_string)
}

/// Returns the status of a refusal.
pub(super) fn refused(error: &(dyn Error + 'static)) -> Option<u16> {
    error.downcast_ref::<Refused>().map(|refused| refused.status.as_u16())
}
