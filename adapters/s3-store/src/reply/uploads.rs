//! Uploads in parts.

use stratalog_store_rules::reply::uploads;
use stratalog_store_rules::reply::wrong::WrongReply;

use crate::encoding;
use crate::exchange::Answer;
use crate::reply::{check_bare, check_status};

const PART: &str = "the result of writing a part";

/// Returns the identity of an upload of the object `key`, a key of the bucket.
///
/// # Errors
/// An answer to another request, or of another form.
pub fn id(key: &str, answer: &Answer) -> Result<String, WrongReply> {
    check_status("the start of an upload", answer)?;
    uploads::check_start(key, |found| found == key, &answer.body)
}

/// Returns the tag of a part.
///
/// # Errors
/// An answer of another form.
pub fn tag(answer: &Answer) -> Result<String, WrongReply> {
    check_bare(PART, answer)?;
    let tag = answer.header("etag").filter(|tag| !tag.is_empty());
    tag.map(str::to_owned).ok_or_else(|| WrongReply::other(PART, "the ETag is missing"))
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
pub fn check_end(key: &str, answer: &Answer) -> Result<(), WrongReply> {
    check_status("the end of an upload", answer)?;
    uploads::check_end(key, |found| found == key, &answer.body)
}
