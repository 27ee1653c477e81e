//! Turns errors of the `object_store` library into [`StoreError`] and [`WriteError`].
//!
//! Owns: the one classification of the library's errors.
//! Must not know: the purpose of the objects, or the call of the host that asked.
//!
//! 1. A refusal proves nothing about earlier attempts of the library. If any of them may have had
//!    an effect, the write is "unknown".
//! 2. No message carries a credential: every foreign text passes the [`Redactor`].

#[cfg_attr(not(feature = "network"), path = "classify/no_network.rs")]
mod network;

use std::error::Error as StdError;
use std::fmt;

use super::backend::local::Failure;
use super::config::redact::Redactor;
use super::error::{StoreError, StoreErrorKind, WriteError};
use super::operation::{Abandoned, Attempts};
use network::HttpFailure;

/// Turns the library's errors into ours. Knows the store's name and its secrets.
pub(super) struct Context {
    pub(super) description: String,
    pub(super) redactor: Redactor,
    /// The settings to check after a failure of a library that accepted them.
    settings: String,
    /// The proxy that requests go through, without secrets, and the name of its setting.
    proxy: Option<String>,
}

impl Context {
    pub(super) fn new(description: impl Into<String>, redactor: Redactor) -> Self {
        let settings = "check the store's settings".to_owned();
        Self { description: description.into(), redactor, settings, proxy: None }
    }

    /// Sets the proxy that errors name.
    pub(super) fn with_proxy(self, proxy: Option<String>) -> Self {
        Self { proxy, ..self }
    }

    /// Sets the settings that errors name when only a setting can be the cause.
    pub(super) fn with_settings(self, settings: String) -> Self {
        Self { settings, ..self }
    }

    /// Makes an error that names the action, the object and the store.
    pub(super) fn error(
        &self,
        kind: StoreErrorKind,
        action: &str,
        key: &str,
        reason: impl fmt::Display,
    ) -> StoreError {
        let description = &self.description;
        StoreError::new(kind, format!("cannot {action} {key:?} in {description}: {reason}"))
    }

    /// Classifies an error of a read, a list or a delete.
    pub(super) fn read_error(
        &self,
        action: &str,
        key: &str,
        error: &object_store::Error,
    ) -> StoreError {
        let facts = ErrorFacts::of(error);
        self.explain(action, key, error, &facts)
    }

    /// Classifies an error of a create by the known fate of the object.
    pub(super) fn write_error(&self, key: &str, error: &object_store::Error) -> WriteError {
        match error {
            object_store::Error::AlreadyExists { .. } => WriteError::AlreadyExists,
            error => self.fate("create", key, error),
        }
    }

    /// Classifies an error of the step that makes an object visible. A conflict is no proof.
    pub(super) fn fate(&self, action: &str, key: &str, error: &object_store::Error) -> WriteError {
        use object_store::Error as E;
        let facts = ErrorFacts::of(error);
        let explained = self.explain(action, key, error, &facts);
        let attempts = Attempts::of_current();
        let certain = match error {
            E::NotImplemented { .. } | E::NotSupported { .. } | E::InvalidPath { .. } => true,
            _ if attempts.were_seen() => attempts.had_no_effect(),
            E::NotFound { .. } | E::PermissionDenied { .. } | E::Unauthenticated { .. } => {
                !facts.retried
            }
            E::Generic { .. } => facts.local.is_some_and(|local| local.left_nothing),
            _ => false,
        };
        if certain { WriteError::NotWritten(explained) } else { WriteError::Unknown(explained) }
    }

    /// Explains why an operation was abandoned.
    pub(super) fn abandoned_reason(&self, abandoned: &Abandoned) -> String {
        let reason = abandoned.reason(&self.redactor, &self.settings);
        match abandoned.is_a_matter_of_time() {
            true => format!("{reason}{}", self.through_proxy()),
            false => reason,
        }
    }

    /// Returns the error of an operation that was abandoned.
    pub(super) fn abandoned(&self, action: &str, key: &str, abandoned: &Abandoned) -> StoreError {
        let reason = self.abandoned_reason(abandoned);
        let kind = match abandoned.is_a_matter_of_time() {
            true => StoreErrorKind::Unavailable,
            false => StoreErrorKind::Other,
        };
        self.error(kind, action, key, reason)
    }

    /// Classifies a write that was abandoned.
    pub(super) fn abandoned_write(
        &self,
        action: &str,
        key: &str,
        abandoned: &Abandoned,
    ) -> WriteError {
        let error = self.abandoned(action, key, abandoned);
        match abandoned.attempts.had_no_effect() {
            true => WriteError::NotWritten(error),
            false => WriteError::Unknown(error),
        }
    }

