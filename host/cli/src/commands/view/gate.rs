//! Decides which requests are answered at all.

use std::fmt::Write as _;

use hyper::header::{ALLOW, HOST, HeaderValue};
use hyper::{Method, Request, StatusCode};

use super::answer::{Answer, text};
use crate::process::exit::{Code, Failure};

/// The random bytes of a token.
const TOKEN_BYTES: usize = 16;

/// The token of this run, and the names of this server.
pub(super) struct Gate {
    token: String,
    hosts: [String; 2],
}

impl Gate {
    /// Makes a gate with a new token.
    pub(super) fn new(port: u16) -> Result<Self, Failure> {
        let mut bytes = [0; TOKEN_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| {
            Failure::new(Code::Failed, format!("cannot make a random token: {error}"))
        })?;
        let mut token = String::new();
        for byte in bytes {
            // Writing to a string does not fail.
            write!(token, "{byte:02x}").ok();
        }
        Ok(Self { token, hosts: ["127.0.0.1", "localhost"].map(|host| format!("{host}:{port}")) })
    }

    /// Returns the address of the page.
    pub(super) fn url(&self) -> String {
        let Self { token, hosts: [host, _] } = self;
        format!("http://{host}/{token}/")
    }

    /// Returns the path of a request behind the token, without the slash between, or the refusal.
    ///
    /// A name that leads here, but is not this server's, is that of a page that wants to read the
    /// log by a changed DNS entry.
    pub(super) fn pass<'a, T>(&self, request: &'a Request<T>) -> Result<&'a str, Box<Answer>> {
        // With a URL in its first line or with several hosts, a request has more than one, of which
        // others on the way may read another than this server.
        if request.uri().authority().is_some() {
            let refusal = "request a path, without scheme and host before it";
            return Err(Box::new(text(StatusCode::BAD_REQUEST, refusal)));
        }
        let mut hosts = request.headers().get_all(HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            let refusal = "a request needs exactly one header Host";
            return Err(Box::new(text(StatusCode::BAD_REQUEST, refusal)));
        };
        let host = host.to_str().ok();
        if !host.is_some_and(|host| self.hosts.iter().any(|own| own.eq_ignore_ascii_case(host))) {
            let refusal = "this server answers to 127.0.0.1 and localhost only";
            return Err(Box::new(text(StatusCode::FORBIDDEN, refusal)));
        }
        let path = request.uri().path().strip_prefix('/').unwrap_or_default();
        let (token, rest) = path.split_once('/').unwrap_or((path, ""));
        if token != self.token {
            let refusal = "open the address that `stratalog view` has printed";
            return Err(Box::new(text(StatusCode::NOT_FOUND, refusal)));
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut refusal = text(StatusCode::METHOD_NOT_ALLOWED, "this server only reads");
            refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return Err(Box::new(refusal));
        }
        Ok(rest)
    }
}
