//! The settings that would have no effect.
//!
//! Owns: the dependencies between the settings of each service. Must not know: the meaning of a
//! value.
//!
//! 1. An option either works or is refused, with an explanation of the missing or conflicting
//!    setting.
//! 2. A variable that asks for encryption is treated alike. Any other may be meant for another
//!    program, and is ignored.

use object_store::ClientConfigKey as Client;

use super::{OpenError, Origin, ServiceKey, SettingName, Settings};
use crate::store::config::truth::truth_of;

/// The sources that a rule applies to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Options,
    All,
}

/// A setting, whether it has an effect here, and the remedy if not.
pub(super) type Rule<K> = (Of, K, bool, &'static str);

impl<K: ServiceKey> Settings<K> {
    pub(super) fn hold_to(&self, rules: &[Rule<K>]) -> Result<(), OpenError> {
        for (of, key, works, remedy) in rules {
            let concerns = |setting: &&super::Setting<K>| {
                setting.key == *key && (*of == Of::All || setting.origin == Origin::Option)
            };
            if let (false, Some(setting)) = (*works, self.values.iter().find(concerns)) {
                return Err(match *remedy == BETTER {
                    true => self.outdone(setting.named(), Some(setting.key)),
                    false => self.without_effect(setting.named(), remedy),
                });
            }
        }
        Ok(())
    }

    pub(super) fn without_effect(&self, setting: SettingName, remedy: &str) -> OpenError {
        OpenError::WithoutEffect { root: self.root.clone(), setting, remedy: remedy.to_owned() }
    }

    pub(super) fn is_false(&self, key: K) -> bool {
        self.get(key).and_then(truth_of) == Some(false)
    }

    pub(super) fn by_option(&self, keys: &[K]) -> bool {
        keys.iter().any(|key| self.given(Origin::Option, *key))
    }

    /// Refuses `instance_credentials` next to credentials that take precedence.
    pub(super) fn check_instance(&self, is_asked: bool) -> Result<(), OpenError> {
        match self.instance_credentials && !is_asked {
            false => Ok(()),
            true => Err(self.outdone(instance_credentials(), None)),
        }
    }

    /// Refuses credentials next to others, and names those.
    fn outdone(&self, setting: SettingName, key: Option<K>) -> OpenError {
        let ways = K::WAYS.concat();
        let others =
            self.values.iter().filter(|other| Some(other.key) != key && ways.contains(&other.key));
        let others: Vec<String> = others.map(|setting| setting.named().to_string()).collect();
        self.without_effect(setting, &format!("{BETTER}: {}", others.join(", ")))
    }

    /// Checks the rules of the options that all services have.
    pub(super) fn check_client(&self) -> Result<(), OpenError> {
        const HTTP2: &str = "this setting needs http2_only=true or http1_only=false";
        const PINGS: &str = "this setting needs http2_keep_alive_interval";
        const PROXY: &str = "this setting needs proxy_url";
        let client = |key: Client| K::client(key);
        let http2 =
            self.is_true(client(Client::Http2Only)) || self.is_false(client(Client::Http1Only));
        let pings = self.has(client(Client::Http2KeepAliveInterval));
        let proxy = self.has(client(Client::ProxyUrl));
        let both =
            self.is_true(client(Client::Http2Only)) && self.is_true(client(Client::Http1Only));
        self.hold_to(&[
            (Of::All, client(Client::Http1Only), !both, "http2_only=true is set, too; choose one"),
            (Of::Options, client(Client::Http2KeepAliveInterval), http2, HTTP2),
            (Of::Options, client(Client::Http2KeepAliveTimeout), http2, HTTP2),
            (Of::Options, client(Client::Http2KeepAliveTimeout), pings, PINGS),
            (Of::Options, client(Client::Http2KeepAliveWhileIdle), http2, HTTP2),
            (Of::Options, client(Client::Http2KeepAliveWhileIdle), pings, PINGS),
            (Of::Options, client(Client::Http2MaxFrameSize), http2, HTTP2),
            (Of::Options, client(Client::ProxyCaCertificate), proxy, PROXY),
            (Of::Options, client(Client::ProxyExcludes), proxy, PROXY),
        ])
    }
}

pub(super) fn instance_credentials() -> SettingName {
    SettingName::Option("instance_credentials".to_owned())
}

pub(super) const UNSIGNED: &str =
    "requests are not signed with skip_signature=true; leave one of them out";
pub(super) const BETTER: &str = "other credentials come first; leave one of them out";
pub(super) const COPY: &str = "a log never copies an object; leave this setting out";
pub(super) const TAGS: &str = "a log never tags an object; leave this setting out";