    fn explain(
        &self,
        action: &str,
        key: &str,
        error: &object_store::Error,
        facts: &ErrorFacts,
    ) -> StoreError {
        let kind = facts.kind(error);
        if facts.is_bucket_missing() {
            // The answer contains no further information.
            return self.error(StoreErrorKind::NotFound, action, key, NO_BUCKET);
        }
        let detail = self.redactor.clean(without_page(&facts.text));
        let (cause, remedy) = self.advice(kind, action, facts);
        let cause = if cause.is_empty() { detail } else { format!("{cause}: {detail}") };
        let remedy = if remedy.is_empty() { String::new() } else { format!("; {remedy}") };
        let through = match facts.may_be_the_proxy() {
            true => self.through_proxy(),
            false => String::new(),
        };
        self.error(kind, action, key, format_args!("{cause}{remedy}{through}"))
    }

    /// Returns the cause and the remedy of a known failure in plain words. Either may be empty.
    fn advice(
        &self,
        kind: StoreErrorKind,
        action: &str,
        facts: &ErrorFacts,
    ) -> (&'static str, &'static str) {
        match kind {
            StoreErrorKind::NotFound if action == "create" && facts.local.is_some() => ("", ""),
            StoreErrorKind::NotFound if action == "create" && self.is_webdav() => {
                ("the folder does not exist", "create the folder first")
            }
            StoreErrorKind::NotFound if action == "create" => {
                ("no such bucket", "create the bucket first")
            }
            StoreErrorKind::Unsupported if facts.is_unknown_method() && self.is_webdav() => {
                ("the server does not speak WebDAV at this URL", "check the URL and its path")
            }
            _ if facts.text.contains(NO_TLS) => (
                "the server does not speak HTTPS on this port",
                "use the HTTPS port, or http:// for plain HTTP (an endpoint also needs the store \
                 option allow_http=true)",
            ),
            _ if facts.status == Some(407) => (
                "the proxy requires a user and a password",
                "put user and password into the proxy's URL",
            ),
            StoreErrorKind::NotFound if action == "read" => ("no such object", ""),
            // The failure names its action.
            StoreErrorKind::PermissionDenied if facts.local.is_some() => ("", ""),
            StoreErrorKind::PermissionDenied if self.is_webdav() => (
                "permission denied",
                "use a server that trusts this network, or a proxy that adds credentials",
            ),
            StoreErrorKind::PermissionDenied => {
                ("permission denied", "check the credentials and the bucket's policy")
            }
            StoreErrorKind::Unsupported if facts.status == Some(501) => (
                "the server does not support conditional puts",
                "set the store option aws_conditional_put=disabled",
            ),
            StoreErrorKind::Unsupported if facts.is_without_hard_links() => (
                "the file system has no hard links, which an atomic create needs",
                "use another file system",
            ),
            _ if facts.text.contains("RequestTimeTooSkewed") => {
                ("the clock of this machine is wrong", "set the clock")
            }
            _ if facts.text.contains("redirect without LOCATION") => {
                ("", "check the region (store option aws_region=NAME)")
            }
            _ => ("", ""),
        }
    }

    fn is_webdav(&self) -> bool {
        self.description.starts_with("http")
    }

    /// Names the proxy that a request went through, if there is one.
    fn through_proxy(&self) -> String {
        self.proxy.as_ref().map_or_else(String::new, |proxy| {
            format!("; requests go through {proxy}: check the proxy, or name the host in NO_PROXY")
        })
    }
}

/// The explanation of a bucket or a container that does not exist.
const NO_BUCKET: &str = "no such bucket; create it, or correct its name";

/// The TLS library's error text when the peer does not speak TLS.
const NO_TLS: &str = "received corrupt message of type InvalidContentType";

/// Removes the HTML page that follows a status: it does not help a person.
fn without_page(text: &str) -> &str {
    let lower = text.to_ascii_lowercase();
    let Some(status) = lower.find("status code: ") else { return text };
    let behind = lower.get(status..).unwrap_or_default();
    let page = [": <!doctype", ": <html"].iter().filter_map(|start| behind.find(start)).min();
    page.and_then(|at| text.get(..status + at)).unwrap_or(text)
}

/// Facts about an error of the library, which keeps its own types private.
struct ErrorFacts {
    /// The error and its causes in one line, not yet redacted.
    text: String,
    status: Option<u16>,
    http: Option<HttpFailure>,
    local: Option<LocalFacts>,
    retried: bool,
}

/// Facts about a failure in a local folder.
#[derive(Clone, Copy)]
struct LocalFacts {
    kind: StoreErrorKind,
    left_nothing: bool,
    is_without_hard_links: bool,
}

impl LocalFacts {
    fn of(failure: &Failure) -> Self {
        Self {
            kind: failure.kind(),
            left_nothing: failure.left_nothing(),
            is_without_hard_links: failure.is_without_hard_links(),
        }
    }
}

