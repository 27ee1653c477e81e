//! The options that a user may set for a store, in addition to its location.
//!
//! Owns: the options as typed, including our own, and the error about an unknown one.
//! Must not know: the environment, or how a store is built.
//!
//! 1. No value is ever printed, not even by `Debug`, nor is a text that is no `key=value`.
//! 2. There is one retry layer, the library's. The time limit of an operation is set here, and
//!    optionally the number of its retries.

use std::fmt;
use std::time::Duration;

use strsim::levenshtein;

#[cfg(feature = "network")]
use crate::store::config::settings::option_names::{is_known_anywhere, known_anywhere};
use crate::store::config::truth::truth_of;

/// The highest number of retries that can be set. By default retries continue until the timeout.
pub const RETRY_MAX_LIMIT: usize = 100;

/// The default time limit of one operation.
///
/// A minute outlasts a server's restart and a short throttling. The caller keeps the bytes to write
/// and can retry at any time.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(60);

/// The shortest timeout. A distant store answers a first request in half of it.
pub const TIMEOUT_MIN: Duration = Duration::from_secs(1);

/// The longest timeout. Signatures and credentials of a request stay valid for five minutes.
pub const TIMEOUT_LIMIT: Duration = Duration::from_secs(240);

pub(crate) const RETRY_MAX: &str = "retry_max";
pub(crate) const RETRY_TIMEOUT: &str = "retry_timeout";
pub(crate) const INSTANCE_CREDENTIALS: &str = "instance_credentials";

/// Our own options, which every store on the network takes.
pub(crate) const OWN_KEYS: [&str; 3] = [INSTANCE_CREDENTIALS, RETRY_MAX, RETRY_TIMEOUT];

/// Holds the options of a store: `key=value` pairs that override the environment, and our own
/// options.
///
/// Keys are those of the store's service, such as `aws_region` (`aws_access_key_id`,
/// `azure_storage_account_name`, `google_service_account`, `allow_http`, ...), or our own:
///
/// * `retry_max`: the number of retries of a failed request, 0 to 100; by default until the
///   timeout;
/// * `retry_timeout`: the time limit of one operation in seconds, 1 to 240, default 60;
/// * `instance_credentials`: `true` to ask the machine's metadata server for credentials.
#[derive(Clone)]
pub struct StoreOptions {
    pub(crate) pairs: Vec<(String, String)>,
    pub(crate) sole_compactor: bool,
    /// None: until the timeout.
    pub(crate) retry_max: Option<usize>,
    pub(crate) timeout: Duration,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { pairs: Vec::new(), sole_compactor: false, retry_max: None, timeout: TIMEOUT_DEFAULT }
    }
}

impl fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |key| if looks_like_key(key) { key } else { "***" };
        let keys: Vec<&str> = self.pairs.iter().map(|(key, _)| shown(key.as_str())).collect();
        f.debug_struct("StoreOptions")
            .field("keys", &keys)
            .field("sole_compactor", &self.sole_compactor)
            .field("retry_max", &self.retry_max)
            .field("timeout", &self.timeout)
            .finish()
    }
}

/// Reports the option that is wrong and the text to write. Holds no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionError {
    /// A text is not `key=value`.
    #[error("store option number {position} is not of the form key=value; write KEY=VALUE")]
    NotAPair {
        /// The option's place among the given options, from 1.
        position: usize,
    },
    /// The store has no option of that name.
    #[error(
        "{scheme} has no store option {}; {}",
        shown_key(key, *position),
        shown_nearest(nearest)
    )]
    Unknown {
        /// The option's place among the given options, from 1.
        position: usize,
        /// The key as typed, if it looks like a key. Otherwise it may be a secret.
        key: Option<String>,
        /// The scheme of the location.
        scheme: String,
        /// The valid keys that are most similar to it. Empty if the store takes none.
        nearest: Vec<&'static str>,
    },
    /// The location decides this option.
    #[error(
        "cannot set the store option {key:?}: the location names the bucket; leave the option out"
    )]
    BucketInOption {
        /// The key as typed.
        key: String,
    },
    /// The value of one of our own options is wrong.
    #[error("invalid value of the store option {key:?}: write {expected}")]
    BadValue {
        /// The key.
        key: String,
        /// The permitted values.
        expected: &'static str,
    },
}

impl StoreOptions {
    /// Makes options that leave everything to the environment and the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a list of `key=value` texts. The last one of a key wins.
    ///
    /// # Errors
    /// [`OptionError::NotAPair`] and [`OptionError::BadValue`]. An unknown key is reported when the
    /// store is opened.
    pub fn parse<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Result<Self, OptionError> {
        let mut options = Self::default();
        for (index, text) in texts.into_iter().enumerate() {
            let (key, value) = text
                .as_ref()
                .split_once('=')
                .filter(|(key, _)| !key.trim().is_empty())
                .ok_or(OptionError::NotAPair { position: index + 1 })?;
            options = options.with_option(key.trim(), value)?;
        }
        Ok(options)
    }

