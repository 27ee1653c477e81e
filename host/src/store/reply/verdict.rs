//! The verdict on an answer: the form that the library sees, and the known effect of the request.
//!
//! 1. Only an answer that refuses, or a connection that was never made, proves that a request
//!    changed nothing.
//! 2. A refusal that states whether an object exists counts only in the form of the store.
//! 3. The library repeats requests according to the status. A transient failure gets a status that
//!    the library repeats. A permanent one becomes an error that it does not repeat.

use std::error::Error as StdError;
use std::io;

use bytes::Bytes;
use http::response::Parts;
use http::{StatusCode, Uri};
use object_store::client::{HttpError, HttpErrorKind, HttpRequest, HttpResponse};
use stratalog_store_rules::reply::document::{
    ERROR, check_bare, code_in, expect_root, is_transient,
};
use stratalog_store_rules::reply::head::is_without_effect;
use stratalog_store_rules::reply::listing;
use stratalog_store_rules::reply::wrong::WrongReply;
use stratalog_store_rules::text::shown;
use tower_http::follow_redirect::RequestUri;
use url::Url;

use super::asked::{Asked, Protocol};
use super::deletes::{self, Deletes};
use super::{Checksum, Refused, folder, page, status, uploads};

/// The result of an attempt.
pub(crate) struct Verdict {
    /// For the library.
    pub(crate) reply: Result<HttpResponse, HttpError>,
    /// The attempt certainly changed nothing.
    pub(crate) had_no_effect: bool,
    /// The cause of its failure, if it failed. May contain secrets.
    pub(crate) failure: Option<String>,
}

/// Judges the answers of one server.
#[derive(Debug)]
pub(crate) struct Judge {
    protocol: Protocol,
    /// The type that objects are written with, if a setting gives them one.
    own_type: Option<String>,
}

const AN_OBJECT: &str = "the object";

/// Judges an attempt without an answer.
pub(crate) fn of_failure(error: HttpError) -> Verdict {
    Verdict {
        had_no_effect: error.kind() == HttpErrorKind::Connect,
        failure: Some(innermost(&error).to_string()),
        reply: Err(repeatable(error)),
    }
}

impl Judge {
    /// Makes the judge of a server. `own_type` is the type that a setting gives to written objects.
    pub(crate) fn new(protocol: Protocol, own_type: Option<String>) -> Self {
        Self { protocol, own_type }
    }

    /// Returns the kind of store, for metrics.
    pub(crate) fn store_kind(&self) -> &'static str {
        self.protocol.store_kind()
    }

    /// Returns the purpose of a request.
    pub(crate) fn asked(&self, request: &HttpRequest) -> Asked {
        Asked::of(self.protocol, request)
    }

    /// Judges an object by its head, before its bytes arrive.
    pub(crate) fn of_head(&self, asked: &Asked, uri: &Uri, response: HttpResponse) -> Verdict {
        let (mut parts, body) = response.into_parts();
        let is_whole = !matches!(asked, Asked::Object { in_range: true });
        let checked = check_place(asked, uri, &parts)
            .and_then(|()| self.check_object(AN_OBJECT, is_whole, &parts));
        if let Err(wrong) = checked {
            return Verdict::wrong(wrong);
        }
        if let Some(checksum) = Checksum::announced(parts.status, &parts.headers) {
            parts.extensions.insert(checksum);
        }
        Verdict::good(HttpResponse::from_parts(parts, body))
    }

    /// Judges an answer that has arrived whole.
    pub(crate) fn of_whole(&self, asked: &Asked, uri: &Uri, parts: Parts, body: Bytes) -> Verdict {
        if !parts.status.is_success() {
            return of_refusal(self.protocol, asked, parts, body);
        }
        let code = code_in(&body);
        if code.as_deref().is_some_and(is_transient) {
            return Verdict::passing(parts, body, code);
        }
        let checked =
            check_place(asked, uri, &parts).and_then(|()| self.check_success(asked, &parts, &body));
        match checked {
            Ok(Success::AsItIs) => Verdict::good(HttpResponse::from_parts(parts, body.into())),
            Ok(Success::Rewritten(body)) => {
                Verdict::good(HttpResponse::from_parts(parts, body.into()))
            }
            Ok(Success::Repeat) => Verdict::passing(parts, body, code),
            Err(wrong) => Verdict::wrong(wrong),
        }
    }

    fn check_success(
        &self,
        asked: &Asked,
        parts: &Parts,
        body: &Bytes,
    ) -> Result<Success, WrongReply> {
        status::check(asked, self.protocol, parts.status)?;
        match asked {
            Asked::Listing(listing) => drop(listing::check(listing, body, |_, _| {})?),
            Asked::Folder(folder) => folder::check(folder, body)?,
            Asked::Presence => self.check_object("the head of the object", true, parts)?,
            // WebDAV servers add pages of their own to these. A login page has the status 200.
            Asked::Write if self.protocol == Protocol::WebDav && parts.status != StatusCode::OK => {
            }
            Asked::Write => check_bare("the result of a write", body)?,
            Asked::MakeFolder => {}
            Asked::UploadStart { path } => uploads::check_start(path, body)?,
            Asked::UploadEnd { path } => {
                return Ok(Success::Rewritten(uploads::check_end(path, body)?));
            }
            Asked::Delete if parts.status == StatusCode::NO_CONTENT => {}
            Asked::Delete => check_bare("the result of a delete", body)?,
            Asked::Deletes { keys } => return Ok(deletes::check(keys, body)?.into()),
            Asked::Batch { deletes } => return Ok(deletes::check_batch(*deletes, body)?.into()),
            // Objects are judged by their head.
            Asked::Object { .. } | Asked::Other => {}
        }
        Ok(Success::AsItIs)
    }

    fn check_object(
        &self,
        expected: &'static str,
        is_whole: bool,
        parts: &Parts,
    ) -> Result<(), WrongReply> {
        let own_type = self.own_type.as_deref();
        page::check_object(expected, is_whole, own_type, parts.status, &parts.headers)
    }
}

