//! The errors of the store: the action, the object, the cause and the remedy.
//!
//! 1. An error names no secret: texts of servers and hosts are cleaned.

use std::fmt;

use stratalog_store_rules::error::{StoreError, StoreErrorKind, WriteError};
use stratalog_store_rules::reply::deletes::{Failure, UNCONFIRMED};
use stratalog_store_rules::reply::document::error_in;
use stratalog_store_rules::reply::wrong::WrongReply;

use crate::engine::{End, GivenUp};
use crate::exchange::Answer;
use crate::reply::wrong_status;
use crate::settings::Settings;

/// An action on an object or a prefix.
#[derive(Clone, Copy)]
pub struct Doing<'a> {
    pub settings: &'a Settings,
    /// A verb, such as `read`.
    pub action: &'a str,
    pub key: &'a str,
}

impl Doing<'_> {
    /// Makes an error of the action.
    pub fn error(&self, kind: StoreErrorKind, reason: impl fmt::Display) -> StoreError {
        let Self { settings, action, key } = self;
        let store = &settings.description;
        StoreError::new(kind, format!("cannot {action} {key:?} in {store}: {reason}"))
    }

    /// Makes the error of a request without an answer.
    pub fn given_up(&self, given_up: &GivenUp) -> StoreError {
        let (kind, remedy) = match given_up.is_permanent {
            true => (StoreErrorKind::Other, "check the endpoint and the host's network"),
            false => (
                StoreErrorKind::Unavailable,
                "try again later, or check the endpoint and the host's network",
            ),
        };
        self.error(kind, format_args!("{}; {remedy}", self.settings.clean(&given_up.last)))
    }

    /// Makes the error of an answer that is not the reply.
    pub fn wrong(&self, wrong: &WrongReply) -> StoreError {
        let kind = match wrong.is_broken {
            true => StoreErrorKind::Unavailable,
            false => StoreErrorKind::Other,
        };
        self.error(kind, self.settings.clean(&wrong.to_string()))
    }

    /// Makes the error of an answer that refuses.
    pub fn refused(&self, answer: &Answer) -> StoreError {
        let status = answer.status;
        let error = error_in(&answer.body);
        // A server other than the store answers unknown requests in the same way.
        if matches!(status, 404 | 409 | 412) && error.is_none() && !is_blank(answer) {
            return self.wrong(&wrong_status("an error of the store", answer));
        }
        let (code, message) = error.unwrap_or_default();
        let texts = [format!("status {status}"), code.clone(), message];
        let texts: Vec<_> = texts.into_iter().filter(|text| !text.is_empty()).collect();
        let detail = self.settings.clean(&texts.join(": "));
        self.coded(status, &code, &detail)
    }

    /// Makes the error of one key of a bulk delete.
    pub fn coded_failure(&self, failure: &Failure) -> StoreError {
        let Failure { code, message } = failure;
        let status = match code.as_str() {
            "AccessDenied" => 403,
            UNCONFIRMED => 503,
            "NotImplemented" => 501,
            _ => 0,
        };
        self.coded(status, code, &self.settings.clean(&format!("{code}: {message}")))
    }

    fn coded(&self, status: u16, code: &str, detail: &str) -> StoreError {
        use StoreErrorKind as Kind;
        let (kind, cause, remedy) = match (status, code) {
            (_, "NoSuchBucket") => {
                let reason = "no such bucket; create it, or correct its name";
                return self.error(Kind::NotFound, reason);
            }
            (_, "RequestTimeTooSkewed") => {
                (Kind::PermissionDenied, "the clock of this machine is wrong", "set the clock")
            }
            (_, "EntityTooLarge") => (Kind::Invalid, "the object is too large for the server", ""),
            (404, _) if self.action == "read" => (Kind::NotFound, "no such object", ""),
            (404, _) => (Kind::NotFound, "", "check the bucket's name"),
            (401 | 403, _) => (
                Kind::PermissionDenied,
                "permission denied",
                "check the credentials and the bucket's policy",
            ),
            (301..=308, _) | (400, "AuthorizationHeaderMalformed") => {
                (Kind::Invalid, "the bucket is elsewhere", "check AWS_REGION and AWS_ENDPOINT")
            }
            (501, _) if self.action == "create" => (
                Kind::Unsupported,
                "the server does not support conditional puts",
                "set AWS_CONDITIONAL_PUT=disabled",
            ),
            (405 | 501, _) => (Kind::Unsupported, "", ""),
            (400 | 411 | 414 | 416, _) => (Kind::Invalid, "", ""),
            (408 | 429 | 500.., _) => (Kind::Unavailable, "", "try again later"),
            _ => (Kind::Other, "", ""),
        };
        let cause = if cause.is_empty() { String::new() } else { format!("{cause}: ") };
        let remedy = if remedy.is_empty() { String::new() } else { format!("; {remedy}") };
        self.error(kind, format_args!("{cause}{detail}{remedy}"))
    }

    /// Makes the error of a request that did not end in a success.
    pub fn failed(&self, end: &End) -> StoreError {
        match &end.result {
            Ok(answer) => self.refused(answer),
            Err(given_up) => self.given_up(given_up),
        }
    }

    /// Returns the fate of an object whose request did not end in a success.
    pub fn fate(&self, end: &End) -> WriteError {
        let error = self.failed(end);
        match end.had_no_effect {
            true => WriteError::NotWritten(error),
            false => WriteError::Unknown(error),
        }
    }
}

/// Returns whether an answer has no body.
pub fn is_blank(answer: &Answer) -> bool {
    answer.body.trim_ascii().is_empty()
}
