//! The settings of S3: its options, its ways to have credentials, and those without effect.
//!
//! Owns: the dependencies between them. Must not know: how a store is built.

use object_store::ClientConfigKey;
use object_store::aws::AmazonS3ConfigKey as S3;

use super::effect::{BETTER, COPY, Of, TAGS, UNSIGNED};
use super::option_names::{Known, ServiceKey, open, secret};
use super::values::Form;
use super::{OpenError, Settings};

impl ServiceKey for S3 {
    const OWN: &'static [Known] = &OPTIONS;
    const WAYS: &'static [&'static [Self]] = &CREDENTIALS;

    fn client(key: ClientConfigKey) -> Self {
        Self::Client(key)
    }
}

const OPTIONS: [Known; 31] = [
    secret("aws_access_key_id", Form::Word),
    open("aws_bucket", Form::Name),
    open("aws_checksum_algorithm", Form::OneOf(&["sha256", "crc64nvme"])),
    open("aws_conditional_put", Form::OneOf(&["etag", "disabled"])),
    open("aws_container_authorization_token_file", Form::File),
    open("aws_container_credentials_full_uri", Form::Endpoint),
    secret("aws_container_credentials_relative_uri", Form::UrlPath),
    open("aws_copy_if_not_exists", Form::Header),
    open("aws_default_region", Form::Name),
    open("aws_disable_bulk_delete", Form::Flag),
    open("aws_disable_tagging", Form::Flag),
    open("aws_endpoint", Form::Endpoint),
    open("aws_endpoint_url_s3", Form::Endpoint),
    open("aws_endpoint_url_sts", Form::Endpoint),
    open("aws_imdsv1_fallback", Form::Flag),
    open("aws_metadata_endpoint", Form::Endpoint),
    open("aws_region", Form::Name),
    open("aws_request_payer", Form::Payer),
    open("aws_role_arn", Form::Word),
    open("aws_role_session_name", Form::Word),
    open("aws_s3_express", Form::Flag),
    secret("aws_secret_access_key", Form::Word),
    open(
        "aws_server_side_encryption",
        Form::OneOf(&["AES256", "aws:kms", "aws:kms:dsse", "sse-c"]),
    ),
    secret("aws_session_token", Form::Word),
    open("aws_skip_signature", Form::Flag),
    open("aws_sse_bucket_key_enabled", Form::Flag),
    secret("aws_sse_customer_key_base64", Form::Key256),
    open("aws_sse_kms_key_id", Form::Word),
    open("aws_unsigned_payload", Form::Flag),
    open("aws_virtual_hosted_style_request", Form::Flag),
    open("aws_web_identity_token_file", Form::File),
];

/// The ways to have credentials for S3, the first one first.
const CREDENTIALS: [&[S3]; 5] = [
    &[S3::AccessKeyId, S3::SecretAccessKey, S3::Token],
    &[S3::WebIdentityTokenFile, S3::RoleArn, S3::RoleSessionName, S3::StsEndpoint],
    &[S3::ContainerCredentialsRelativeUri],
    &[S3::ContainerCredentialsFullUri, S3::ContainerAuthorizationTokenFile],
    &[S3::MetadataEndpoint, S3::ImdsV1Fallback],
];

/// Checks the settings of S3.
pub(crate) fn check(settings: &Settings<S3>, bucket: &str) -> Result<(), OpenError> {
    settings.check_client()?;
    check_encryption(settings)?;
    check_credentials(settings)?;
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

fn check_encryption(settings: &Settings<S3>) -> Result<(), OpenError> {
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
pub(crate) fn encryption(settings: &Settings<S3>) -> Option<String> {
    settings.get_named(ALGORITHM).map(str::to_owned)
}

fn check_credentials(settings: &Settings<S3>) -> Result<(), OpenError> {
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
    for group in CREDENTIALS.concat() {
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
