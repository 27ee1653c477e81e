//! Checking that an answer of a store on the network is the reply to its request.
//!
//! Owns: which answer can be the reply to which request, and the error about any other.
//! Must not know: the use of a reply, or how often a request is repeated.
//!
//! 1. No answer is used before it was checked. The checks cover its status, its root element, the
//!    prefix or the keys that it names, and its statement of completeness.
//! 2. A request whose answer is cut short is repeated. An answer that is whole and wrong is final:
//!    a login page, or another server, will answer the retry too.
//! 3. The name of the bucket is not checked: aliases and access points answer with another name.
//! 4. Only the success statuses that the store documents for the request count.
//! 5. A code that AWS calls transient causes a repetition, independent of the status of the answer.

mod asked;
mod checksum;
mod code;
mod deletes;
mod listing;
mod page;
mod status;
mod uploads;
mod verdict;
mod xml;

use crate::numbers::{size, to_u64};
use std::fmt;

pub(super) use asked::{Asked, Protocol};
pub(super) use checksum::{Checking, Checksum};
pub(super) use verdict::{Judge, Verdict, of_failure};

/// The longest name of a foreign element, key or type that a message shows, in characters.
const SHOWN_CHARS_MAX: usize = 120;

/// An answer that is not the reply to its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WrongReply {
    /// The expected answer, such as `a listing`.
    expected: &'static str,
    /// The difference that was found.
    found: String,
    /// The answer is cut short, so the next one may be whole.
    pub(super) is_broken: bool,
}

impl WrongReply {
    /// Describes a whole answer that is something else.
    fn other(expected: &'static str, found: impl Into<String>) -> Self {
        Self { expected, found: found.into(), is_broken: false }
    }

    /// Describes an answer that is larger than the host accepts.
    pub(super) fn too_large(bytes_max: usize) -> Self {
        Self::other(
            "an answer of a store",
            format!("the body has more than {}", size(to_u64(bytes_max))),
        )
    }

    /// Describes an answer that is cut short.
    fn broken(expected: &'static str, found: impl Into<String>) -> Self {
        Self { expected, found: found.into(), is_broken: true }
    }
}

impl fmt::Display for WrongReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { expected, found, is_broken } = self;
        write!(f, "the server's answer is not {expected}: {found}")?;
        match is_broken {
            true => f.write_str("; try again"),
            false => f.write_str("; check the endpoint, and for a login page or a proxy before it"),
        }
    }
}

impl std::error::Error for WrongReply {}

/// A refusal that no repetition changes, although the library would repeat it because of its
/// status.
#[derive(Debug, thiserror::Error)]
#[error("Server returned non-2xx status code: {status}: {body}")]
pub(super) struct Refused {
    pub(super) status: http::StatusCode,
    body: String,
}

/// Shortens a foreign text for a message.
fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}
