//! Answers that are not the reply to their request. Each is an error that says so, and never an
//! empty listing, an object, or a write that is done.

mod gets;
mod listings;
mod writes;

use super::http::{Answer, Asked, Server};
use crate::store::{Store, StoreError, StoreErrorKind as Kind, WriteError};

const SCHEMES: [&str; 4] = ["s3", "gs", "az", "http"];

const LOGIN_PAGE: &str = "<!DOCTYPE html>\n<html><head><meta charset=utf-8><title>Sign in</title>\
                          </head><body><form action=/login></form></body></html>";
const LOGIN_PAGE_XML: &str = "<?xml version=\"1.0\"?>\n<html xmlns=\"http://www.w3.org/1999/xhtml\">\
                              <head><title>Sign in</title></head><body/></html>";

fn error(code: &str) -> String {
    format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>said</Message></Error>")
}

/// Asserts that the error contains `words`, is final, and holds no secret.
#[track_caller]
fn assert_final(name: &str, error: &StoreError, words: &str) {
    let message = &error.message;
    assert!(message.contains(words), "{name}: no {words:?} in: {message}");
    assert_eq!(error.kind, Kind::Other, "{name}: {message}");
    assert!(!message.contains("hunter2") && !message.contains("X-Amz"), "{name}: {message}");
}
