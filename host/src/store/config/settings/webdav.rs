//! The settings of WebDAV: those that all services have, and those without effect.
//!
//! Owns: the dependencies between them. Must not know: how a store is built.

use object_store::ClientConfigKey;

use super::effect::{Of, instance_credentials};
use super::{OpenError, Settings};

/// Checks the settings of WebDAV. `is_plain` states that the location begins with `http`.
pub(crate) fn check(settings: &Settings<ClientConfigKey>, is_plain: bool) -> Result<(), OpenError> {
    settings.check_client()?;
    if settings.instance_credentials {
        let remedy = "WebDAV takes no credentials; leave this setting out";
        return Err(settings.without_effect(instance_credentials(), remedy));
    }
    let refuses = is_plain && settings.is_false(ClientConfigKey::AllowHttp);
    settings.hold_to(&[(
        Of::Options,
        ClientConfigKey::AllowHttp,
        !refuses,
        "the location begins with http://; write https:// if plain HTTP is not meant",
    )])
}
