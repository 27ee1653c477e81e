//! The settings of one service: the environment's, and the options over them.
//!
//! Owns: which settings a service takes, their precedence, and the complaints about them.
//! Must not know: how a store is built from them.
//!
//! 1. An option beats the environment; an unknown option is refused, never dropped.
//! 2. No value of a setting stands in an error.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use object_store::{BackoffConfig, RetryConfig};

use super::options::{OWN_KEYS, OptionError, StoreOptions, truth_of, unknown_key};
use super::redact::Redactor;

/// Says why a store cannot be opened, and what to set. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// An option is wrong.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// No credentials are configured, so every request would be refused or hang.
    #[error(
        "no credentials for {root}: set {variables}; or --store-option {anonymous} for a public \
         one; or --store-option instance_credentials=true to use the role of this machine"
    )]
    NoCredentials {
        /// The root.
        root: String,
        /// The environment variables to set.
        variables: &'static str,
        /// The option for anonymous access.
        anonymous: &'static str,
    },
    /// A setting that the service needs is missing.
    #[error("{root} needs {needed}")]
    MissingSetting {
        /// The root.
        root: String,
        /// What to set.
        needed: &'static str,
    },
    /// The endpoint is plain HTTP and nobody asked for that.
    #[error(
        "the endpoint of {root} is plain http, which sends everything readable: add \
         --store-option allow_http=true if that is meant, or use https"
    )]
    PlainHttp {
        /// The root.
        root: String,
    },
    /// The settings do not fit together, or one has a wrong value.
    #[error("cannot open {root}: {reason}")]
    Settings {
        /// The root.
        root: String,
        /// The library's words, without secrets.
        reason: String,
    },
}

/// The options that name a bucket, which only the location does.
const BUCKET_KEYS: [&str; 8] = [
    "aws_bucket",
    "aws_bucket_name",
    "azure_container_name",
    "bucket",
    "bucket_name",
    "container_name",
    "google_bucket",
    "google_bucket_name",
];

/// The environment variables a store may look at.
pub(super) type Environment = Vec<(String, String)>;

/// Reads the process's environment, sorted; what is not UTF-8 or empty is passed over.
pub(super) fn process_environment() -> Environment {
    let mut variables: Environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    variables.sort();
    variables
}

/// The settings of one service: of the environment, then of the options.
pub(super) struct Settings<K> {
    pub(super) root: String,
    pub(super) values: Vec<(K, String)>,
    secrets: Vec<String>,
    instance_credentials: bool,
    pub(super) retry: RetryConfig,
}

/// The first pause before a request is repeated, and the longest.
///
/// The longest is short beside the timeout, so that a server that is back is soon asked again.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Each pause is random, up to so many times the one before. With less than e (2.718) they would
/// not grow.
const PAUSE_GROWTH: f64 = 3.0;

fn retry_config(options: &StoreOptions) -> RetryConfig {
    // So many pauses fit into the timeout at the most: it ends the retries, not their number.
    let until_timeout = options.timeout.as_millis() / PAUSE_MIN.as_millis();
    let until_timeout = usize::try_from(until_timeout).unwrap_or(usize::MAX);
    RetryConfig {
        max_retries: options.retry_max.unwrap_or(until_timeout),
        retry_timeout: options.timeout,
        backoff: BackoffConfig {
            init_backoff: PAUSE_MIN,
            max_backoff: PAUSE_MAX,
            base: PAUSE_GROWTH,
        },
    }
}

impl<K: FromStr + PartialEq> Settings<K> {
    pub(super) fn collect(
        root: &str,
        env_prefix: Option<&str>,
        known: &[&'static str],
        options: &StoreOptions,
        environment: &Environment,
    ) -> Result<Self, OpenError> {
        let mut settings = Self {
            root: root.to_owned(),
            values: Vec::new(),
            secrets: Vec::new(),
            instance_credentials: options.instance_credentials(),
            retry: retry_config(options),
        };
        for (name, value) in environment {
            let is_ours = env_prefix.is_some_and(|prefix| name.starts_with(prefix));
            let name = name.to_ascii_lowercase();
            if let (true, false, Ok(key)) = (is_ours, value.is_empty(), name.parse()) {
                settings.add(&name, key, value);
            }
        }
        let scheme = root.split_once("://").map_or(root, |(scheme, _)| scheme);
        for (name, value) in &options.pairs {
            if OWN_KEYS.contains(&name.as_str()) {
                continue;
            }
            if BUCKET_KEYS.contains(&name.as_str()) {
                let key = name.clone();
                return Err(OptionError::BucketInOption { key }.into());
            }
            let key = name.parse().map_err(|_| unknown_key(name, scheme, known))?;
            settings.add(name, key, value);
        }
        Ok(settings)
    }

    pub(super) fn add(&mut self, name: &str, key: K, value: &str) {
        const SECRET_WORDS: [&str; 6] = ["key", "secret", "token", "sas", "password", "credential"];
        let is_path =
            ["file", "path", "application_credentials"].iter().any(|word| name.contains(word));
        if !is_path && SECRET_WORDS.iter().any(|word| name.contains(word)) {
            self.secrets.push(value.to_owned());
        }
        self.values.retain(|(known, _)| *known != key);
        self.values.push((key, value.to_owned()));
    }

    pub(super) fn get(&self, key: &K) -> Option<&str> {
        let found = self.values.iter().find(|(known, _)| known == key);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    pub(super) fn has(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn is_true(&self, key: &K) -> bool {
        self.get(key).and_then(truth_of) == Some(true)
    }

    pub(super) fn redactor(&self) -> Redactor {
        Redactor::new(self.secrets.iter().cloned())
    }

    pub(super) fn failed(&self, error: impl fmt::Display) -> OpenError {
        OpenError::Settings {
            root: self.root.clone(),
            reason: self.redactor().clean(&error.to_string()),
        }
    }

    pub(super) fn refuse_plain_http(
        &self,
        endpoint: Option<&str>,
        allow: &K,
    ) -> Result<(), OpenError> {
        let is_plain =
            endpoint.is_some_and(|url| url.trim_start().to_ascii_lowercase().starts_with("http:"));
        if is_plain && !self.is_true(allow) {
            let root = self.root.clone();
            return Err(OpenError::PlainHttp { root });
        }
        Ok(())
    }

    pub(super) fn need_credentials(
        &self,
        found: bool,
        variables: &'static str,
        anonymous: &'static str,
    ) -> Result<(), OpenError> {
        if found || self.instance_credentials {
            return Ok(());
        }
        let root = self.root.clone();
        Err(OpenError::NoCredentials { root, variables, anonymous })
    }
}
