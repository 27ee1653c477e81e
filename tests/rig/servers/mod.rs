//! Object store servers on loopback for the tests. A test that needs one gets a running server with
//! an empty bucket, or the reason why this machine has none.
//!
//! 1. A server ends with its [`S3Server`]. It also ends with the process that started it, even if
//!    that is killed: it watches a pipe that only this process keeps open (see `process`).
//! 2. A missing program is a [`Skip`]. A program that exists but fails is a panic with the server's
//!    own words: a broken rig must not look like a passing test.
//! 3. The system chooses ports, and buckets and prefixes are fresh. Tests share nothing unless they
//!    share an [`S3Server`].

use std::fmt;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;

use crate::tools::{chromium, in_ci};

mod azurite;
mod bucket;
mod fake_gcs;
mod garage;
mod moto;
mod process;
mod program;
mod radosgw;
mod rclone;
pub mod registry;

/// The name of the only bucket of each server.
const BUCKET: &str = "stratalog-tests";
const ACCESS_KEY: &str = "stratalog-tests";
/// Garage accepts only keys of its own form.
const ACCESS_KEY_GARAGE: &str = "GK000000000000000000000001";
/// Part of the signature, otherwise without meaning on these servers.
const REGION: &str = "us-east-1";

/// A running S3 server on loopback with an empty bucket. Drop stops it and deletes its data.
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
    process: process::Supervised,
    /// The folder of its data, if they are not in memory.
    _folder: Option<TempDir>,
}

impl S3Server {
    /// Starts moto, a quick mock in Python that accepts any signature, in about a second.
    ///
    /// The first call on a machine without moto installs it under the target folder, once.
    ///
    /// # Errors
    /// When there is no Python, or moto cannot be installed for it.
    ///
    /// # Panics
    /// When the server is installed and does not start.
    pub fn moto() -> Result<S3Server, Skip> {
        moto::start()
    }

    /// Starts Ceph's radosgw with a cluster of one node in memory, in about 15 seconds. It is a
    /// real S3 server that checks signatures.
    ///
    /// # Errors
    /// When the programs of Ceph are not installed.
    ///
    /// # Panics
    /// When they are installed and the cluster does not start.
    pub fn radosgw() -> Result<S3Server, Skip> {
        radosgw::start()
    }

    /// Starts Garage, if it is installed: an S3 server that ignores create-if-absent.
    ///
    /// # Errors
    /// When it is not installed.
    ///
    /// # Panics
    /// When it is installed and does not start.
    pub fn garage() -> Result<S3Server, Skip> {
        garage::start()
    }

    /// Kills radosgw, which then starts again at the same address with its objects.
    ///
    /// # Panics
    /// When it is another server.
    pub fn restart(&self) {
        assert_eq!(self.kind, radosgw::KIND, "it would lose its objects");
        self.process.tell("restart").expect("the server runs");
    }

    /// Returns whether the server refuses a wrong signature.
    pub fn checks_signatures(&self) -> bool {
        self.kind != moto::KIND
    }

    /// Returns the options with which `object_store`, and so a stratalog host, reaches this server.
    pub fn store_options(&self) -> Vec<(String, String)> {
        self.store_options_at(&self.endpoint)
    }

    /// Returns the same options for a proxy at `endpoint`.
    pub fn store_options_at(&self, endpoint: &str) -> Vec<(String, String)> {
        [
            ("aws_endpoint", endpoint),
            ("aws_allow_http", "true"),
            ("aws_region", REGION),
            ("aws_access_key_id", &self.access_key),
            ("aws_secret_access_key", &self.secret_key),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// Returns a location for `log` in the bucket, under a prefix that no other call returns.
    pub fn url(&self, log: &str) -> String {
        format!("s3://{}/{}/{log}", self.bucket, fresh_prefix())
    }

    /// Returns the server that answers at `endpoint`, after making the bucket.
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
            process,
            _folder: None,
        };
        match bucket::create(&server) {
            Ok(()) => server,
            Err(reason) => panic!("{kind} does not make the bucket {BUCKET}: {reason}"),
        }
    }
}

/// Returns a prefix that no other call returns, in any process.
fn fresh_prefix() -> String {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    format!("{}-{call}", std::process::id())
}

