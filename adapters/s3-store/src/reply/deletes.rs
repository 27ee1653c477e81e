//! Deletes of many objects in one request.
//!
//! 1. A key counts as deleted only if the answer confirms that very key.
//! 2. An answer that names a key outside of the request belongs to another request.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use crate::encoding;
use crate::exchange::Answer;
use crate::reply::{Wrong, expect_root, is_transient};
use crate::xml;

const DELETES: &str = "the result of a bulk delete";

/// The failures by key: code and message.
pub type Failures = BTreeMap<String, (String, String)>;

/// Returns the body of a request that deletes these keys.
pub fn body<'a>(keys: impl IntoIterator<Item = &'a str>) -> String {
    let objects = keys.into_iter();
    let objects = objects.map(|key| format!("<Object><Key>{}</Key></Object>", encoding::xml(key)));
    let objects: String = objects.collect();
    format!("<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{objects}</Delete>")
}

/// Returns the keys that were not deleted, of those that were requested.
///
/// # Errors
/// An answer to another request, or of another form.
pub fn read(keys: &[String], answer: &Answer) -> Result<Failures, Wrong> {
    if answer.status != 200 {
        return Err(Wrong::status(DELETES, answer));
    }
    let results = results(&answer.body)?;
    let asked: BTreeSet<&str> = keys.iter().map(String::as_str).collect();
    if let Some(key) = results.keys().find(|key| !asked.contains(key.as_str())) {
        return Err(Wrong::new(DELETES, format!("found {key:?}, which was not requested")));
    }
    let mut failures = Failures::new();
    for key in keys {
        match results.get(key) {
            Some(None) => {}
            Some(Some((code, _))) if code == "NoSuchKey" => {}
            Some(Some(failure)) => _ = failures.insert(key.clone(), failure.clone()),
            None => {
                let message = "the server did not confirm the delete".to_owned();
                failures.insert(key.clone(), ("Unconfirmed".to_owned(), message));
            }
        }
    }
    Ok(failures)
}

/// Returns the transient failure of a key, if there is one. The request is then repeated: a delete
/// may be done twice.
pub fn transient(answer: &Answer) -> Option<String> {
    let results = results(&answer.body).ok()?;
    let codes = results.into_values().flatten().map(|(code, _)| code);
    codes.into_iter().find(|code| is_transient(code))
}

/// Returns the result of each key: none if it was deleted.
fn results(body: &[u8]) -> Result<BTreeMap<String, Option<(String, String)>>, Wrong> {
    expect_root(body, &["DeleteResult"], DELETES)?;
    let mut results = BTreeMap::new();
    let (mut key, mut code, mut message) = (String::new(), String::new(), String::new());
    let read = xml::walk(body, |path, text| match path {
        "Deleted/Key" | "Error/Key" => text.clone_into(&mut key),
        "Error/Code" => text.trim().clone_into(&mut code),
        "Error/Message" => text.trim().clone_into(&mut message),
        "Deleted" => _ = results.insert(mem::take(&mut key), None),
        "Error" => {
            let failure = (mem::take(&mut code), mem::take(&mut message));
            results.insert(mem::take(&mut key), Some(failure));
        }
        _ => {}
    });
    read.map_err(|fault| Wrong::of(DELETES, fault))?;
    Ok(results)
}