impl ErrorFacts {
    fn of(error: &object_store::Error) -> Self {
        // The outermost text only repeats the store and the object.
        let mut text = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        let (mut http, mut local, mut status) = (None, None, None);
        // An error that is the whole cause. The errors around it add the URL of a correct request,
        // or repeat the object.
        let mut whole = None;
        let mut cause = error.source();
        while let Some(current) = cause {
            let words = current.to_string();
            if !text.contains(&words) {
                text.push_str(": ");
                text.push_str(&words);
            }
            http = HttpFailure::of(current).or(http);
            if let Some(found) = current.downcast_ref::<Failure>() {
                local = Some(LocalFacts::of(found));
                whole = Some(found.reason());
            }
            whole = network::wrong_reply(current).or(whole);
            status = network::refused(current).or(status);
            cause = current.source();
        }
        let retried = text.contains(" retries, max_retries: ");
        let (text, status) = match whole {
            Some(whole) => (whole, None),
            None => {
                let status = status.or_else(|| status_of(&text));
                (text, status)
            }
        };
        Self { status, retried, text, http, local }
    }

    fn kind(&self, error: &object_store::Error) -> StoreErrorKind {
        use object_store::Error as E;
        match error {
            E::NotFound { .. } => StoreErrorKind::NotFound,
            E::PermissionDenied { .. } | E::Unauthenticated { .. } => {
                StoreErrorKind::PermissionDenied
            }
            E::NotImplemented { .. } | E::NotSupported { .. } => StoreErrorKind::Unsupported,
            E::InvalidPath { .. } | E::UnknownConfigurationKey { .. } => StoreErrorKind::Invalid,
            E::Generic { .. } => self.local.map_or_else(|| self.remote_kind(), |local| local.kind),
            _ => StoreErrorKind::Other,
        }
    }

    fn remote_kind(&self) -> StoreErrorKind {
        match (self.status, self.http) {
            (Some(501 | 405), _) => StoreErrorKind::Unsupported,
            (Some(408 | 429 | 500..=599), _) => StoreErrorKind::Unavailable,
            (Some(301..=308 | 400 | 416), _) => StoreErrorKind::Invalid,
            (Some(401 | 403 | 407), _) => StoreErrorKind::PermissionDenied,
            (Some(404), _) => StoreErrorKind::NotFound,
            (Some(_), _) => StoreErrorKind::Other,
            (None, Some(HttpFailure::Answer)) => StoreErrorKind::Other,
            (None, Some(_)) => StoreErrorKind::Unavailable,
            (None, None) if self.text.contains("redirect without LOCATION") => {
                StoreErrorKind::Invalid
            }
            (None, None) => StoreErrorKind::Other,
        }
    }

    fn is_bucket_missing(&self) -> bool {
        ["NoSuchBucket", "ContainerNotFound"].iter().any(|code| self.text.contains(code))
    }

    /// Returns whether the server does not support the method of the request.
    fn is_unknown_method(&self) -> bool {
        matches!(self.status, Some(405 | 501))
    }

    fn may_be_the_proxy(&self) -> bool {
        self.status == Some(407) || self.http.is_some_and(|kind| kind != HttpFailure::Answer)
    }

    fn is_without_hard_links(&self) -> bool {
        self.local.is_some_and(|local| local.is_without_hard_links)
    }
}

/// Finds the HTTP status in an error's text; the library has no public accessor for it.
fn status_of(text: &str) -> Option<u16> {
    let (_, after) = text.split_once("status code: ")?;
    after.get(..3)?.parse().ok()
}

/// Returns whether an "already exists" rests on a conflict answer, or on a status alone.
///
/// Some servers also answer with a conflict when requests collide or a parent folder is missing.
/// Azurite takes the blocks of an unfinished upload for the object. Any server may send a mere
/// status. Only a check of the object decides.
pub(super) fn is_mere_conflict(error: &object_store::Error) -> bool {
    let text = ErrorFacts::of(error).text;
    match status_of(&text) {
        Some(409) => true,
        Some(_) => !text.contains("<Error"),
        None => false,
    }
}

/// Returns whether the error is an answer that is not the reply to its request.
pub(super) fn is_wrong_reply(error: &object_store::Error) -> bool {
    let mut cause = error.source();
    while let Some(current) = cause {
        if network::wrong_reply(current).is_some() {
            return true;
        }
        cause = current.source();
    }
    false
}

/// Returns whether a range was refused because it starts beyond the end of the object.
pub(super) fn is_range_refused(error: &object_store::Error) -> bool {
    let facts = ErrorFacts::of(error);
    facts.status == Some(416)
        || facts.text.contains("Invalid range")
        || facts.text.contains("Requested range was invalid")
        || facts.text.contains("Wanted range starting at")
}
