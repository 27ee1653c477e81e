//! Checking that an answer of a store on the network is the reply to its request.
//!
//! Owns: which answer can be the reply to which request, and the error about any other.
//! Must not know: the use of a reply, or how often a request is repeated.
//!
//! 1. No answer is used before it was checked: its status, and what
//!    [`stratalog_store_rules::reply`] checks.
//! 2. A request whose answer is cut short is repeated.
//! 3. Only the success statuses that the store documents for the request count.
//! 4. A code that AWS calls transient causes a repetition, independent of the status of the answer.

mod asked;
mod checksum;
mod deletes;
mod folder;
mod page;
mod status;
mod uploads;
mod verdict;

pub(super) use asked::{Asked, Protocol};
pub(super) use checksum::{Checking, Checksum};
pub(super) use verdict::{Judge, Verdict, of_failure};

/// A refusal that no repetition changes, although the library would repeat it because of its
/// status.
#[derive(Debug, thiserror::Error)]
#[error("Server returned non-2xx status code: {status}: {body}")]
pub(super) struct Refused {
    pub(super) status: http::StatusCode,
    body: String,
}
