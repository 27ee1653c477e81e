//! The facts that errors of a store on the network would hold, in a program without such stores.

use std::error::Error;

/// As in a program with such stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HttpFailure {
    Way,
    Answer,
}

impl HttpFailure {
    pub(super) fn of(_: &(dyn Error + 'static)) -> Option<Self> {
        None
    }
}

pub(super) fn wrong_reply(_: &(dyn Error + 'static)) -> Option<String> {
    None
}

pub(super) fn refused(_: &(dyn Error + 'static)) -> Option<u16> {
    None
}
