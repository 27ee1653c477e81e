//! The options of each service.
//!
//! Owns: the names, which the library can parse but not list, the form of each value, and which
//! values are secret. Must not know: the effect of an option.
//!
//! 1. The library takes every name here, and every option of the library is here. An unknown option
//!    is refused.

use object_store::ClientConfigKey;
use object_store::aws::AmazonS3ConfigKey;
use object_store::azure::AzureConfigKey;
use object_store::gcp::GoogleConfigKey;

use super::values::Form;
use super::ways::{AZURE_CREDENTIALS, GOOGLE_CREDENTIALS, S3_CREDENTIALS};

/// One option.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    /// Its longest name.
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    pub(crate) is_secret: bool,
}

const fn open(name: &'static str, form: Form) -> Known {
    Known { name, form, is_secret: false }
}

const fn secret(name: &'static str, form: Form) -> Known {
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

impl ServiceKey for AmazonS3ConfigKey {
    const OWN: &'static [Known] = &S3;
    const WAYS: &'static [&'static [Self]] = &S3_CREDENTIALS;

    fn client(key: ClientConfigKey) -> Self {
        Self::Client(key)
    }
}

impl ServiceKey for GoogleConfigKey {
    const OWN: &'static [Known] = &GOOGLE;
    const WAYS: &'static [&'static [Self]] = &GOOGLE_CREDENTIALS;

    fn client(key: ClientConfigKey) -> Self {
        Self::Client(key)
    }
}

impl ServiceKey for AzureConfigKey {
    const OWN: &'static [Known] = &AZURE;
    const WAYS: &'static [&'static [Self]] = &AZURE_CREDENTIALS;

    fn client(key: ClientConfigKey) -> Self {
        Self::Client(key)
    }
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

const S3: [Known; 31] = [
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

const GOOGLE: [Known; 7] = [
    open("google_application_credentials", Form::File),
    open("google_base_url", Form::Endpoint),
    secret("google_bearer_token", Form::Word),
    open("google_bucket", Form::Name),
    open("google_service_account", Form::File),
    secret("google_service_account_key", Form::AccountKey),
    open("google_skip_signature", Form::Flag),
];

const AZURE: [Known; 25] = [
    secret("azure_storage_account_key", Form::Base64),
    open("azure_storage_account_name", Form::Name),
    open("azure_authority_host", Form::Endpoint),
    open("azure_client_id", Form::Word),
    secret("azure_client_secret", Form::Word),
    open("azure_container_name", Form::Name),
    open(
        "azure_credential_type",
        Form::OneOf(&[
            "auto",
            "access_key",
            "azure_cli",
            "bearer_token",
            "client_secret",
            "managed_identity",
            "sas_token",
            "workload_identity",
        ]),
    ),
    open("azure_disable_tagging", Form::Flag),
    open("azure_fabric_cluster_identifier", Form::Word),
    secret("azure_fabric_session_token", Form::Word),
    open("azure_fabric_token_service_url", Form::Endpoint),
    open("azure_fabric_workload_host", Form::Word),
    open("azure_federated_token_file", Form::File),
    open("azure_msi_endpoint", Form::Endpoint),
    open("azure_msi_resource_id", Form::Word),
    open("azure_object_id", Form::Word),
    open("azure_skip_signature", Form::Flag),
    secret("azure_storage_encryption_key", Form::Key256),
    open("azure_storage_endpoint", Form::Endpoint),
    secret("azure_storage_sas_token", Form::SharedAccess),
    secret("azure_storage_token", Form::Word),
    open("azure_storage_use_emulator", Form::Flag),
    open("azure_tenant_id", Form::Name),
    open("azure_use_azure_cli", Form::Flag),
    open("azure_use_fabric_endpoint", Form::Flag),
];
