//! Holding an answer of a store on the network against the request that it came for.
//!
//! Owns: which answer can be the reply to which request, and the complaint about any other.
//! Must not know: what an operation does with a reply, or how often a request is repeated.
//!
//! 1. An answer means nothing before it was checked: its status, its root element, the prefix or
//!    the keys that it names, and that it says whether it is all.
//! 2. An answer that breaks off is repeated. One that is whole and something else is final: a login
//!    page, or another server, stays there.
//! 3. The name of the bucket is not judged: aliases and access points answer with another.
//! 4. Of the statuses of success only those count that the store documents for the request.
//! 5. A code that AWS calls transient makes any answer one that is repeated, whatever its status.

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

use std::fmt;

pub(super) use asked::{Asked, Protocol};
pub(super) use checksum::{Checking, Checksum};
pub(super) use verdict::{Judge, Verdict, of_failure};

/// The longest name of a foreign element, key or type that a message shows, in characters.
const SHOWN_CHARS_MAX: usize = 120;

/// An answer is not the reply to its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WrongReply {
    /// What was asked for, as `a listing`.
    expected: &'static str,
    /// What came instead.
    found: String,
    /// It breaks off, so the next one may be whole.
    pub(super) is_broken: bool,
}

impl WrongReply {
    /// A whole answer that is something else.
    fn other(expected: &'static str, found: impl Into<String>) -> Self {
        Self { expected, found: found.into(), is_broken: false }
    }

    /// An answer that nobody would wait for.
    pub(super) fn too_large(bytes_max: usize) -> Self {
        Self::other("one of a store", format!("it has more than {bytes_max} bytes"))
    }

    /// An answer that is not all there.
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
            false => f.write_str("; check the endpoint, and what may answer in the store's place"),
        }
    }
}

impl std::error::Error for WrongReply {}

/// A refusal that no repetition changes, although the library would repeat it for its status.
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
