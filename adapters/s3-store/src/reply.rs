//! The documents of S3's answers: errors, and results with an expected root.
//!
//! 1. An answer that is not in the form of the store is no answer of the store.

pub mod deletes;
pub mod listing;
pub mod uploads;

use crate::exchange::Answer;
use crate::xml::{self, Fault};

/// Describes an answer that is not the reply to its request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the answer is not {expected}: {found}; check that the endpoint is an S3 server")]
pub struct Wrong {
    expected: &'static str,
    found: String,
}

/// The codes that clients made by AWS retry, whatever the status of the answer.
const TRANSIENT: [&str; 16] = [
    "BandwidthLimitExceeded",
    // Another request for the same key is in flight; AWS documents a retry.
    "ConditionalRequestConflict",
    "EC2ThrottledException",
    "InternalError",
    "LimitExceededException",
    "OperationAborted",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "SlowDown",
    "ThrottledException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

const TRANSIENT_STARTS: [&str; 2] = ["Throttling", "RequestThrottled"];

const ERROR: &str = "Error";

impl Wrong {
    /// Describes an answer by the expected one and the difference.
    pub fn new(expected: &'static str, found: impl Into<String>) -> Self {
        Self { expected, found: found.into() }
    }

    fn of(expected: &'static str, fault: Fault) -> Self {
        let found = match fault {
            Fault::Empty => "the body is empty",
            Fault::CutShort => "the body is cut short",
            Fault::NotXml => "the body is not XML",
            Fault::TwoRoots => "the body has a second root element",
            Fault::Comment => "the body contains a comment",
        };
        Self::new(expected, found)
    }

    /// Describes an answer with a status that its request never has.
    pub fn status(expected: &'static str, answer: &Answer) -> Self {
        Self::new(expected, format!("the status is {}", answer.status))
    }
}

/// Returns whether the same request may succeed a little later.
pub fn is_transient(code: &str) -> bool {
    TRANSIENT.contains(&code) || TRANSIENT_STARTS.iter().any(|start| code.starts_with(start))
}

/// Returns the code and the message of an error document, if the body is one. Its other elements
/// repeat parts of the request.
pub fn error_in(body: &[u8]) -> Option<(String, String)> {
    if xml::root_of(body).ok()? != ERROR {
        return None;
    }
    let (mut code, mut message) = (String::new(), String::new());
    // A document may be cut short after its code. The code is enough.
    let _ = xml::walk(body, |path, text| match path {
        "Code" => text.trim().clone_into(&mut code),
        "Message" => text.trim().clone_into(&mut message),
        _ => {}
    });
    Some((code, message))
}

/// Checks that the body has one of the roots.
fn expect_root(body: &[u8], roots: &[&str], expected: &'static str) -> Result<(), Wrong> {
    match xml::root_of(body) {
        Ok(root) if roots.contains(&root.as_str()) => Ok(()),
        Ok(root) if root == ERROR => {
            let (code, message) = error_in(body).unwrap_or_default();
            Err(Wrong::new(expected, format!("found an error: {code}: {message}")))
        }
        Ok(root) => Err(Wrong::new(expected, format!("the root element is <{root}>"))),
        Err(fault) => Err(Wrong::of(expected, fault)),
    }
}

/// Checks an answer whose status alone confirms the request: its body is no page and no document.
///
/// # Errors
/// The difference.
pub fn check_bare(expected: &'static str, answer: &Answer) -> Result<(), Wrong> {
    if ![200, 204].contains(&answer.status) {
        return Err(Wrong::status(expected, answer));
    }
    let start = answer.body.trim_ascii_start();
    match start.first() {
        Some(b'<' | b'{') => {
            expect_root(&answer.body, &[], expected)?;
            Err(Wrong::new(expected, "the body is a document"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
