//! Requests over `wasi:http`, and the clocks of the host. The only file that calls them.
//!
//! 1. The host sets the header `host`. An empty body is not written at all.
//! 2. A body is written by the permits of its stream, and the rest when the stream is ready.
//! 3. The body of an answer is read as it comes, up to a limit.

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use stratalog_store_rules::numbers::{to_u64, to_usize};

use crate::bindings::wasi::clocks::monotonic_clock;
use crate::bindings::wasi::http::outgoing_handler;
use crate::bindings::wasi::http::types::{
    self, ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, OutgoingBody,
    OutgoingRequest, RequestOptions, Scheme,
};
use crate::bindings::wasi::io::poll;
use crate::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};
use crate::exchange::{ANSWER_BYTES_MAX, Answer, Broken, Transport};
use crate::request::{Method, Outgoing};

/// The most bytes of one write, of one read, and of one call to the host.
const STEP_BYTES: usize = 64 * 1024;

/// The time to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The host's HTTP and clocks.
pub(crate) struct Wasi {
    start: Instant,
    timeout: Duration,
}

/// A request in flight. The fields are in the order in which the host lets them be dropped.
pub(crate) struct Exchange {
    sending: Option<Sending>,
    receiving: Receiving,
    /// The bytes that were sent and received.
    moved: u64,
    /// The reason why the request could not be started.
    refused: Option<Broken>,
}

/// The rest of a body.
struct Sending {
    stream: OutputStream,
    body: OutgoingBody,
    pieces: VecDeque<Bytes>,
}

enum Receiving {
    Nothing,
    Head(FutureIncomingResponse),
    Body { stream: InputStream, _body: IncomingBody, answer: Answer, bytes: BytesMut },
}

impl Wasi {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { start: Instant::now(), timeout }
    }

    fn start(&self, request: Outgoing) -> Result<Exchange, Broken> {
        let headers: Vec<_> =
            request.headers.into_iter().map(|(name, value)| (name, value.into_bytes())).collect();
        let refused = |what: &str| unsent(&format!("the host refuses {what} of a request"), true);
        let headers = Fields::from_list(&headers).map_err(|_| refused("the headers"))?;
        let outgoing = OutgoingRequest::new(headers);
        let scheme = if request.is_https { Scheme::Https } else { Scheme::Http };
        outgoing.set_method(&method(request.method)).map_err(|()| refused("the method"))?;
        outgoing.set_scheme(Some(&scheme)).map_err(|()| refused("the scheme"))?;
        outgoing.set_authority(Some(&request.authority)).map_err(|()| refused("the host"))?;
        let path = Some(request.path_with_query.as_str());
        outgoing.set_path_with_query(path).map_err(|()| refused("the path"))?;
        let options = RequestOptions::new();
        let nanoseconds = |limit: Duration| u64::try_from(limit.as_nanos()).ok();
        // A host that has no such limit may refuse it: the store has its own.
        let _ = options.set_connect_timeout(nanoseconds(CONNECT_TIMEOUT.min(self.timeout)));
        let body = outgoing.body().map_err(|()| refused("the body"))?;
        let response = outgoing_handler::handle(outgoing, Some(options))
            .map_err(|error| broken(&error, "the request was not sent"))?;
        let mut exchange = Exchange {
            sending: None,
            receiving: Receiving::Head(response),
            moved: 0,
            refused: None,
        };
        if request.body.is_empty() {
            OutgoingBody::finish(body, None).map_err(|error| broken(&error, "sending failed"))?;
        } else {
            let stream = body.write().map_err(|()| refused("the body"))?;
            let pieces = request.body.into();
            exchange.sending = Some(Sending { stream, body, pieces });
        }
        Ok(exchange)
    }
}

impl Transport for Wasi {
    type Exchange = Exchange;

    fn send(&self, request: Outgoing) -> Exchange {
        self.start(request).unwrap_or_else(|broken| Exchange {
            sending: None,
            receiving: Receiving::Nothing,
            moved: 0,
            refused: Some(broken),
        })
    }

    fn advance(&self, exchange: &mut Exchange) -> Option<Result<Answer, Broken>> {
        if let Some(broken) = exchange.refused.take() {
            return Some(Err(broken));
        }
        // A server may refuse a body before it was sent whole. Then its answer explains why.
        if let Some(sending) = exchange.sending.take() {
            exchange.sending = sending.advance(&mut exchange.moved);
        }
        exchange.receiving.advance(&mut exchange.moved)
    }

    fn moved(&self, exchange: &Exchange) -> u64 {
        exchange.moved
    }

