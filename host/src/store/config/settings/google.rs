//! The settings of Google Cloud Storage: options, credentials, and what has no effect.
//!
//! Owns: the dependencies between them. Must not know: how a store is built.

use object_store::ClientConfigKey;
use object_store::gcp::GoogleConfigKey as Google;

use super::effect::{BETTER, Of, UNSIGNED, instance_credentials};
use super::option_names::{Known, ServiceKey, open, secret};
use super::values::Form;
use super::{OpenError, Settings};

impl ServiceKey for Google {
    const OWN: &'static [Known] = &OPTIONS;
    const WAYS: &'static [&'static [Self]] = &CREDENTIALS;

    fn client(key: ClientConfigKey) -> Self {
        Self::Client(key)
    }
}

const OPTIONS: [Known; 7] = [
    open("google_application_credentials", Form::File),
    open("google_base_url", Form::Endpoint),
    secret("google_bearer_token", Form::Word),
    open("google_bucket", Form::Name),
    open("google_service_account", Form::File),
    secret("google_service_account_key", Form::AccountKey),
    open("google_skip_signature", Form::Flag),
];

/// The ways to have credentials for Google, the first one first.
const CREDENTIALS: [&[Google]; 4] = [
    &[Google::BearerToken],
    &[Google::ServiceAccount],
    &[Google::ServiceAccountKey],
    &[Google::ApplicationCredentials],
];

/// Checks the settings of Google Cloud Storage. `default_file` states that a file of credentials
/// exists where the library looks for one.
pub(crate) fn check(settings: &Settings<Google>, default_file: bool) -> Result<(), OpenError> {
    settings.check_client()?;
    let has = |key| settings.has(key);
    let signs = !settings.is_true(Google::SkipSignature);
    for key in CREDENTIALS.concat() {
        settings.hold_to(&[(Of::Options, key, signs, UNSIGNED)])?;
    }
    let token = has(Google::BearerToken);
    let account = has(Google::ServiceAccount);
    let any = CREDENTIALS.concat().iter().any(|key| has(*key));
    settings.check_instance(signs && !any)?;
    if settings.instance_credentials && default_file {
        let remedy = "the application default credentials of gcloud in this home come first; \
                      remove them, or set HOME to another folder";
        return Err(settings.without_effect(instance_credentials(), remedy));
    }
    settings.hold_to(&[
        (Of::Options, Google::ServiceAccount, !token, BETTER),
        (Of::All, Google::ServiceAccountKey, !account, BETTER),
        (Of::Options, Google::ServiceAccountKey, !token, BETTER),
        (
            Of::Options,
            Google::ApplicationCredentials,
            !token && !account && !has(Google::ServiceAccountKey),
            BETTER,
        ),
    ])
}
