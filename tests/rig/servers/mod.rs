//! S3 servers on loopback for the tests: who needs one asks here, and gets a running server with
//! an empty bucket, or the reason why this machine has none.
//!
//! 1. A server ends with its [`S3Server`], and with the process that started it even if that is
//!    killed: it watches a pipe that only this process holds open (see `process`).
//! 2. What the machine lacks is a [`Skip`]. What it has but does not work is a panic with the
//!    server's own words: a broken rig must not look like a test that passed.
//! 3. Ports are chosen by the system, buckets and prefixes are fresh: tests share nothing unless
//!    they share an [`S3Server`].

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::tools::in_ci;

mod bucket;
mod moto;
mod process;
mod radosgw;

/// The bucket of every server; each has just this one.
const BUCKET: &str = "stratalog-tests";
const ACCESS_KEY: &str = "stratalog-tests";
/// Signed into requests and otherwise without meaning on these servers.
const REGION: &str = "us-east-1";

/// A running S3 server on loopback with an empty bucket. Stops when dropped, and its data vanish.
///
/// One in a `static` is never dropped, but still ends with the process.
#[derive(Debug)]
pub struct S3Server {
    /// `http://127.0.0.1:PORT`
    pub endpoint: String,
    pub bucket: String,
    pub access_key: String,
    pub secret_key: String,
    /// `moto` or `radosgw`
    pub kind: &'static str,
    _process: process::Supervised,
}

impl S3Server {
    /// Starts moto: a quick mock in Python that takes any signature, about a second.
    ///
    /// The first call on a machine without moto installs it under the target folder, once.
    ///
    /// # Errors
    /// When there is no Python, or moto cannot be installed for it.
    ///
    /// # Panics
    /// When the server is there and does not start.
    pub fn moto() -> Result<S3Server, Skip> {
        moto::start()
    }

    /// Starts Ceph's radosgw with a cluster of one node in memory: a real S3 that checks
    /// signatures, about 15 seconds.
    ///
    /// # Errors
    /// When the programs of Ceph are not installed.
    ///
    /// # Panics
    /// When they are installed and the cluster does not start.
    pub fn radosgw() -> Result<S3Server, Skip> {
        radosgw::start()
    }

    /// The options with which `object_store`, and so a stratalog host, reaches this server.
    pub fn store_options(&self) -> Vec<(String, String)> {
        [
            ("aws_endpoint", self.endpoint.as_str()),
            ("aws_allow_http", "true"),
            ("aws_region", REGION),
            ("aws_access_key_id", &self.access_key),
            ("aws_secret_access_key", &self.secret_key),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// A location for `log` in the bucket, under a prefix that no other call returns.
    pub fn url(&self, log: &str) -> String {
        static CALLS: AtomicU64 = AtomicU64::new(0);
        let call = CALLS.fetch_add(1, Ordering::Relaxed);
        format!("s3://{}/{}-{call}/{log}", self.bucket, std::process::id())
    }

    /// The server that answers at `endpoint`, once it has made the bucket.
    fn with_bucket(
        kind: &'static str,
        endpoint: String,
        secret_key: String,
        process: process::Supervised,
    ) -> S3Server {
        let server = S3Server {
            endpoint,
            bucket: BUCKET.to_owned(),
            access_key: ACCESS_KEY.to_owned(),
            secret_key,
            kind,
            _process: process,
        };
        match bucket::create(&server) {
            Ok(()) => server,
            Err(reason) => panic!("{kind} does not make the bucket {BUCKET}: {reason}"),
        }
    }
}

/// The one moto of this process, started by the first call.
///
/// # Errors
/// As [`S3Server::moto`]; every call returns the first one's answer.
pub fn shared_moto() -> Result<&'static S3Server, Skip> {
    static SHARED: OnceLock<Result<S3Server, Skip>> = OnceLock::new();
    SHARED.get_or_init(S3Server::moto).as_ref().map_err(Skip::clone)
}

/// The one radosgw of this process, started by the first call.
///
/// # Errors
/// As [`S3Server::radosgw`]; every call returns the first one's answer.
pub fn shared_radosgw() -> Result<&'static S3Server, Skip> {
    static SHARED: OnceLock<Result<S3Server, Skip>> = OnceLock::new();
    SHARED.get_or_init(S3Server::radosgw).as_ref().map_err(Skip::clone)
}

/// Why this machine cannot run a server, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skip {
    pub server: &'static str,
    pub reason: String,
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SKIPPED {}: {}", self.server, self.reason)
    }
}

impl std::error::Error for Skip {}

/// The server, or `None` after saying on standard error what is skipped and why.
///
/// # Panics
/// When moto is skipped in CI (`CI` is set): there the tests on S3 must run.
pub fn require_or_skip<Server>(server: Result<Server, Skip>) -> Option<Server> {
    match server {
        Ok(server) => Some(server),
        Err(skip) if skip.server == moto::KIND && in_ci() => {
            panic!("{skip} (CI is set, so this test must not be skipped)")
        }
        Err(skip) => {
            eprintln!("{skip}");
            None
        }
    }
}
