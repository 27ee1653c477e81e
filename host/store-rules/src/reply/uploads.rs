//! The answers to the first and the last request of an upload in parts.
//!
//! 1. Both name their object. The last one has the object's tag, so the object exists.

use crate::reply::document::{decoded, expect_root};
use crate::reply::wrong::WrongReply;
use crate::reply::xml;
use crate::text::shown;

const START: &str = "the start of an upload";
const END: &str = "the end of an upload";

/// Checks that an upload of an object has begun, and returns its identity. `is_asked` recognizes
/// the object's key, and `asked` names it.
///
/// # Errors
/// An answer to another request, or of another form.
pub fn check_start(
    asked: &str,
    is_asked: impl Fn(&str) -> bool,
    body: &[u8],
) -> Result<String, WrongReply> {
    expect_root(body, &["InitiateMultipartUploadResult"], START)?;
    let (mut key, mut id) = (None, String::new());
    let read = xml::walk(body, |name, text| match name {
        "Key" => key = Some(text.to_owned()),
        "UploadId" => text.trim().clone_into(&mut id),
        _ => {}
    });
    read.map_err(|fault| WrongReply::not_xml(START, fault))?;
    check_key(asked, is_asked, key, START)?;
    match id.is_empty() {
        true => Err(WrongReply::other(START, "the upload id is missing")),
        false => Ok(id),
    }
}

/// Checks that the upload of an object is complete.
///
/// # Errors
/// An answer to another request, or of another form.
pub fn check_end(
    asked: &str,
    is_asked: impl Fn(&str) -> bool,
    body: &[u8],
) -> Result<(), WrongReply> {
    // Some servers write `Response` where S3 writes `Result`.
    let roots = ["CompleteMultipartUploadResult", "CompleteMultipartUploadResponse"];
    expect_root(body, &roots, END)?;
    let (mut key, mut has_tag) = (None, false);
    let read = xml::walk(body, |name, text| match name {
        "Key" => key = Some(text.to_owned()),
        "ETag" => has_tag = !text.trim().trim_matches('"').is_empty(),
        _ => {}
    });
    read.map_err(|fault| WrongReply::not_xml(END, fault))?;
    check_key(asked, is_asked, key, END)?;
    if has_tag { Ok(()) } else { Err(WrongReply::other(END, "the ETag is missing")) }
}

fn check_key(
    asked: &str,
    is_asked: impl Fn(&str) -> bool,
    key: Option<String>,
    expected: &'static str,
) -> Result<(), WrongReply> {
    let Some(key) = key else { return Err(WrongReply::other(expected, "the key is missing")) };
    // Some servers answer with the key as it stands in the URL.
    if is_asked(&key) || is_asked(&decoded(&key)) {
        return Ok(());
    }
    let found = format!("found {:?}, requested {:?}", shown(&key), shown(asked));
    Err(WrongReply::other(expected, found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_name_their_object() {
        let start = |asked: &str, key: &str| {
            let body = format!(
                "<InitiateMultipartUploadResult><Key>{key}</Key><UploadId>u1</UploadId>\
                 </InitiateMultipartUploadResult>"
            );
            check_start(asked, |key| key == asked, body.as_bytes())
        };
        assert_eq!(start("p/a b", "p/a b").as_deref(), Ok("u1"));
        assert_eq!(start("p/a b", "p/a%20b").as_deref(), Ok("u1"));
        assert!(start("p/a b", "a b").is_err());
        let end = |asked: &str, tag: &str| {
            let body = format!(
                "<CompleteMultipartUploadResult><Key>k</Key><ETag>{tag}</ETag>\
                 </CompleteMultipartUploadResult>"
            );
            check_end(asked, |key| key == asked, body.as_bytes())
        };
        assert_eq!(end("k", "\"x-2\""), Ok(()));
        assert!(end("k", "").is_err() && end("j", "x").is_err());
        let error = b"<Error><Code>InternalError</Code></Error>";
        assert!(check_end("k", |key| key == "k", error).is_err());
    }
}