    fn wait(&self, exchanges: &[&Exchange], at_most: Duration) {
        let nanoseconds = u64::try_from(at_most.as_nanos()).unwrap_or(u64::MAX);
        let mut pollables = vec![monotonic_clock::subscribe_duration(nanoseconds)];
        for exchange in exchanges {
            if exchange.refused.is_some() {
                return;
            }
            pollables.extend(exchange.sending.as_ref().map(|sending| sending.stream.subscribe()));
            match &exchange.receiving {
                Receiving::Nothing => {}
                Receiving::Head(response) => pollables.push(response.subscribe()),
                Receiving::Body { stream, .. } => pollables.push(stream.subscribe()),
            }
        }
        let pollables: Vec<_> = pollables.iter().collect();
        poll::poll(&pollables);
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn since_1970(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}

impl Sending {
    /// Writes as much as is permitted, and counts it. Returns the rest, if there is one.
    fn advance(mut self, moved: &mut u64) -> Option<Self> {
        while let Some(mut piece) = self.pieces.pop_front() {
            let permitted = match self.stream.check_write() {
                Ok(0) => {
                    self.pieces.push_front(piece);
                    return Some(self);
                }
                Ok(permitted) => to_usize(permitted).min(STEP_BYTES),
                // The answer, or its absence, has the reason.
                Err(_) => return None,
            };
            let step = piece.split_to(permitted.min(piece.len()));
            if !piece.is_empty() {
                self.pieces.push_front(piece);
            }
            self.stream.write(&step).ok()?;
            *moved += to_u64(step.len());
        }
        let Self { stream, body, .. } = self;
        drop(stream);
        // A failure is that of the answer, too.
        let _ = OutgoingBody::finish(body, None);
        None
    }
}

impl Receiving {
    fn advance(&mut self, moved: &mut u64) -> Option<Result<Answer, Broken>> {
        if let Self::Head(response) = self {
            // Wasmtime knows of an answer only if it is asked whether the answer is ready.
            if !response.subscribe().ready() {
                return None;
            }
            let response = match response.get()? {
                Ok(Ok(response)) => response,
                Ok(Err(error)) => return Some(Err(broken(&error, "no answer"))),
                Err(()) => return Some(Err(Broken::midway("the answer was already taken"))),
            };
            *self = match Self::body(response) {
                Ok(body) => body,
                Err(broken) => return Some(Err(broken)),
            };
        }
        let Self::Body { stream, answer, bytes, .. } = self else { return None };
        loop {
            match stream.read(to_u64(STEP_BYTES)) {
                Ok(read) if read.is_empty() => return None,
                Ok(read) => {
                    *moved += to_u64(read.len());
                    bytes.extend_from_slice(&read);
                }
                Err(StreamError::Closed) => break,
                Err(StreamError::LastOperationFailed(error)) => {
                    let code = types::http_error_code(&error);
                    let text = code.map_or_else(|| error.to_debug_string(), |code| name(&code));
                    return Some(Err(Broken::midway(format!("the answer broke off: {text}"))));
                }
            }
            if bytes.len() > ANSWER_BYTES_MAX {
                let text = format!("the answer has more than {ANSWER_BYTES_MAX} bytes");
                return Some(Err(Broken { is_permanent: true, ..Broken::midway(text) }));
            }
        }
        answer.body = bytes.split().freeze();
        Some(Ok(std::mem::take(answer)))
    }

    fn body(response: IncomingResponse) -> Result<Self, Broken> {
        let headers = response.headers().entries().into_iter();
        let headers = headers.map(|(name, value)| {
            (name.to_ascii_lowercase(), String::from_utf8_lossy(&value).into_owned())
        });
        let answer =
            Answer { status: response.status(), headers: headers.collect(), ..Answer::default() };
        let failed = |()| Broken::midway("the answer has no body");
        let body = response.consume().map_err(failed)?;
        let stream = body.stream().map_err(failed)?;
        Ok(Self::Body { stream, _body: body, answer, bytes: BytesMut::new() })
    }
}

fn method(method: Method) -> types::Method {
    match method {
        Method::Get => types::Method::Get,
        Method::Head => types::Method::Head,
        Method::Put => types::Method::Put,
        Method::Post => types::Method::Post,
        Method::Delete => types::Method::Delete,
    }
}

fn unsent(text: &str, is_permanent: bool) -> Broken {
    Broken { text: text.to_owned(), may_have_arrived: false, is_permanent }
}

fn broken(error: &ErrorCode, what: &str) -> Broken {
    let text = format!("{what}: {}", name(error));
    match error {
        ErrorCode::DnsTimeout
        | ErrorCode::DnsError(_)
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionLimitReached => unsent(&text, false),
        ErrorCode::DestinationIpProhibited
        | ErrorCode::TlsCertificateError
        | ErrorCode::TlsProtocolError
        | ErrorCode::HttpRequestDenied
        | ErrorCode::HttpRequestMethodInvalid
        | ErrorCode::HttpRequestUriInvalid => unsent(&text, true),
        _ => Broken::midway(text),
    }
}

/// Returns the name of an error, such as `connection refused`.
fn name(error: &ErrorCode) -> String {
    if let ErrorCode::InternalError(Some(text)) = error {
        return text.clone();
    }
    let shown = format!("{error:?}");
    let shown = shown.strip_prefix("ErrorCode::").unwrap_or(&shown);
    let shown = shown.split(['(', ' ']).next().unwrap_or_default();
    let mut words = String::new();
    for c in shown.chars() {
        if c.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
    }
    words
}
