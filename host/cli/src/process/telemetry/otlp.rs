//! Sends metrics and traces to an endpoint, by OTLP over HTTP with protobuf.
//!
//! 1. Requests are made by tasks of the runtime, each with a time limit.
//! 2. The first failure is a warning. It names the host of the endpoint and no secret.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::body::Bytes;
use hyper::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{
    MetricExporter, Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
};
use stratalog::store::hide_secrets;
use tokio::runtime::Handle;
use url::Url;

use crate::process::exit::{Code, Failure};

/// The time limit of a request.
const REQUEST_TIME: Duration = Duration::from_secs(10);

/// The most bytes of an answer, which says little.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// An endpoint, and the client that both exporters share.
pub(super) struct Endpoint {
    url: Url,
    client: Arc<Client>,
}

impl Endpoint {
    /// Makes the client. Call it within the runtime.
    pub(super) fn new(url: &Url) -> Result<Self, Failure> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // It fails only if another thread has installed one, which serves as well.
            rustls::crypto::ring::default_provider().install_default().ok();
        }
        let builder = reqwest::Client::builder().timeout(REQUEST_TIME);
        let client = builder.redirect(reqwest::redirect::Policy::none()).build();
        let client = client.map_err(|error| failed(url, &error))?;
        let host = url.origin().ascii_serialization();
        let (runtime, has_warned) = (Handle::current(), AtomicBool::new(false));
        let client = Arc::new(Client { client, runtime, host, has_warned });
        Ok(Self { url: url.clone(), client })
    }

    pub(super) fn metrics(&self) -> Result<MetricExporter, Failure> {
        let exporter = MetricExporter::builder().with_http().with_http_client(self.client());
        let exporter = exporter.with_endpoint(self.path("v1/metrics"));
        let exporter = exporter.with_protocol(Protocol::HttpBinary).with_timeout(REQUEST_TIME);
        exporter.build().map_err(|error| failed(&self.url, &error))
    }

    pub(super) fn traces(&self) -> Result<SpanExporter, Failure> {
        let exporter = SpanExporter::builder().with_http().with_http_client(self.client());
        let exporter = exporter.with_endpoint(self.path("v1/traces"));
        let exporter = exporter.with_protocol(Protocol::HttpBinary).with_timeout(REQUEST_TIME);
        exporter.build().map_err(|error| failed(&self.url, &error))
    }

    fn client(&self) -> SharedClient {
        SharedClient(Arc::clone(&self.client))
    }

    fn path(&self, path: &str) -> String {
        format!("{}/{path}", self.url.as_str().trim_end_matches('/'))
    }
}

fn failed(url: &Url, error: &dyn fmt::Display) -> Failure {
    let host = url.origin().ascii_serialization();
    let message = hide_secrets(&format!(
        "cannot send metrics and traces to {host} (--otlp-endpoint): {error}; check the URL and \
         the environment variables OTEL_*"
    ));
    Failure::new(Code::Failed, message)
}

struct Client {
    client: reqwest::Client,
    runtime: Handle,
    /// The scheme, the host and the port.
    host: String,
    has_warned: AtomicBool,
}

#[derive(Clone)]
struct SharedClient(Arc<Client>);

impl fmt::Debug for SharedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedClient").field(&self.0.host).finish()
    }
}

#[async_trait::async_trait]
impl HttpClient for SharedClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let this = self.clone();
        // The exporters run on threads of their own, outside of the runtime.
        let sent = self.0.runtime.spawn(async move { this.0.send(request).await });
        let answer = match sent.await {
            Ok(answer) => answer,
            Err(_) => return Err("the command has ended".into()),
        };
        match &answer {
            Ok(answer) if !answer.status().is_success() => {
                self.0.warn(&format!("it answers {}", answer.status()));
            }
            Ok(_) => {}
            Err(error) => self.0.warn(&innermost(error.as_ref())),
        }
        answer
    }
}

impl Client {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let mut answer = self.client.execute(request.try_into()?).await?;
        let (status, mut body) = (answer.status(), Vec::new());
        while let Some(piece) = answer.chunk().await? {
            if body.len() + piece.len() > ANSWER_BYTES_MAX {
                return Err("its answer is too large".into());
            }
            body.extend_from_slice(&piece);
        }
        Ok(Response::builder().status(status).body(body.into())?)
    }

    fn warn(&self, why: &str) {
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            let host = &self.host;
            tracing::warn!(
                "cannot send metrics and traces to {host}: {why}; the command continues without"
            );
        }
    }
}

/// Returns the text of the innermost cause, which has no URL.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
