//! Accepts connections, and leads each request to the page, the log's name or its objects.
//!
//! Memory is bounded: a bounded number of connections are open, each with one request.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue, LOCATION};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use super::answer::{Answer, answer, text};
use super::connections::{Connections, Watched};
use super::gate::Gate;
use super::objects::Objects;
use super::page;

/// The time in which the header of a request must arrive, also on a connection that was idle.
const HEADER_WITHIN: Duration = Duration::from_secs(10);

/// The pause after a connection that the system could not accept, as without free descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// All that is served.
pub(super) struct Site {
    gate: Gate,
    objects: Objects,
    /// The log as JSON, for the page.
    log: String,
}

impl Site {
    /// `title` names the log for people, and has no secret.
    pub(super) fn new(gate: Gate, objects: Objects, name: &str, title: &str) -> Arc<Self> {
        let log = serde_json::json!({ "objects": "objects/", "log": name, "title": title });
        Arc::new(Self { gate, objects, log: format!("{log}\n") })
    }

    async fn answer(&self, request: &Request<Incoming>) -> Answer {
        let path = match self.gate.pass(request) {
            Ok(path) => path,
            Err(mut refusal) => {
                // Others cannot keep the few connections from the page.
                refusal.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                return *refusal;
            }
        };
        match path {
            // Without the last slash, the links of the page lead elsewhere.
            "" if !request.uri().path().ends_with('/') => self.to_the_page(),
            "log.json" => answer(StatusCode::OK, "application/json", self.log.clone()),
            "objects/" => self.objects.list(request.uri().query().unwrap_or_default()).await,
            path => match path.strip_prefix("objects/") {
                Some(key) => self.objects.get(key, request.headers()).await,
                None => {
                    let missing = || text(StatusCode::NOT_FOUND, "there is no such file");
                    page::file(path, request.headers()).unwrap_or_else(missing)
                }
            },
        }
    }

    fn to_the_page(&self) -> Answer {
        let mut moved = text(StatusCode::PERMANENT_REDIRECT, "");
        if let Ok(url) = HeaderValue::from_str(&self.gate.url()) {
            moved.headers_mut().insert(LOCATION, url);
        }
        moved
    }
}

/// Serves until it is dropped.
pub(super) async fn serve(listener: TcpListener, site: Arc<Site>) -> Infallible {
    let connections = Connections::new();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let place = connections.place().await;
        let activity = Arc::clone(&place.activity);
        let site = Arc::clone(&site);
        let task = tokio::spawn(async move {
            // The whole of it, not only the field that is used.
            let place = place;
            let service = service_fn(|request| {
                let site = Arc::clone(&site);
                let answering = place.activity.answering();
                async move {
                    let answer = site.answer(&request).await;
                    drop(answering);
                    Ok::<_, Infallible>(answer)
                }
            });
            let stream = Watched::new(stream, Arc::clone(&place.activity));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_WITHIN)
                .serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                tracing::debug!("a connection of the page has ended: {error}");
            }
        });
        connections.add(activity, task.abort_handle());
    }
}
