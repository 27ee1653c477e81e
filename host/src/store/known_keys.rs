//! The names of the services' options, to suggest the right one for a wrong one.
//!
//! Owns: the names, which the library can parse but not list. Must not know: what they do.
//!
//! 1. Every name here is one the library takes. One that is missing here still works.

/// The options of every service that speaks HTTP.
pub(super) const HTTP_KEYS: [&str; 20] = [
    "allow_http",
    "allow_invalid_certificates",
    "connect_timeout",
    "default_content_type",
    "disable_system_certificates",
    "http1_only",
    "http2_keep_alive_interval",
    "http2_keep_alive_timeout",
    "http2_keep_alive_while_idle",
    "http2_max_frame_size",
    "http2_only",
    "pool_idle_timeout",
    "pool_max_idle_per_host",
    "proxy_ca_certificate",
    "proxy_excludes",
    "proxy_url",
    "randomize_addresses",
    "read_timeout",
    "timeout",
    "user_agent",
];

/// The options of S3.
pub(super) const S3_KEYS: [&str; 32] = [
    "allow_http",
    "allow_invalid_certificates",
    "aws_access_key_id",
    "aws_checksum_algorithm",
    "aws_conditional_put",
    "aws_container_authorization_token_file",
    "aws_container_credentials_full_uri",
    "aws_container_credentials_relative_uri",
    "aws_default_region",
    "aws_disable_bulk_delete",
    "aws_endpoint",
    "aws_endpoint_url_s3",
    "aws_endpoint_url_sts",
    "aws_imdsv1_fallback",
    "aws_metadata_endpoint",
    "aws_region",
    "aws_request_payer",
    "aws_role_arn",
    "aws_role_session_name",
    "aws_s3_express",
    "aws_secret_access_key",
    "aws_server_side_encryption",
    "aws_session_token",
    "aws_skip_signature",
    "aws_sse_customer_key_base64",
    "aws_sse_kms_key_id",
    "aws_unsigned_payload",
    "aws_virtual_hosted_style_request",
    "aws_web_identity_token_file",
    "connect_timeout",
    "proxy_url",
    "timeout",
];

/// The options of Google Cloud Storage.
pub(super) const GOOGLE_KEYS: [&str; 11] = [
    "allow_http",
    "allow_invalid_certificates",
    "connect_timeout",
    "google_application_credentials",
    "google_base_url",
    "google_bearer_token",
    "google_service_account",
    "google_service_account_key",
    "google_skip_signature",
    "proxy_url",
    "timeout",
];

/// The options of Azure Blob Storage.
pub(super) const AZURE_KEYS: [&str; 23] = [
    "allow_http",
    "allow_invalid_certificates",
    "azure_authority_host",
    "azure_client_id",
    "azure_client_secret",
    "azure_credential_type",
    "azure_federated_token_file",
    "azure_msi_endpoint",
    "azure_msi_resource_id",
    "azure_object_id",
    "azure_skip_signature",
    "azure_storage_account_key",
    "azure_storage_account_name",
    "azure_storage_encryption_key",
    "azure_storage_endpoint",
    "azure_storage_sas_token",
    "azure_storage_token",
    "azure_storage_use_emulator",
    "azure_tenant_id",
    "azure_use_azure_cli",
    "azure_use_fabric_endpoint",
    "connect_timeout",
    "timeout",
];