    /// Adds one option; see the type for the keys.
    ///
    /// # Errors
    /// [`OptionError::BadValue`] if it is one of our own options and the value is wrong.
    pub fn with_option(
        mut self,
        key: impl Into<String>,
        value: impl Into<String>,
    ) -> Result<Self, OptionError> {
        let (key, value) = (key.into().to_ascii_lowercase(), value.into());
        let bad = |expected| OptionError::BadValue { key: key.clone(), expected };
        match key.as_str() {
            RETRY_MAX => {
                let max = value.parse().ok().filter(|max| *max <= RETRY_MAX_LIMIT);
                self.retry_max = Some(max.ok_or_else(|| bad("a number from 0 to 100"))?);
            }
            RETRY_TIMEOUT => {
                let timeout = value.parse().ok().map(Duration::from_secs);
                let timeout =
                    timeout.filter(|timeout| (TIMEOUT_MIN..=TIMEOUT_LIMIT).contains(timeout));
                self.timeout = timeout.ok_or_else(|| bad("seconds from 1 to 240"))?;
            }
            INSTANCE_CREDENTIALS if truth_of(&value).is_none() => return Err(bad("true or false")),
            _ => {}
        }
        self.pairs.push((key, value));
        Ok(self)
    }

    /// Declares that at most one compactor ever runs on this root, on any machine.
    ///
    /// An exclusive create then also works on stores without create-if-absent, by a check and an
    /// unconditional create. If there are two compactors after all, one could overwrite the objects
    /// of the other.
    pub fn with_sole_compactor(mut self, sole_compactor: bool) -> Self {
        self.sole_compactor = sole_compactor;
        self
    }

    /// Limits the number of retries of a failed request, to at most 100. By default a request is
    /// retried until the timeout, see [`StoreOptions::with_timeout`].
    pub fn with_retry_max(mut self, retry_max: usize) -> Self {
        self.retry_max = Some(retry_max.min(RETRY_MAX_LIMIT));
        self
    }

    /// Sets the time limit of one operation, its retries included: 1 s to 240 s.
    ///
    /// An operation is one create, one listing, one delete of up to 1000 objects, or the next part
    /// of a read or an upload. A write that is abandoned at the limit is [`WriteError::Unknown`]
    /// unless it is certain that no attempt had an effect. The same write can be retried.
    ///
    /// [`WriteError::Unknown`]: crate::store::WriteError::Unknown
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout_in_bounds(timeout);
        self
    }

    /// Refuses every option, for stores that take none.
    pub(crate) fn refuse_all(&self, scheme: &str) -> Result<(), OptionError> {
        match self.pairs.first() {
            None => Ok(()),
            Some((key, _)) => Err(unknown_key(0, key, scheme, &[])),
        }
    }

    /// Returns whether the option of that key was added, such as `retry_timeout`.
    pub fn has_option(&self, key: &str) -> bool {
        self.pairs.iter().any(|(known, _)| known == key)
    }

    /// Returns whether the metadata server of the machine may be asked for credentials.
    pub(crate) fn instance_credentials(&self) -> bool {
        let value = self.pairs.iter().rfind(|(key, _)| key == INSTANCE_CREDENTIALS);
        value.is_some_and(|(_, value)| truth_of(value) == Some(true))
    }
}

/// Returns the nearest permitted timeout.
pub(crate) fn timeout_in_bounds(timeout: Duration) -> Duration {
    timeout.clamp(TIMEOUT_MIN, TIMEOUT_LIMIT)
}

/// Returns the error about an unknown key, the option of that index, with the five most similar of
/// the `known` ones.
///
/// The key is repeated only if it looks like an option's key. Otherwise the key may be missing, and
/// the text a secret that contains a `=`.
pub(crate) fn unknown_key(
    index: usize,
    key: &str,
    scheme: &str,
    known: &[&'static str],
) -> OptionError {
    let mut nearest = known.to_vec();
    if !nearest.is_empty() {
        nearest.extend(OWN_KEYS);
    }
    nearest.sort_by_key(|name| distance(key, name));
    nearest.truncate(5);
    OptionError::Unknown {
        position: index + 1,
        key: looks_like_key(key).then(|| key.to_owned()),
        scheme: scheme.to_owned(),
        nearest,
    }
}

/// Returns whether a text is, apart from typing errors, the key of an option of any service.
fn looks_like_key(key: &str) -> bool {
    let looks_like = |name: &&'static str| {
        let longest = bare(key).chars().count().max(bare(name).chars().count());
        distance(key, name) * 5 <= longest * 3
    };
    let any_service = known_anywhere();
    is_known_anywhere(key) || OWN_KEYS.iter().chain(&any_service).any(looks_like)
}

/// Returns the key without the name of its service.
fn bare(name: &str) -> &str {
    let services = ["aws_", "azure_storage_", "azure_", "google_"];
    services.iter().find_map(|service| name.strip_prefix(service)).unwrap_or(name)
}

/// Returns the edit distance of two keys, with or without the names of services.
fn distance(a: &str, b: &str) -> usize {
    levenshtein(a, b).min(levenshtein(bare(a), bare(b)))
}

/// Without services there are only our own options.
#[cfg(not(feature = "network"))]
fn is_known_anywhere(_: &str) -> bool {
    false
}

#[cfg(not(feature = "network"))]
fn known_anywhere() -> Vec<&'static str> {
    Vec::new()
}

fn shown_key(key: &Option<String>, position: usize) -> String {
    match key {
        Some(key) => format!("{key:?}"),
        None => format!(
            "of the name in option number {position}, which is hidden since it may be a secret"
        ),
    }
}

fn shown_nearest(nearest: &[&str]) -> String {
    match nearest.is_empty() {
        true => "this store takes no options: leave them out".to_owned(),
        false => format!("use one that it has, such as {}", nearest.join(", ")),
    }
}
