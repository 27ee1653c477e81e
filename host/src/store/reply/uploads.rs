//! The answers to the first and the last request of an upload in parts.
//!
//! 1. Both name their object. The last one has the object's tag, so the object exists.

use bytes::Bytes;

use super::asked::decoded;
use super::{WrongReply, code, shown, xml};

const START: &str = "the start of an upload";
const END: &str = "the end of an upload";

/// Checks that an upload of the object at `path` has begun.
pub(super) fn check_start(path: &str, body: &[u8]) -> Result<(), WrongReply> {
    code::expect_root(body, &["InitiateMultipartUploadResult"], START)?;
    let (mut key, mut id) = (None, String::new());
    let read = xml::walk(body, |name, text| match name {
        "Key" => key = Some(text.to_owned()),
        "UploadId" => text.trim().clone_into(&mut id),
        _ => {}
    });
    read.map_err(|fault| fault.into_wrong(START))?;
    check_key(path, key, START)?;
    match id.is_empty() {
        true => Err(WrongReply::other(START, "the upload id is missing")),
        false => Ok(()),
    }
}

/// Checks that the upload of the object at `path` is complete. Returns only the part of the answer
/// that the library needs. The library searches all of it, the key included, for words such as
/// `SlowDown`.
pub(super) fn check_end(path: &str, body: &[u8]) -> Result<Bytes, WrongReply> {
    // Some servers write `Response` where S3 writes `Result`.
    let roots = ["CompleteMultipartUploadResult", "CompleteMultipartUploadResponse"];
    code::expect_root(body, &roots, END)?;
    let (mut key, mut has_tag) = (None, false);
    let read = xml::walk(body, |name, text| match name {
        "Key" => key = Some(text.to_owned()),
        "ETag" => has_tag = !text.trim().trim_matches('"').is_empty(),
        _ => {}
    });
    read.map_err(|fault| fault.into_wrong(END))?;
    check_key(path, key, END)?;
    if !has_tag {
        return Err(WrongReply::other(END, "the ETag is missing"));
    }
    let rewritten = "<CompleteMultipartUploadResult><ETag></ETag></CompleteMultipartUploadResult>";
    Ok(Bytes::from_static(rewritten.as_bytes()))
}

/// Checks the key of an answer. A path ends with the key, with or without the bucket before it.
fn check_key(path: &str, key: Option<String>, expected: &'static str) -> Result<(), WrongReply> {
    let Some(key) = key else { return Err(WrongReply::other(expected, "the key is missing")) };
    let is_asked = |key: &str| {
        let before = path.strip_suffix(key.trim_start_matches('/'));
        before.is_some_and(|before| before.ends_with('/'))
    };
    // Some servers answer with the key as it stands in the URL.
    if is_asked(&key) || is_asked(&decoded(&key)) {
        return Ok(());
    }
    Err(WrongReply::other(
        expected,
        format!("found {:?}, requested {:?}", shown(&key), shown(path)),
    ))
}
