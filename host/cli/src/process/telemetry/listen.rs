//! Serves the metrics as Prometheus text.
//!
//! 1. Memory and time are bounded: a few connections, each with one request and a time limit. More
//!    connections wait in the system's queue.
//! 2. Nothing but the metrics is served.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use opentelemetry_prometheus::PrometheusExporter;
use prometheus::{Encoder as _, Registry, TextEncoder};
use tokio::sync::Semaphore;

use crate::process::exit::{Code, Failure};

/// The most connections at the same time.
const CONNECTIONS_MAX: usize = 16;

/// The time in which a connection must be over, with its request and its answer.
const CONNECTION_TIME: Duration = Duration::from_secs(10);

/// The pause after a connection that the system could not accept, as without free descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

const TEXT: &str = "text/plain; charset=utf-8";

/// Makes the reader of the metrics, and the registry that encodes them.
pub(super) fn reader() -> Result<(PrometheusExporter, Registry), Failure> {
    let registry = Registry::new();
    let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone());
    let exporter = exporter.scope_info_enabled(false);
    let exporter = exporter
        .build()
        .map_err(|error| Failure::new(Code::Failed, format!("cannot collect metrics: {error}")))?;
    Ok((exporter, registry))
}

/// A bound address.
pub(super) struct Listening {
    listener: tokio::net::TcpListener,
    address: SocketAddr,
}

impl Listening {
    /// Binds the address.
    pub(super) fn bind(address: SocketAddr) -> Result<Self, Failure> {
        let bind = || {
            let listener = TcpListener::bind(address)?;
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok::<_, std::io::Error>(Self {
                listener: tokio::net::TcpListener::from_std(listener)?,
                address,
            })
        };
        bind().map_err(|error| {
            let message = format!(
                "cannot listen on {address} (--metrics-listen): {error}; give another address, or \
                 port 0 to take a free one"
            );
            Failure::new(Code::Failed, message)
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves the metrics until the runtime ends.
    pub(super) fn serve(self, registry: Registry) {
        tokio::spawn(async move {
            let free = Arc::new(Semaphore::new(CONNECTIONS_MAX));
            loop {
                let Ok(permit) = Arc::clone(&free).acquire_owned().await else { return };
                let stream = match self.listener.accept().await {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        tracing::debug!("cannot accept a connection for metrics: {error}");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                        continue;
                    }
                };
                let registry = registry.clone();
                tokio::spawn(async move {
                    let _permit = permit;
                    let service = service_fn(|request| {
                        let answer = answer(&request, &registry);
                        async move { Ok::<_, Infallible>(answer) }
                    });
                    let connection = http1::Builder::new()
                        .keep_alive(false)
                        .timer(TokioTimer::new())
                        .header_read_timeout(CONNECTION_TIME)
                        .serve_connection(TokioIo::new(stream), service);
                    if let Ok(Err(error)) = tokio::time::timeout(CONNECTION_TIME, connection).await
                    {
                        tracing::debug!("a connection for metrics has ended: {error}");
                    }
                });
            }
        });
    }
}

type Answer = Response<Full<Bytes>>;

fn answer(request: &Request<Incoming>, registry: &Registry) -> Answer {
    let plain = |status, words: &'static str| text(status, TEXT, words.into());
    if request.uri().path() != "/metrics" {
        return plain(StatusCode::NOT_FOUND, "the metrics are at /metrics\n");
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "the metrics can only be read\n");
    }
    let encoder = TextEncoder::new();
    let mut page = Vec::new();
    match encoder.encode(&registry.gather(), &mut page) {
        Ok(()) => text(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", page.into()),
        Err(error) => {
            let words = format!("the metrics cannot be encoded: {error}\n");
            text(StatusCode::INTERNAL_SERVER_ERROR, TEXT, words.into())
        }
    }
}

fn text(status: StatusCode, content_type: &'static str, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}
