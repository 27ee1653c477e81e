//! The statuses by which a store says that what was asked for is done.
//!
//! 1. Only those count that the manuals of S3, of Google's XML interface and of Azure's blobs, and RFC
//!    4918 and 9110 for WebDAV, give for the request. Any other is no reply to it, also one of success.
//! 2. No request asks whether something has changed, so none is answered by 304.

use http::StatusCode;

use super::WrongReply;
use super::asked::{Asked, Protocol};

const CREATED: StatusCode = StatusCode::CREATED;
const NO_CONTENT: StatusCode = StatusCode::NO_CONTENT;

/// Checks the status of an answer of success, but for objects, which are judged by their head, and for
/// what is not asked of a store.
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

/// An answer whose status is none to that request.
pub(super) fn wrong(asked: &Asked, status: StatusCode) -> WrongReply {
    let expected = match asked {
        Asked::Listing(_) => "a listing",
        Asked::Folder(_) => "a listing of the folder",
        Asked::Object { .. } => "the object",
        Asked::Presence => "one about the object",
        Asked::Write => "the result of a write",
        Asked::UploadStart { .. } => "the start of an upload",
        Asked::UploadEnd { .. } => "the end of an upload",
        Asked::Delete => "the result of a delete",
        Asked::Deletes { .. } | Asked::Batch { .. } => "the result of a bulk delete",
        Asked::MakeFolder => "a new folder",
        Asked::Other => "one of a store",
    };
    WrongReply::other(expected, format!("its status is {status}"))
}
