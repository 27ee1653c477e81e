//! Uploads in parts.
//!
//! 1. The answers to the first and the last request name their object. The last one has the
//!    object's tag.

use crate::encoding;
use crate::exchange::Answer;
use crate::reply::{Wrong, check_bare, expect_root};
use crate::xml;

const START: &str = "the start of an upload";
const PART: &str = "the result of writing a part";
const END: &str = "the end of an upload";

/// Returns the identity of an upload of the object `key`, a key of the bucket.
///
/// # Errors
/// An answer to another request, or of another form.
pub fn id(key: &str, answer: &Answer) -> Result<String, Wrong> {
    if answer.status != 200 {
        return Err(Wrong::status(START, answer));
    }
    expect_root(&answer.body, &["InitiateMultipartUploadResult"], START)?;
    let (mut named, mut id) = (None, String::new());
    let read = xml::walk(&answer.body, |path, text| match path {
        "Key" => named = Some(text.to_owned()),
        "UploadId" => text.trim().clone_into(&mut id),
        _ => {}
    });
    read.map_err(|fault| Wrong::of(START, fault))?;
    check_key(key, named, START)?;
    if id.is_empty() { Err(Wrong::new(START, "the upload id is missing")) } else { Ok(id) }
}

/// Returns the tag of a part.
///
/// # Errors
/// An answer of another form.
pub fn tag(answer: &Answer) -> Result<String, Wrong> {
    check_bare(PART, answer)?;
    let tag = answer.header("etag").filter(|tag| !tag.is_empty());
    tag.map(str::to_owned).ok_or_else(|| Wrong::new(PART, "the ETag is missing"))
}

/// Returns the body of the last request.
pub fn parts(tags: &[String]) -> String {
    let parts = tags.iter().zip(1_u32..).map(|(tag, number)| {
        let tag = encoding::xml(tag);
        format!("<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>")
    });
    let parts: String = parts.collect();
    format!(
        "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{parts}\
         </CompleteMultipartUpload>"
    )
}

/// Checks that the upload of the object `key` is complete.
///
/// # Errors
/// An answer to another request, or of another form.
pub fn check_end(key: &str, answer: &Answer) -> Result<(), Wrong> {
    if answer.status != 200 {
        return Err(Wrong::status(END, answer));
    }
    // Some servers write `Response` where S3 writes `Result`.
    let roots = ["CompleteMultipartUploadResult", "CompleteMultipartUploadResponse"];
    expect_root(&answer.body, &roots, END)?;
    let (mut named, mut has_tag) = (None, false);
    let read = xml::walk(&answer.body, |path, text| match path {
        "Key" => named = Some(text.to_owned()),
        "ETag" => has_tag = !text.trim().trim_matches('"').is_empty(),
        _ => {}
    });
    read.map_err(|fault| Wrong::of(END, fault))?;
    check_key(key, named, END)?;
    if has_tag { Ok(()) } else { Err(Wrong::new(END, "the ETag is missing")) }
}

fn check_key(wanted: &str, named: Option<String>, expected: &'static str) -> Result<(), Wrong> {
    let Some(named) = named else { return Err(Wrong::new(expected, "the key is missing")) };
    // Some servers answer with the key as it stands in the URL.
    if named == wanted || named == encoding::uri(wanted, true) {
        return Ok(());
    }
    Err(Wrong::new(expected, format!("found {named:?}, requested {wanted:?}")))
}
