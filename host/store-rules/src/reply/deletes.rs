//! Deletes of many objects in one request.
//!
//! 1. A key counts as deleted only if the answer confirms that very key.
//! 2. An answer that names a key outside of the request belongs to another request.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use crate::reply::document::{expect_root, is_transient};
use crate::reply::wrong::WrongReply;
use crate::reply::xml;
use crate::text::shown;

/// The expected answer.
pub const DELETES: &str = "the result of a bulk delete";

/// The results of the requested keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Results(BTreeMap<String, Option<Failure>>);

/// The reason why an object may still exist.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Failure {
    pub code: String,
    pub message: String,
}

/// The code of a key that the answer leaves out.
pub const UNCONFIRMED: &str = "Unconfirmed";

/// Reads the answer to a request that deletes these keys.
///
/// # Errors
/// An answer to another request, or of another form.
pub fn read(keys: &[String], body: &[u8]) -> Result<Results, WrongReply> {
    let results = results(body)?;
    // Collecting would sort them: 3 KB of code for the same result.
    let mut asked = BTreeSet::new();
    asked.extend(keys.iter().map(String::as_str));
    if let Some(key) = results.0.keys().find(|key| !asked.contains(key.as_str())) {
        let found = format!("found {:?}, which was not requested", shown(key));
        return Err(WrongReply::other(DELETES, found));
    }
    Ok(results)
}

fn results(body: &[u8]) -> Result<Results, WrongReply> {
    expect_root(body, &["DeleteResult"], DELETES)?;
    let mut results = BTreeMap::new();
    let (mut key, mut failure) = (String::new(), Failure::default());
    let read = xml::walk(body, |path, text| match path {
        "Deleted/Key" | "Error/Key" => text.clone_into(&mut key),
        "Error/Code" => text.trim().clone_into(&mut failure.code),
        "Error/Message" => text.trim().clone_into(&mut failure.message),
        "Deleted" => drop(results.insert(mem::take(&mut key), None)),
        "Error" => {
            drop(results.insert(mem::take(&mut key), Some(mem::take(&mut failure))));
        }
        _ => {}
    });
    read.map_err(|fault| WrongReply::not_xml(DELETES, fault))?;
    Ok(Results(results))
}

/// Returns the code of a transient failure in an answer, if there is one. The request is then
/// repeated as a whole: a delete may be done twice.
pub fn transient_code(body: &[u8]) -> Option<String> {
    let results = results(body).ok()?;
    results.transient_code().map(str::to_owned)
}

impl Results {
    /// Returns the code of a transient failure, if there is one.
    pub fn transient_code(&self) -> Option<&str> {
        let codes = self.0.values().flatten().map(|failure| failure.code.as_str());
        codes.into_iter().find(|code| is_transient(code))
    }

    /// Returns the reason why the object of a requested key may still exist; none if it is deleted.
    pub fn failure(&self, key: &str) -> Option<Failure> {
        match self.0.get(key) {
            Some(result) => result.clone(),
            None => Some(Failure {
                code: UNCONFIRMED.to_owned(),
                message: "the server did not confirm the delete".to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "<DeleteResult><Deleted><Key>p/1</Key></Deleted><Error><Key>p/2</Key>\
                        <Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>";

    #[test]
    fn deletes_are_those_that_were_requested() {
        let keys = ["p/1", "p/2", "p/3"].map(str::to_owned);
        let results = read(&keys, BODY.as_bytes()).unwrap();
        assert_eq!(results.failure("p/1"), None);
        let refused = results.failure("p/2").unwrap();
        assert_eq!((&*refused.code, &*refused.message), ("AccessDenied", "no"));
        assert_eq!(results.failure("p/3").unwrap().code, UNCONFIRMED);
        let wrong = read(&keys[1..], BODY.as_bytes()).unwrap_err();
        assert!(wrong.found.contains("\"p/1\", which was not requested"), "{wrong}");
    }

    #[test]
    fn transient_failures_are_found() {
        assert_eq!(transient_code(BODY.as_bytes()), None);
        let passing = BODY.replace("AccessDenied", "SlowDown");
        assert_eq!(transient_code(passing.as_bytes()).as_deref(), Some("SlowDown"));
    }
}
