//! The answers of S3: their statuses, and the documents in them.
//!
//! 1. An answer that is not in the form of the store is no answer of the store.

pub mod deletes;
pub mod listing;
pub mod uploads;

use stratalog_store_rules::reply::document;
use stratalog_store_rules::reply::wrong::WrongReply;

use crate::exchange::Answer;

/// Describes an answer with a status that its request never has.
pub fn wrong_status(expected: &'static str, answer: &Answer) -> WrongReply {
    WrongReply::other(expected, format!("the status is {}", answer.status))
}

/// Checks that an answer may be a document.
fn check_status(expected: &'static str, answer: &Answer) -> Result<(), WrongReply> {
    if answer.status == 200 { Ok(()) } else { Err(wrong_status(expected, answer)) }
}

/// Checks an answer whose status alone confirms the request: its body is no page and no document.
///
/// # Errors
/// The difference.
pub fn check_bare(expected: &'static str, answer: &Answer) -> Result<(), WrongReply> {
    if ![200, 204].contains(&answer.status) {
        return Err(wrong_status(expected, answer));
    }
    document::check_bare(expected, &answer.body)
}

#[cfg(test)]
mod tests;
