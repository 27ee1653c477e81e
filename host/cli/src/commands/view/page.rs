//! The files of the page, which the build script has packed.

use hyper::StatusCode;
use hyper::header::{CONTENT_ENCODING, HeaderValue};

use super::answer::{Answer, answer};

/// The path, content type and compressed bytes of each file, sorted by path.
static FILES: &[(&str, &str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// Returns a file of the page. All browsers that run the page know the compression.
pub(super) fn file(path: &str) -> Option<Answer> {
    let path = if path.is_empty() { "index.html" } else { path };
    let found = FILES.binary_search_by_key(&path, |(path, ..)| path).ok()?;
    let (_, content_type, bytes) = FILES.get(found)?;
    let mut answer = answer(StatusCode::OK, content_type, *bytes);
    answer.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    Some(answer)
}
