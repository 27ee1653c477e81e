//! The statuses by which a store confirms a request.
//!
//! 1. Only documented statuses count. The sources are the manuals of S3, of Google's XML interface
//!    and of Azure's blobs, and RFC 4918 and 9110 for WebDAV. Any other status is no reply to the
//!    request, even if it reports success.
//! 2. No request is conditional on a change, so 304 is never the reply.

use http::StatusCode;
use stratalog_store_rules::reply::wrong::WrongReply;

use super::asked::{Asked, Protocol};

const CREATED: StatusCode = StatusCode::CREATED;
const NO_CONTENT: StatusCode = StatusCode::NO_CONTENT;

/// Checks the status of a successful answer. Objects are judged by their head instead. Requests
/// to servers other than the store are not checked.
pub(super) fn check(
    asked: &Asked,
    protocol: Protocol,
    status: StatusCode,
) -> Result<(), WrongReply> {
    let is_done = match (asked, protocol) {
        (Asked::Write, Protocol::S3 | Protocol::Google) => status == StatusCode::OK,
        (Asked::Write, Protocol::Azure) | (Asked::MakeFolder, _) => status == CREATED,
        (Asked::Write, Protocol::WebDav) => [StatusCode::OK, CREATED, NO_CONTENT].contains(&status),
        (Asked::Delete, Protocol::S3 | Protocol::Google) => status == NO_CONTENT,
        (Asked::Delete, Protocol::WebDav) => [StatusCode::OK, NO_CONTENT].contains(&status),
        (Asked::Delete, Protocol::Azure) | (Asked::Batch { .. }, _) => {
            status == StatusCode::ACCEPTED
        }
        (Asked::Folder(_), _) => status == StatusCode::MULTI_STATUS,
        (
            Asked::Listing(_)
            | Asked::UploadStart { .. }
            | Asked::UploadEnd { .. }
            | Asked::Deletes { .. },
            _,
        ) => status == StatusCode::OK,
        (Asked::Object { .. } | Asked::Presence | Asked::Other, _) => true,
    };
    if is_done { Ok(()) } else { Err(wrong(asked, status)) }
}

/// Describes an answer with a wrong status for its request.
pub(super) fn wrong(asked: &Asked, status: StatusCode) -> WrongReply {
    let expected = match asked {
        Asked::Listing(_) => "a listing",
        Asked::Folder(_) => "a listing of the folder",
        Asked::Object { .. } => "the object",
        Asked::Presence => "the head of the object",
        Asked::Write => "the result of a write",
        Asked::UploadStart { .. } => "the start of an upload",
        Asked::UploadEnd { .. } => "the end of an upload",
        Asked::Delete => "the result of a delete",
        Asked::Deletes { .. } | Asked::Batch { .. } => "the result of a bulk delete",
        Asked::MakeFolder => "a new folder",
        Asked::Other => "an answer of a store",
    };
    WrongReply::other(expected, format!("the status is {status}"))
}
