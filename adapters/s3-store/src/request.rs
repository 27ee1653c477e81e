//! Requests about the bucket or one of its objects, and their signed form.
//!
//! Must not know: when a request is sent, or how often.

use std::time::Duration;

use bytes::Bytes;
use stratalog_store_rules::numbers::to_u64;

use crate::encoding;
use crate::settings::Settings;
use crate::signer::{self, Signed};

/// The method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Put,
    Post,
    Delete,
}

/// A request, before it is signed.
#[derive(Debug, Clone)]
pub struct Request {
    method: Method,
    /// The key below the root; none for the bucket.
    key: Option<String>,
    query: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, String)>,
    body: Vec<Bytes>,
    creates: bool,
}

/// A request that can be sent. The sender adds the header `host`.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub method: Method,
    pub is_https: bool,
    pub authority: String,
    pub path_with_query: String,
    /// Names in small letters.
    pub headers: Vec<(String, String)>,
    pub body: Vec<Bytes>,
}

impl Method {
    /// Returns the name of the method.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }

    /// Returns whether the length of the body must be stated, even of an empty one. Without it, a
    /// host sends the body of a delete in chunks, which a server may refuse.
    fn states_length(self) -> bool {
        matches!(self, Self::Put | Self::Post | Self::Delete)
    }
}

impl Request {
    /// Makes a request about an object, by its key below the root.
    pub fn object(method: Method, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..Self::bucket(method) }
    }

    /// Makes a request about the bucket.
    pub fn bucket(method: Method) -> Self {
        let (query, headers, body) = (Vec::new(), Vec::new(), Vec::new());
        Self { method, key: None, query, headers, body, creates: false }
    }

    /// Adds a pair to the query.
    pub fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// Adds a header. The name has small letters.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sets the body.
    pub fn body(mut self, pieces: Vec<Bytes>) -> Self {
        self.body = pieces;
        self
    }

    /// Adds the headers of a request that creates an object.
    pub fn creating(mut self) -> Self {
        self.creates = true;
        self
    }

    /// Returns the method.
    pub fn method(&self) -> Method {
        self.method
    }

    /// Returns the request, signed for this time since 1970.
    pub fn signed(&self, settings: &Settings, now: Duration) -> Outgoing {
        let endpoint = &settings.endpoint;
        let path = match &self.key {
            Some(key) => {
                let key = format!("{}{key}", settings.prefix);
                format!("{}/{}", endpoint.path, encoding::uri(&key, true))
            }
            None if endpoint.path.is_empty() => "/".to_owned(),
            None => endpoint.path.clone(),
        };
        let encode = |(name, value): &(&str, String)| {
            format!("{}={}", encoding::uri(name, false), encoding::uri(value, false))
        };
        let mut query: Vec<String> = self.query.iter().map(encode).collect();
        query.sort_unstable();
        let query = query.join("&");
        let more = if self.creates { &settings.create_headers[..] } else { &[] };
        let given = self.headers.iter().chain(&settings.headers).chain(more);
        let mut headers: Vec<(String, String)> =
            given.map(|(name, value)| ((*name).to_owned(), value.trim().to_owned())).collect();
        let mut add = |name: &str, value: String| headers.push((name.to_owned(), value));
        if self.method.states_length() {
            let length: usize = self.body.iter().map(Bytes::len).sum();
            add("content-length", to_u64(length).to_string());
        }
        if let Some(credentials) = &settings.credentials {
            let body_digest = match settings.signs_bodies {
                true => signer::digest(self.body.iter().map(|piece| &piece[..])),
                false => "UNSIGNED-PAYLOAD".to_owned(),
            };
            let timestamp = encoding::timestamp(now);
            add("x-amz-content-sha256", body_digest.clone());
            add("x-amz-date", timestamp.clone());
            if let Some(token) = &credentials.token {
                add("x-amz-security-token", token.clone());
            }
            // A proxy may change the length's header, and the host adds its own `host`.
            add("host", endpoint.authority.clone());
            let (method, body_digest) = (self.method.name(), &body_digest[..]);
            let is_signed = |name: &str| name != "content-length";
            let signed: Vec<_> =
                headers.iter().filter(|(name, _)| is_signed(name)).cloned().collect();
            let signed =
                Signed { method, path: &path, query: &query, headers: &signed, body_digest };
            let authorization = signed.authorization(credentials, &settings.region, &timestamp);
            headers.retain(|(name, _)| name != "host");
            headers.push(("authorization".to_owned(), authorization));
        }
        Outgoing {
            method: self.method,
            is_https: endpoint.is_https,
            authority: endpoint.authority.clone(),
            path_with_query: if query.is_empty() { path } else { format!("{path}?{query}") },
            headers,
            body: self.body.iter().filter(|piece| !piece.is_empty()).cloned().collect(),
        }
    }
}