/// A running server of another protocol than S3, on loopback and empty. Drop stops it and deletes
/// its data.
#[derive(Debug)]
pub struct Server {
    pub kind: &'static str,
    /// The URL of its bucket, container or folder.
    pub base: String,
    options: Vec<(String, String)>,
    _process: process::Supervised,
    _folder: Option<TempDir>,
}

impl Server {
    /// Starts Azurite, an emulator of Azure, in some seconds, and in a minute the first time.
    ///
    /// # Errors
    /// When there is no npm, or it cannot install Azurite.
    ///
    /// # Panics
    /// When the server is installed and does not start.
    pub fn azurite() -> Result<Server, Skip> {
        azurite::start()
    }

    /// Starts a fake of Google Cloud Storage, which takes no time.
    ///
    /// # Errors
    /// When there is no Python.
    ///
    /// # Panics
    /// When it does not start.
    pub fn fake_gcs() -> Result<Server, Skip> {
        fake_gcs::start()
    }

    /// Starts rclone as a WebDAV server of a folder, in about a second.
    ///
    /// # Errors
    /// When there is no Python that can install it.
    ///
    /// # Panics
    /// When the server is installed and does not start.
    pub fn rclone() -> Result<Server, Skip> {
        rclone::start()
    }

    fn new(
        kind: &'static str,
        base: String,
        options: &[(&str, &str)],
        process: process::Supervised,
    ) -> Server {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let options = options.iter().map(owned).collect();
        Server { kind, base, options, _process: process, _folder: None }
    }

    fn keeping(mut self, folder: TempDir) -> Server {
        self._folder = Some(folder);
        self
    }

    /// Returns the options with which a stratalog host reaches this server.
    pub fn store_options(&self) -> Vec<(String, String)> {
        self.options.clone()
    }

    /// Returns a location for `log`, under a prefix that no other call returns.
    pub fn url(&self, log: &str) -> String {
        format!("{}/{}/{log}", self.base, fresh_prefix())
    }

    /// Returns the folder that it serves, if it serves one.
    pub fn folder(&self) -> Option<&Path> {
        self._folder.as_ref().map(TempDir::path)
    }
}

/// Returns the one moto of this process, started by the first call.
///
/// # Errors
/// As [`S3Server::moto`]; every call returns the answer of the first.
pub fn shared_moto() -> Result<&'static S3Server, Skip> {
    static SHARED: OnceLock<Result<S3Server, Skip>> = OnceLock::new();
    SHARED.get_or_init(S3Server::moto).as_ref().map_err(Skip::clone)
}

/// Returns the one radosgw of this process, started by the first call.
///
/// # Errors
/// As [`S3Server::radosgw`]; every call returns the answer of the first.
pub fn shared_radosgw() -> Result<&'static S3Server, Skip> {
    static SHARED: OnceLock<Result<S3Server, Skip>> = OnceLock::new();
    SHARED.get_or_init(S3Server::radosgw).as_ref().map_err(Skip::clone)
}

/// The reason why this machine cannot run a server, and a remedy.
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

/// The servers that CI installs, and a browser. There, no test on them may be skipped.
const IN_CI: [&str; 8] = [
    moto::KIND,
    radosgw::KIND,
    azurite::KIND,
    rclone::KIND,
    fake_gcs::KIND,
    chromium::KIND,
    registry::KIND,
    registry::WKG,
];

/// Returns the server, or `None` after printing on standard error what is skipped and why.
///
/// # Panics
/// When a server that CI installs is skipped in CI (`CI` is set), unless
/// `STRATALOG_SERVERS_OPTIONAL` names it as one that could not be installed.
pub fn require_or_skip<Server>(server: Result<Server, Skip>) -> Option<Server> {
    match server {
        Ok(server) => Some(server),
        Err(skip) if is_due(skip.server) => {
            panic!("{skip} (CI is set, so this test must not be skipped)")
        }
        Err(skip) => {
            crate::backends::say(&skip.to_string());
            None
        }
    }
}

fn is_due(server: &str) -> bool {
    let optional = std::env::var("STRATALOG_SERVERS_OPTIONAL").unwrap_or_default();
    in_ci() && IN_CI.contains(&server) && !optional.split(' ').any(|name| name == server)
}
