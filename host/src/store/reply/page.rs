//! Answers without a defined form: objects, writes and deletes. The checks only distinguish
//! them from pages, such as a login page or a page of another server.
//!
//! 1. The type of an object is never that of a page, unless a setting gives objects such a type.
//! 2. A write or delete is confirmed by its status. Additions of some servers are not read.

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};

use super::{WrongReply, shown};

const PAGE_TYPES: [&str; 4] = ["text/html", "application/xhtml+xml", "application/xml", "text/xml"];

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
    let kind = text(CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_own = own_type.is_some_and(|own| own.to_ascii_lowercase().starts_with(&kind));
    if PAGE_TYPES.contains(&kind.as_str()) && !is_own {
        return Err(WrongReply::other(expected, format!("found a page of type {kind}")));
    }
    let encoding = text(CONTENT_ENCODING).trim().to_ascii_lowercase();
    if ["gzip", "x-gzip", "deflate", "br", "zstd", "compress"].contains(&encoding.as_str()) {
        return Err(WrongReply::other(expected, format!("the content is encoded as {encoding}")));
    }
    Ok(())
}

/// Checks the answer to a write or a delete whose status is a success: it must be no page and no
/// document.
pub(super) fn check_bare(expected: &'static str, body: &[u8]) -> Result<(), WrongReply> {
    let start: String = String::from_utf8_lossy(body.get(..400).unwrap_or(body)).into_owned();
    let start = start.trim_start_matches('\u{feff}').trim_start();
    if !start.starts_with(['<', '{']) {
        return Ok(());
    }
    match super::code::expect_root(body, &[], expected) {
        Err(WrongReply { is_broken: false, found, .. }) if start.starts_with('<') => {
            Err(WrongReply::other(expected, found))
        }
        _ => {
            let first = start.lines().next().unwrap_or_default();
            Err(WrongReply::other(expected, format!("the body begins with {:?}", shown(first))))
        }
    }
}
