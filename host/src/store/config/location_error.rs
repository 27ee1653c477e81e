//! The faults of a location, each with the text to write instead.

/// The forms of a location, for messages and help texts.
pub const LOCATION_FORMS: &str = "a path, file:///FOLDER/NAME, s3://BUCKET/NAME, \
                                  gs://BUCKET/NAME, az://CONTAINER/NAME, \
                                  abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/NAME, \
                                  http(s)://HOST/NAME (WebDAV) or memory:NAME";

/// Reports the fault of a location, and the text to write instead. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocationError {
    /// The text is empty.
    #[error("the location is empty: write {LOCATION_FORMS}")]
    Empty,
    /// The text has an unknown scheme.
    #[error("the scheme {scheme:?} is not known: write {LOCATION_FORMS}")]
    UnknownScheme {
        /// The scheme as typed.
        scheme: String,
    },
    /// A URL of a store lacks the two slashes after its scheme, so it would be a folder.
    #[error("{text:?} is not a URL: write {url}, or ./{text} for a folder of that name")]
    NoAuthority {
        /// The text as typed, without secrets.
        text: String,
        /// The same with the slashes.
        url: String,
    },
    /// A `file` URL lacks three slashes, or has a host.
    #[error(
        "{text:?} is not a URL of a folder: write {url}, with three slashes and the whole path"
    )]
    NotFileUrl {
        /// The text as typed, without secrets.
        text: String,
        /// The same with the slashes.
        url: String,
    },
    /// The URL has no bucket, container or host, or an impossible one.
    #[error("{text:?} names no usable bucket, container or host: write {form}")]
    MissingBucket {
        /// The text as typed, without secrets.
        text: String,
        /// The correct form.
        form: &'static str,
    },
    /// The location names nothing below the bucket, host or root folder.
    #[error("{text:?} names no log: add the name of the log as the last segment")]
    MissingName {
        /// The text as typed, without secrets.
        text: String,
    },
    /// A `..` segment cannot be resolved.
    #[error("{text:?} has a `..` segment that cannot be followed: write the path without it")]
    ParentSegment {
        /// The text as typed, without secrets.
        text: String,
    },
    /// A segment is empty, too long, or has characters that no store takes.
    #[error("{text:?} has a segment that cannot be used: {reason}")]
    BadSegment {
        /// The text as typed, without secrets.
        text: String,
        /// The fault of the segment.
        reason: &'static str,
    },
    /// The URL has a user or a password.
    #[error("the {scheme} URL has a user or a password: {}", instead_of_credentials(scheme))]
    Credentials {
        /// The scheme as typed.
        scheme: String,
    },
    /// A user, a password and a host have no scheme, so they would be a folder.
    #[error(
        "a user and a password before {host:?} are not part of a location: write a URL without \
         them, or ./ before the path of a folder"
    )]
    NoScheme {
        /// The text after the password.
        host: String,
    },
    /// The URL has a query or a fragment.
    #[error("{text:?} has a query or a fragment, which a location cannot have: remove that part")]
    QueryOrFragment {
        /// The text as typed, up to the query.
        text: String,
    },
    /// The current folder cannot be found, so a relative path cannot be resolved.
    #[error("cannot resolve the relative path {text:?}: the current folder is unknown: {reason}")]
    CurrentFolder {
        /// The text as typed.
        text: String,
        /// The system's error text.
        reason: String,
    },
    /// The host belongs to a store that has its own scheme.
    #[error("the host {host:?} is not a WebDAV server: write {form}")]
    OtherScheme {
        /// The host as typed.
        host: String,
        /// The correct form.
        form: &'static str,
    },
}

/// Returns the place where credentials belong, or the substitute for them.
fn instead_of_credentials(scheme: &str) -> &'static str {
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" => {
            "WebDAV is used without credentials; leave them out, and use a server that trusts \
             your network or a proxy on this machine that adds them, such as `rclone serve \
             webdav`"
        }
        _ => "put credentials into the environment or into store options",
    }
}
