//! The settings that would have no effect.
//!
//! Owns: the dependencies between the settings of each service. Must not know: the meaning of a
//! value.
//!
//! 1. An option either works or is refused, with an explanation of the missing or conflicting
//!    setting.
//! 2. A variable that asks for encryption is treated alike. Any other may be meant for another
//!    program, and is ignored.

mod azure;

use object_store::ClientConfigKey as Client;
use object_store::aws::AmazonS3ConfigKey as S3;
use object_store::gcp::GoogleConfigKey as Google;

use super::ways::{GOOGLE_CREDENTIALS, S3_CREDENTIALS};
use super::{OpenError, Origin, ServiceKey, SettingName, Settings};
use crate::store::config::truth::truth_of;

pub(crate) use azure::{azure_asks_machine, azure_reads_token, check_azure};

/// The sources that a rule applies to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Options,
    All,
}

/// A setting, whether it has an effect here, and the remedy if not.
type Rule<K> = (Of, K, bool, &'static str);

impl<K: ServiceKey> Settings<K> {
    fn hold_to(&self, rules: &[Rule<K>]) -> Result<(), OpenError> {
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

    fn without_effect(&self, setting: SettingName, remedy: &str) -> OpenError {
        OpenError::WithoutEffect { root: self.root.clone(), setting, remedy: remedy.to_owned() }
    }

    fn is_false(&self, key: K) -> bool {
        self.get(key).and_then(truth_of) == Some(false)
    }

    fn by_option(&self, keys: &[K]) -> bool {
        keys.iter().any(|key| self.given(Origin::Option, *key))
    }

    /// Refuses `instance_credentials` next to credentials that take precedence.
    fn check_instance(&self, is_asked: bool) -> Result<(), OpenError> {
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
    fn check_client(&self) -> Result<(), OpenError> {
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

fn instance_credentials() -> SettingName {
    SettingName::Option("instance_credentials".to_owned())
}

const UNSIGNED: &str = "requests are not signed with skip_signature=true; leave one of them out";
const BETTER: &str = "other credentials come first; leave one of them out";
const COPY: &str = "a log never copies an object; leave this setting out";
const TAGS: &str = "a log never tags an object; leave this setting out";

/// Checks the settings of S3.
pub(crate) fn check_s3(settings: &Settings<S3>, bucket: &str) -> Result<(), OpenError> {
    settings.check_client()?;
    check_s3_encryption(settings)?;
    check_s3_credentials(settings)?;
    let signs = !settings.is_true(S3::SkipSignature);
    let is_express = settings.is_true(S3::S3Express);
    let has_endpoint = settings.has(S3::Endpoint) || settings.has(S3::S3Endpoint);
    let in_zone = bucket.ends_with("--x-s3") || bucket.ends_with("--xa-s3");
    let two_regions = settings.by_option(&[S3::Region]);
    let two_endpoints = settings.by_option(&[S3::S3Endpoint]);
    settings.hold_to(&[
        (Of::Options, S3::RequestPayer, signs, UNSIGNED),
        (Of::Options, S3::UnsignedPayload, signs, UNSIGNED),
        (Of::Options, S3::CopyIfNotExists, false, COPY),
        (Of::Options, S3::DisableTagging, false, TAGS),
        (Of::Options, S3::DefaultRegion, !two_regions, "aws_region is set, too; choose one"),
        (Of::Options, S3::Endpoint, !two_endpoints, "aws_endpoint_url_s3 is set, too; choose one"),
        (
            Of::Options,
            S3::S3Express,
            !is_express || in_zone,
            "the bucket is not a directory bucket, whose name ends with --x-s3; leave this \
             setting out",
        ),
        (
            Of::Options,
            S3::VirtualHostedStyleRequest,
            !is_express || has_endpoint,
            "a directory bucket has its own host; leave this setting out",
        ),
    ])
}

fn check_s3_encryption(settings: &Settings<S3>) -> Result<(), OpenError> {
    let algorithm = settings.get_named(ALGORITHM);
    let has_key = settings.get_named("aws_sse_customer_key_base64").is_some();
    let rules = [
        (
            "aws_sse_kms_key_id",
            matches!(algorithm, Some("aws:kms" | "aws:kms:dsse")),
            "this setting needs aws_server_side_encryption=aws:kms or aws:kms:dsse",
        ),
        (
            "aws_sse_bucket_key_enabled",
            algorithm == Some("aws:kms"),
            "this setting needs aws_server_side_encryption=aws:kms",
        ),
        (
            "aws_sse_customer_key_base64",
            algorithm == Some("sse-c"),
            "this setting needs aws_server_side_encryption=sse-c",
        ),
        (
            ALGORITHM,
            algorithm != Some("sse-c") || has_key,
            "sse-c needs aws_sse_customer_key_base64=KEY",
        ),
    ];
    for (name, works, remedy) in rules {
        // The library has no other way to name these keys.
        if let Ok(key) = name.parse() {
            settings.hold_to(&[(Of::All, key, works, remedy)])?;
        }
    }
    Ok(())
}

/// The option that selects the encryption of S3.
const ALGORITHM: &str = "aws_server_side_encryption";

/// Returns the encryption that is requested of S3.
pub(crate) fn s3_encryption(settings: &Settings<S3>) -> Option<String> {
    settings.get_named(ALGORITHM).map(str::to_owned)
}

fn check_s3_credentials(settings: &Settings<S3>) -> Result<(), OpenError> {
    const SECRET: &str = "this setting needs AWS_SECRET_ACCESS_KEY (an empty one is none), or \
                          the option aws_secret_access_key";
    const ID: &str = "this setting needs AWS_ACCESS_KEY_ID (an empty one is none), or the option \
                      aws_access_key_id";
    const ROLE: &str = "this setting needs both aws_web_identity_token_file and aws_role_arn";
    const POD: &str = "this setting needs both aws_container_credentials_full_uri and \
                       aws_container_authorization_token_file";
    const INSTANCE: &str = "this setting needs instance_credentials=true, and no other credentials";
    let has = |key| settings.has(key);
    let signs = !settings.is_true(S3::SkipSignature);
    let (id, secret) = (has(S3::AccessKeyId), has(S3::SecretAccessKey));
    let key = id || secret;
    let role = has(S3::WebIdentityTokenFile) && has(S3::RoleArn);
    let task = has(S3::ContainerCredentialsRelativeUri);
    let pod = has(S3::ContainerCredentialsFullUri) && has(S3::ContainerAuthorizationTokenFile);
    for group in S3_CREDENTIALS.concat() {
        settings.hold_to(&[(Of::Options, group, signs, UNSIGNED)])?;
    }
    settings.check_instance(signs && !key && !role && !task && !pod)?;
    settings.hold_to(&[
        (Of::All, S3::AccessKeyId, secret || !signs, SECRET),
        (Of::All, S3::SecretAccessKey, id || !signs, ID),
        (
            Of::Options,
            S3::Token,
            key,
            "this setting needs aws_access_key_id and aws_secret_access_key",
        ),
        (Of::Options, S3::WebIdentityTokenFile, role, ROLE),
        (Of::Options, S3::RoleArn, role, ROLE),
        (Of::Options, S3::RoleSessionName, role, ROLE),
        (Of::Options, S3::StsEndpoint, role, ROLE),
        (Of::Options, S3::WebIdentityTokenFile, !key, BETTER),
        (Of::Options, S3::ContainerCredentialsRelativeUri, !key && !role, BETTER),
        (Of::Options, S3::ContainerCredentialsFullUri, pod, POD),
        (Of::Options, S3::ContainerAuthorizationTokenFile, pod, POD),
        (Of::Options, S3::ContainerCredentialsFullUri, !key && !role && !task, BETTER),
        (Of::Options, S3::MetadataEndpoint, !key && !role && !task && !pod, INSTANCE),
        (
            Of::Options,
            S3::ImdsV1Fallback,
            !key && !role
                && !task
                && !pod
                && (settings.instance_credentials || has(S3::MetadataEndpoint)),
            INSTANCE,
        ),
    ])
}

/// Checks the settings of Google Cloud Storage. `default_file` states that a file of credentials
/// exists where the library looks for one.
pub(crate) fn check_google(
    settings: &Settings<Google>,
    default_file: bool,
) -> Result<(), OpenError> {
    settings.check_client()?;
    let has = |key| settings.has(key);
    let signs = !settings.is_true(Google::SkipSignature);
    for key in GOOGLE_CREDENTIALS.concat() {
        settings.hold_to(&[(Of::Options, key, signs, UNSIGNED)])?;
    }
    let token = has(Google::BearerToken);
    let account = has(Google::ServiceAccount);
    let any = GOOGLE_CREDENTIALS.concat().iter().any(|key| has(*key));
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

/// Checks the settings of WebDAV. `is_plain` states that the location begins with `http`.
pub(crate) fn check_webdav(settings: &Settings<Client>, is_plain: bool) -> Result<(), OpenError> {
    settings.check_client()?;
    if settings.instance_credentials {
        let remedy = "WebDAV takes no credentials; leave this setting out";
        return Err(settings.without_effect(instance_credentials(), remedy));
    }
    let refuses = is_plain && settings.is_false(Client::AllowHttp);
    settings.hold_to(&[(
        Of::Options,
        Client::AllowHttp,
        !refuses,
        "the location begins with http://; write https:// if plain HTTP is not meant",
    )])
}