/// An answer that is the reply, with a status of success.
enum Success {
    AsItIs,
    /// In the form that the library reads.
    Rewritten(Bytes),
    /// A part of it failed for a transient reason.
    Repeat,
}

impl From<Deletes> for Success {
    fn from(deletes: Deletes) -> Self {
        match deletes {
            Deletes::Done(body) => Self::Rewritten(body),
            Deletes::Repeat => Self::Repeat,
        }
    }
}

/// Judges an answer without a status of success.
fn of_refusal(protocol: Protocol, asked: &Asked, mut parts: Parts, body: Bytes) -> Verdict {
    let status = parts.status;
    if status == StatusCode::NOT_MODIFIED && *asked != Asked::Other {
        return Verdict::wrong(super::status::wrong(asked, status));
    }
    let code = code_in(&body);
    if code.as_deref().is_some_and(is_transient) {
        return Verdict::passing(parts, body, code);
    }
    let had_no_effect = is_without_effect(status.as_u16());
    let failure = match &code {
        Some(code) => format!("{status}: {}", shown(code)),
        None => status.to_string(),
    };
    let failed = |reply| Verdict { reply, had_no_effect, failure: Some(failure.clone()) };
    if let Err(wrong) = check_meaning(protocol, asked, status, &body) {
        return failed(Err(HttpError::new(HttpErrorKind::Decode, wrong)));
    }
    match status {
        // WebDAV (RFC 4918) reports an existing folder this way.
        StatusCode::METHOD_NOT_ALLOWED if *asked == Asked::MakeFolder => {
            parts.status = StatusCode::OK;
        }
        // Two first writes may collide on a lock. The library would not retry that.
        StatusCode::LOCKED => parts.status = StatusCode::SERVICE_UNAVAILABLE,
        // A retry does not change what the server supports.
        StatusCode::NOT_IMPLEMENTED | StatusCode::HTTP_VERSION_NOT_SUPPORTED => {
            let body = String::from_utf8_lossy(&body).into_owned();
            let refused = Refused { status, body };
            return failed(Err(HttpError::new(HttpErrorKind::Decode, refused)));
        }
        _ => {}
    }
    failed(Ok(HttpResponse::from_parts(parts, body.into())))
}

