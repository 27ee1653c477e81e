//! Deletes of many objects in one request.

use stratalog_store_rules::reply::deletes::{self, DELETES, Results};
use stratalog_store_rules::reply::wrong::WrongReply;

use crate::encoding;
use crate::exchange::Answer;
use crate::reply::check_status;

/// Returns the body of a request that deletes these keys.
pub fn body<'a>(keys: impl IntoIterator<Item = &'a str>) -> String {
    let objects = keys.into_iter();
    let objects = objects.map(|key| format!("<Object><Key>{}</Key></Object>", encoding::xml(key)));
    let objects: String = objects.collect();
    format!("<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{objects}</Delete>")
}

/// Returns the results of the keys that were requested.
///
/// # Errors
/// An answer to another request, or of another form.
pub fn read(keys: &[String], answer: &Answer) -> Result<Results, WrongReply> {
    check_status(DELETES, answer)?;
    deletes::read(keys, &answer.body)
}

/// Returns the transient failure of a key, if there is one.
pub fn transient(answer: &Answer) -> Option<String> {
    deletes::transient_code(&answer.body)
}
