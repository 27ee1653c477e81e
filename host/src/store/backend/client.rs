//! The HTTP client of stores on the network: the library's client, with every attempt watched.
//!
//! Owns: the life of an attempt, and the time at which the library sees each outcome.
//! Must not know: the correct answer (see `reply`), or how often a request is repeated.
//!
//! 1. An answer counts once it has arrived whole. The bytes of objects are streamed instead: their
//!    reads resume where they broke off.
//! 2. Every request may be repeated. An object is created with fixed bytes, under a condition or
//!    under a name that only its writer uses. A second create finds the first one or writes the
//!    same. The library is therefore configured to repeat lost and overdue requests. By default it
//!    does so only for those it knows to be idempotent.
//! 3. Each answer is checked to be the reply to its request before the library reads it.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http::response::Parts;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
    ReqwestConnector,
};
use object_store::{ClientConfigKey, ClientOptions};
use stratalog_store_rules::reply::wrong::WrongReply;

use crate::store::backend::ended;
use crate::store::config::tls;
use crate::store::operation::Operation;
use crate::store::reply::{self, Asked, Judge, Protocol, Verdict};
use crate::telemetry;

/// By default an attempt is abandoned after this long without a byte from the server.
///
/// There is no limit on a whole answer. A large object, or a slow reader of it, takes its time.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// Returns the settings that every client begins with. Options of the store are applied on top.
pub(crate) fn client_options() -> ClientOptions {
    ClientOptions::new().with_timeout_disabled().with_read_timeout(SILENCE_MAX)
}

/// The longest answer but an object, in bytes. A WebDAV folder with 200,000 objects has less.
const ANSWER_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Makes clients that check each answer, and report the outcome of each attempt to the current
/// operation.
#[derive(Debug)]
pub(crate) struct WatchedConnector {
    protocol: Protocol,
    inner: ReqwestConnector,
}

impl WatchedConnector {
    /// Makes a connector to a server of that protocol.
    pub(crate) fn to(protocol: Protocol) -> Self {
        Self { protocol, inner: ReqwestConnector::default() }
    }
}

impl HttpConnector for WatchedConnector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        tls::ensure_provider();
        let own_type = options.get_config_value(&ClientConfigKey::DefaultContentType);
        let judge = Judge::new(self.protocol, own_type);
        Ok(HttpClient::new(Watched { judge, client: self.inner.connect(options)? }))
    }
}

#[derive(Debug)]
struct Watched {
    judge: Judge,
    client: HttpClient,
}

#[async_trait]
impl HttpService for Watched {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let asked = self.judge.asked(&request);
        let changes = asked.changes_objects();
        let operation = Operation::current();
        if let Some(operation) = &operation
            && operation.attempt_begins(changes)
        {
            telemetry::request_repeated(self.judge.store_kind());
        }
        let Verdict { reply, had_no_effect, failure } = self.attempt(&asked, request).await;
        if let Some(operation) = &operation {
            if changes && had_no_effect {
                operation.attempt_had_no_effect();
            }
            if let Some(failure) = failure {
                operation.attempt_failed(failure);
            }
            if let Some(answer) = reply.as_ref().ok().filter(|answer| answer.status().is_success())
            {
                operation.attempt_succeeded(answer.headers());
            }
        }
        if telemetry::is_on() {
            let (kind, end) = (self.judge.store_kind(), ended::outcome(&reply));
            telemetry::request_ended(kind, asked.name(), asked.class(), end);
        }
        reply
    }
}

impl Watched {
    async fn attempt(&self, asked: &Asked, request: HttpRequest) -> Verdict {
        let uri = request.uri().clone();
        match self.client.execute(request).await {
            Ok(response) if asked.is_streamed() && response.status().is_success() => {
                self.judge.of_head(asked, &uri, response)
            }
            Ok(response) => match whole(response).await {
                Ok((parts, body)) => self.judge.of_whole(asked, &uri, parts, body),
                Err(error) => reply::of_failure(error),
            },
            Err(error) => reply::of_failure(error),
        }
    }
}

/// Waits for the whole answer. The library would not repeat a request whose answer breaks off.
async fn whole(response: HttpResponse) -> Result<(Parts, Bytes), HttpError> {
    let (parts, body) = response.into_parts();
    let mut stream = body.bytes_stream();
    let mut whole = BytesMut::new();
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|error| HttpError::new(HttpErrorKind::Request, error))?;
        if whole.len() + piece.len() > ANSWER_BYTES_MAX {
            let wrong = WrongReply::too_large(ANSWER_BYTES_MAX);
            return Err(HttpError::new(HttpErrorKind::Decode, wrong));
        }
        whole.extend_from_slice(&piece);
    }
    Ok((parts, whole.freeze()))
}
