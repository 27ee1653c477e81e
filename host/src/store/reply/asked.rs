//! The request that an answer is checked against.
//!
//! Owns: recognizing the purpose of a request by its method, URL and headers.
//! Must not know: answers.

use http::HeaderMap;
use object_store::client::HttpRequest;
use stratalog_store_rules::reply::document::decoded;
use stratalog_store_rules::reply::listing::Listing;
use url::{Url, form_urlencoded};

use super::deletes;
use crate::telemetry::Class;

/// The protocol of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    S3,
    Google,
    Azure,
    WebDav,
}

impl Protocol {
    /// Returns the kind of store, for metrics.
    pub(crate) fn store_kind(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Google => "gs",
            Self::Azure => "az",
            Self::WebDav => "webdav",
        }
    }
}

/// The purpose of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A page of a listing, of a bucket or (Azure) a container.
    Listing(Listing),
    /// The content of a WebDAV folder, without that of deeper folders.
    Folder(Folder),
    /// The bytes of an object, or a range of them.
    Object {
        in_range: bool,
    },
    /// The existence of an object.
    Presence,
    /// To store an object, or a part of one.
    Write,
    /// To begin, or to complete, the multipart upload of the object at this path.
    UploadStart {
        path: String,
    },
    UploadEnd {
        path: String,
    },
    /// To delete an object, or the parts of an upload.
    Delete,
    /// To delete the objects of these keys.
    Deletes {
        keys: Vec<String>,
    },
    /// To do this many deletes in one request.
    Batch {
        deletes: usize,
    },
    /// To create a WebDAV folder.
    MakeFolder,
    /// A request for credentials, which is not about an object.
    Other,
}

/// The folder whose content was requested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folder {
    /// The base of relative links.
    pub(super) url: Option<Url>,
    /// Decoded, without the last slash.
    pub(super) path: String,
}

const MAKE_FOLDER: &str = "MKCOL";
const LIST_FOLDER: &str = "PROPFIND";

/// The headers of requests to the metadata servers of machines, which provide credentials.
const CREDENTIAL_HEADERS: [&str; 4] = [
    "metadata",
    "metadata-flavor",
    "x-aws-ec2-metadata-token",
    "x-aws-ec2-metadata-token-ttl-seconds",
];

impl Asked {
    /// Returns the purpose of `request` to a server of `protocol`.
    pub(crate) fn of(protocol: Protocol, request: &HttpRequest) -> Self {
        let uri = request.uri();
        let query = Query::of(uri.query().unwrap_or_default());
        let headers = request.headers();
        if CREDENTIAL_HEADERS.iter().any(|name| headers.contains_key(*name)) {
            return Self::Other;
        }
        match (request.method().as_str(), protocol) {
            ("GET", _) => Self::of_get(protocol, &query, headers),
            ("HEAD", _) => Self::Presence,
            ("PUT", _) => Self::Write,
            ("DELETE", _) => Self::Delete,
            (MAKE_FOLDER, _) => Self::MakeFolder,
            (LIST_FOLDER, _) => Self::Folder(Folder {
                url: Url::parse(&uri.to_string()).ok(),
                path: decoded(uri.path()).trim_end_matches('/').to_owned(),
            }),
            ("POST", Protocol::S3 | Protocol::Google) => {
                let path = decoded(uri.path());
                match request.body().as_bytes() {
                    _ if query.has("uploads") => Self::UploadStart { path },
                    _ if query.has("uploadId") => Self::UploadEnd { path },
                    Some(body) if query.has("delete") => {
                        Self::Deletes { keys: deletes::keys_in(body) }
                    }
                    _ => Self::Other,
                }
            }
            ("POST", Protocol::Azure) if query.get("comp") == Some("batch") => {
                let body = request.body().as_bytes();
                Self::Batch { deletes: body.map_or(0, |body| deletes::ids_in(body).len()) }
            }
            _ => Self::Other,
        }
    }

    fn of_get(protocol: Protocol, query: &Query, headers: &HeaderMap) -> Self {
        let listing = |is_azure, token| {
            let owned = |name| query.get(name).map(str::to_owned);
            let prefix = owned("prefix").unwrap_or_default();
            Self::Listing(Listing { is_azure, prefix, token: owned(token) })
        };
        match protocol {
            Protocol::S3 | Protocol::Google if query.has("list-type") => {
                listing(false, "continuation-token")
            }
            Protocol::S3 if query.has("session") => Self::Other,
            Protocol::Azure if query.get("comp") == Some("list") => listing(true, "marker"),
            _ => Self::Object { in_range: headers.contains_key(http::header::RANGE) },
        }
    }

    /// Returns whether the request changes objects. Creating a folder changes none.
    pub(crate) fn changes_objects(&self) -> bool {
        match self {
            Self::Write
            | Self::UploadStart { .. }
            | Self::UploadEnd { .. }
            | Self::Delete
            | Self::Deletes { .. }
            | Self::Batch { .. } => true,
            Self::Listing(_)
            | Self::Folder(_)
            | Self::Object { .. }
            | Self::Presence
            | Self::MakeFolder
            | Self::Other => false,
        }
    }

    /// Returns the name of the purpose, for metrics.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Listing(_) | Self::Folder(_) => "list",
            Self::Object { .. } => "get",
            Self::Presence => "head",
            Self::Write => "put",
            Self::UploadStart { .. } => "upload-start",
            Self::UploadEnd { .. } => "upload-finish",
            Self::Delete | Self::Deletes { .. } | Self::Batch { .. } => "delete",
            Self::MakeFolder => "make-folder",
            Self::Other => "other",
        }
    }

    /// Returns the price class of the request.
    pub(crate) fn class(&self) -> Class {
        match self {
            Self::Listing(_)
            | Self::Folder(_)
            | Self::Write
            | Self::UploadStart { .. }
            | Self::UploadEnd { .. }
            | Self::MakeFolder => Class::Write,
            Self::Object { .. } | Self::Presence => Class::Read,
            Self::Delete | Self::Deletes { .. } | Self::Batch { .. } | Self::Other => Class::Free,
        }
    }

    /// Returns whether the answer is an object, which is streamed. All other answers are small.
    pub(crate) fn is_streamed(&self) -> bool {
        matches!(self, Self::Object { .. })
    }
}

struct Query(Vec<(String, String)>);

impl Query {
    fn of(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}
