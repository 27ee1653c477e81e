//! Objects, whose answers have no defined form. The checks only distinguish them from pages, such
//! as a login page or a page of another server.
//!
//! 1. The type of an object is never that of a page, unless a setting gives objects such a type.

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use stratalog_store_rules::reply::head::check_type;
use stratalog_store_rules::reply::wrong::WrongReply;

/// Checks the head of an answer that should be an object, or report that there is one.
pub(super) fn check_object(
    expected: &'static str,
    is_whole: bool,
    own_type: Option<&str>,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<(), WrongReply> {
    let wanted = if is_whole { StatusCode::OK } else { StatusCode::PARTIAL_CONTENT };
    // The library has the best message for a server that does not support ranges.
    if status != wanted && (is_whole || status != StatusCode::OK) {
        return Err(WrongReply::other(expected, format!("the status is {status}")));
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    check_type(expected, text(CONTENT_TYPE), text(CONTENT_ENCODING), own_type)
}
