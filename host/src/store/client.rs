//! The HTTP client of stores on the network: the library's, watched attempt by attempt.
//!
//! Owns: what an attempt's outcome says about its effect, and which transport failures the library
//! may repeat. Must not know: what a request is for.
//!
//! 1. Only an answer that refuses, or a connection that was never made, proves that a request
//!    changed nothing.
//! 2. An answer counts once it is there whole, but for the bytes of objects, which are streamed:
//!    their reads go on where they broke off.
//! 3. Every request may be repeated: an object is created with fixed bytes, under a condition or
//!    under a name that only its writer uses, so a second create finds the first one or writes
//!    the same. So the library is told to repeat lost and overdue requests, which it would
//!    otherwise do only for those it knows to be idempotent.
//! 4. What only passes is repeated too: the lock that a WebDAV server holds for somebody else's
//!    request. And a folder that is there already is as good as made.

use std::time::Duration;

use async_trait::async_trait;
use http::StatusCode;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
    ReqwestConnector,
};

use super::operation::Operation;
use super::tls;

/// After this long without a byte from the server an attempt is given up, if nothing else is set.
///
/// There is no limit on a whole answer: a large object, or a slow reader of it, takes its time.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// The settings that every client begins with; options of the store come on top.
pub(super) fn client_options() -> ClientOptions {
    ClientOptions::new().with_timeout_disabled().with_read_timeout(SILENCE_MAX)
}

/// Makes clients that tell the operation under way what became of each attempt.
#[derive(Debug, Default)]
pub(super) struct WatchedConnector(ReqwestConnector);

impl HttpConnector for WatchedConnector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        tls::ensure_provider();
        Ok(HttpClient::new(Watched(self.0.connect(options)?)))
    }
}

#[derive(Debug)]
struct Watched(HttpClient);

#[async_trait]
impl HttpService for Watched {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let changes = changes_something(request.method().as_str());
        let makes_folder = request.method().as_str() == MAKE_FOLDER;
        let reads_object = reads_object(request.method().as_str(), request.uri().query());
        let operation = Operation::current();
        if let Some(operation) = &operation {
            operation.attempt_begins(changes);
        }
        let answer = match self.0.execute(request).await {
            Ok(response) if !reads_object => whole(response).await,
            answer => answer,
        };
        if let Some(operation) = &operation {
            if changes && is_without_effect(&answer) {
                operation.attempt_had_no_effect();
            }
            match &answer {
                Ok(response) if response.status().is_success() => {}
                Ok(response) => operation.attempt_failed(response.status()),
                Err(error) => operation.attempt_failed(innermost(error)),
            }
        }
        answer.map(|response| as_meant(response, makes_folder)).map_err(repeatable)
    }
}

const MAKE_FOLDER: &str = "MKCOL";

/// Says whether a request of that method changes objects. Making a folder is not a change of what
/// it will hold.
fn changes_something(method: &str) -> bool {
    !matches!(method, "GET" | "HEAD" | "OPTIONS" | "PROPFIND" | MAKE_FOLDER)
}

/// Says whether the answer is an object; any other is small.
fn reads_object(method: &str, query: Option<&str>) -> bool {
    let is_listing = query.is_some_and(|query| {
        query.split('&').any(|part| part.starts_with("list-type=") || part == "comp=list")
    });
    method == "GET" && !is_listing
}

/// Waits for the whole answer: the library would not repeat a request whose answer breaks off.
async fn whole(response: HttpResponse) -> Result<HttpResponse, HttpError> {
    let (parts, body) = response.into_parts();
    let bytes = body.bytes().await;
    let bytes = bytes.map_err(|error| HttpError::new(HttpErrorKind::Request, error))?;
    Ok(HttpResponse::from_parts(parts, bytes.into()))
}

fn is_without_effect(answer: &Result<HttpResponse, HttpError>) -> bool {
    match answer {
        Ok(response) => match response.status().as_u16() {
            // Timeouts, conflicts and throttling may be told of a request that was carried out.
            408 | 409 | 425 | 429 => false,
            status => (300..500).contains(&status),
        },
        Err(error) => error.kind() == HttpErrorKind::Connect,
    }
}

/// Makes of a WebDAV answer (RFC 4918) the one that the library understands: it gives up where two
/// first writes make one folder, or meet in its lock.
fn as_meant(mut response: HttpResponse, makes_folder: bool) -> HttpResponse {
    let status = match response.status() {
        StatusCode::METHOD_NOT_ALLOWED if makes_folder => StatusCode::OK,
        StatusCode::LOCKED => StatusCode::SERVICE_UNAVAILABLE,
        status => status,
    };
    *response.status_mut() = status;
    response
}

/// Marks a failure as one that the library repeats.
fn repeatable(error: HttpError) -> HttpError {
    match error.kind() {
        HttpErrorKind::Timeout | HttpErrorKind::Interrupted => {
            HttpError::new(HttpErrorKind::Request, error)
        }
        _ => error,
    }
}

/// The cause that says most in few words.
fn innermost(error: &dyn std::error::Error) -> &dyn std::error::Error {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost
}
