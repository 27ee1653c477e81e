//! The options of each service.
//!
//! Owns: the names, which the library can parse but not list, the form of each value, and which
//! values are secret. Each service lists its own, next to their effects. Must not know: the effect
//! of an option.
//!
//! 1. The library takes every name, and every option of the library is listed. An unknown option
//!    is refused.

use object_store::ClientConfigKey;

use super::values::Form;

/// One option.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    /// Its longest name.
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    pub(crate) is_secret: bool,
}

pub(super) const fn open(name: &'static str, form: Form) -> Known {
    Known { name, form, is_secret: false }
}

pub(super) const fn secret(name: &'static str, form: Form) -> Known {
    Known { name, form, is_secret: true }
}

/// The key of an option, in the library's form.
pub(crate) trait ServiceKey: std::str::FromStr + PartialEq + Copy + 'static {
    /// The options of the service in addition to those that all services have.
    const OWN: &'static [Known];

    /// The ways to have credentials, the first one first.
    const WAYS: &'static [&'static [Self]];

    /// The key of an option that all services have.
    fn client(key: ClientConfigKey) -> Self;
}

impl ServiceKey for ClientConfigKey {
    const OWN: &'static [Known] = &[];
    const WAYS: &'static [&'static [Self]] = &[];

    fn client(key: ClientConfigKey) -> Self {
        key
    }
}

/// Returns all options of a service.
pub(crate) fn known<K: ServiceKey>() -> impl Iterator<Item = &'static Known> {
    K::OWN.iter().chain(&HTTP)
}

/// Returns the option of that key.
pub(crate) fn known_of<K: ServiceKey>(key: K) -> Option<&'static Known> {
    known::<K>().find(|known| known.name.parse().is_ok_and(|parsed: K| parsed == key))
}

/// Returns whether a service takes the key, also under a short name.
pub(crate) fn is_known_anywhere(key: &str) -> bool {
    let takes: &[fn(&str) -> bool] = &[
        is_key::<ClientConfigKey>,
        #[cfg(feature = "s3")]
        is_key::<object_store::aws::AmazonS3ConfigKey>,
        #[cfg(feature = "gcs")]
        is_key::<object_store::gcp::GoogleConfigKey>,
        #[cfg(feature = "azure")]
        is_key::<object_store::azure::AzureConfigKey>,
    ];
    takes.iter().any(|takes| takes(key))
}

fn is_key<K: ServiceKey>(key: &str) -> bool {
    key.parse::<K>().is_ok()
}

/// Returns the names of the options of all services.
pub(crate) fn known_anywhere() -> Vec<&'static str> {
    let services: &[&[Known]] = &[
        &HTTP,
        #[cfg(feature = "s3")]
        object_store::aws::AmazonS3ConfigKey::OWN,
        #[cfg(feature = "gcs")]
        object_store::gcp::GoogleConfigKey::OWN,
        #[cfg(feature = "azure")]
        object_store::azure::AzureConfigKey::OWN,
    ];
    services.iter().copied().flatten().map(|known| known.name).collect()
}

/// The options of every service that speaks HTTP.
const HTTP: [Known; 20] = [
    open("allow_http", Form::Flag),
    open("allow_invalid_certificates", Form::Flag),
    open("connect_timeout", Form::Time),
    open("default_content_type", Form::Header),
    open("disable_system_certificates", Form::Flag),
    open("http1_only", Form::Flag),
    open("http2_keep_alive_interval", Form::Time),
    open("http2_keep_alive_timeout", Form::Time),
    open("http2_keep_alive_while_idle", Form::Flag),
    open("http2_max_frame_size", Form::FrameBytes),
    open("http2_only", Form::Flag),
    open("pool_idle_timeout", Form::Time),
    open("pool_max_idle_per_host", Form::Count),
    open("proxy_ca_certificate", Form::Certificates),
    open("proxy_excludes", Form::Header),
    secret("proxy_url", Form::Proxy),
    open("randomize_addresses", Form::Flag),
    open("read_timeout", Form::Time),
    open("timeout", Form::Time),
    open("user_agent", Form::Header),
];