/// Checks a refusal that states that an object exists, or that it does not. A server other than the
/// store answers unknown requests in the same way.
fn check_meaning(
    protocol: Protocol,
    asked: &Asked,
    status: StatusCode,
    body: &[u8],
) -> Result<(), WrongReply> {
    let has_meaning = matches!(
        status,
        StatusCode::NOT_FOUND | StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED
    );
    // WebDAV does not define the body, and some servers answer with the status alone.
    if !has_meaning || protocol == Protocol::WebDav || *asked == Asked::Other {
        return Ok(());
    }
    // After a blank answer to a delete the object may still exist. Only a check shows that.
    let is_delete = matches!(asked, Asked::Delete | Asked::Deletes { .. } | Asked::Batch { .. });
    if is_blank(body) && !is_delete {
        return Ok(());
    }
    let expected = "an error of the store";
    expect_root(body, &[ERROR], expected).map_err(|wrong| WrongReply {
        found: format!("{status}, and {}", wrong.found),
        is_broken: false,
        ..wrong
    })
}

fn is_blank(body: &[u8]) -> bool {
    body.trim_ascii().is_empty()
}

/// Checks that the answer came from the URL of the request.
///
/// A login page often has another URL. The client follows the redirect, sometimes with another
/// method.
fn check_place(asked: &Asked, uri: &Uri, parts: &Parts) -> Result<(), WrongReply> {
    let Some(RequestUri(found)) = parts.extensions.get() else { return Ok(()) };
    if found == uri || *asked == Asked::Other {
        return Ok(());
    }
    // The client normalizes URLs in its own way.
    let (Ok(asked_url), Ok(found)) = (url_of(uri), url_of(found)) else { return Ok(()) };
    let same_path = (asked_url.path(), asked_url.query()) == (found.path(), found.query());
    if same_path && (!asked.changes_objects() || asked_url.origin() == found.origin()) {
        return Ok(());
    }
    let host = found.host_str().unwrap_or_default();
    let found =
        format!("the request was redirected to {}", shown(&format!("{host}{}", found.path())));
    Err(WrongReply::other("from the requested URL", found))
}

fn url_of(uri: &Uri) -> Result<Url, url::ParseError> {
    uri.to_string().parse()
}

impl Verdict {
    fn good(response: HttpResponse) -> Self {
        Self { reply: Ok(response), had_no_effect: false, failure: None }
    }

    /// Judges a wrong answer: the request may or may not have had its effect.
    fn wrong(wrong: WrongReply) -> Self {
        let kind = match wrong.is_broken {
            true => HttpErrorKind::Request,
            false => HttpErrorKind::Decode,
        };
        let failure = Some(wrong.to_string());
        Self { reply: Err(HttpError::new(kind, wrong)), had_no_effect: false, failure }
    }

    /// Judges a failure that the library should repeat. The request may have been carried out.
    fn passing(mut parts: Parts, body: Bytes, code: Option<String>) -> Self {
        let code = code.map(|code| format!(": {}", shown(&code))).unwrap_or_default();
        let failure = Some(format!("{}{code}", parts.status));
        let is_repeated = parts.status.is_server_error()
            || [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT].contains(&parts.status);
        if !is_repeated {
            parts.status = StatusCode::SERVICE_UNAVAILABLE;
        }
        let reply = Ok(HttpResponse::from_parts(parts, body.into()));
        Self { reply, had_no_effect: false, failure }
    }
}

/// Marks a failure as one that the library repeats. Not so an untrusted certificate and a server
/// without TLS: a retry does not change them.
fn repeatable(error: HttpError) -> HttpError {
    match error.kind() {
        HttpErrorKind::Timeout | HttpErrorKind::Interrupted => {
            HttpError::new(HttpErrorKind::Request, error)
        }
        HttpErrorKind::Connect if has_no_tls(&error) => {
            HttpError::new(HttpErrorKind::Unknown, error)
        }
        _ => error,
    }
}

/// Returns whether a secure connection failed in a way that a retry does not change.
fn has_no_tls(error: &HttpError) -> bool {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(current) = cause {
        if is_final(current) {
            return true;
        }
        cause = current.source();
    }
    false
}

/// Returns whether the error is a permanent TLS error. System errors are searched too: their
/// `source` skips the error that they wrap.
fn is_final(error: &(dyn StdError + 'static)) -> bool {
    use rustls::Error as E;
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return error.get_ref().is_some_and(|inside| is_final(inside));
    }
    matches!(error.downcast_ref(), Some(E::InvalidCertificate(_) | E::InvalidMessage(_)))
}

/// Returns the cause with the most information in few words.
fn innermost(error: &dyn StdError) -> &dyn StdError {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost
}
