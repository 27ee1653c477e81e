//! The answers to the first and the last request of an upload in parts.

use bytes::Bytes;
use stratalog_store_rules::reply::uploads;
use stratalog_store_rules::reply::wrong::WrongReply;

/// Checks that an upload of the object at `path` has begun.
pub(super) fn check_start(path: &str, body: &[u8]) -> Result<(), WrongReply> {
    uploads::check_start(path, |key| ends_with(path, key), body).map(drop)
}

/// Checks that the upload of the object at `path` is complete. Returns only the part of the answer
/// that the library needs. The library searches all of it, the key included, for words such as
/// `SlowDown`.
pub(super) fn check_end(path: &str, body: &[u8]) -> Result<Bytes, WrongReply> {
    uploads::check_end(path, |key| ends_with(path, key), body)?;
    let rewritten = "<CompleteMultipartUploadResult><ETag></ETag></CompleteMultipartUploadResult>";
    Ok(Bytes::from_static(rewritten.as_bytes()))
}

/// Returns whether a path ends with the key, with or without the bucket before it.
fn ends_with(path: &str, key: &str) -> bool {
    let before = path.strip_suffix(key.trim_start_matches('/'));
    before.is_some_and(|before| before.ends_with('/'))
}
