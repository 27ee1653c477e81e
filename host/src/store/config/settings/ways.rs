//! The ways to have credentials for each service.
//!
//! Owns: the options of each way, and which way the library takes first. Must not know: the effect
//! of an option.

use object_store::aws::AmazonS3ConfigKey as S3;
use object_store::azure::AzureConfigKey as Azure;
use object_store::gcp::GoogleConfigKey as Google;

/// The ways to have credentials for S3, the first one first.
pub(crate) const S3_CREDENTIALS: [&[S3]; 5] = [
    &[S3::AccessKeyId, S3::SecretAccessKey, S3::Token],
    &[S3::WebIdentityTokenFile, S3::RoleArn, S3::RoleSessionName, S3::StsEndpoint],
    &[S3::ContainerCredentialsRelativeUri],
    &[S3::ContainerCredentialsFullUri, S3::ContainerAuthorizationTokenFile],
    &[S3::MetadataEndpoint, S3::ImdsV1Fallback],
];

/// The ways to have credentials for Google, the first one first.
pub(crate) const GOOGLE_CREDENTIALS: [&[Google]; 4] = [
    &[Google::BearerToken],
    &[Google::ServiceAccount],
    &[Google::ServiceAccountKey],
    &[Google::ApplicationCredentials],
];

/// The ways to have credentials for Azure, the first one first.
pub(crate) const AZURE_CREDENTIALS: [&[Azure]; 8] = [
    &[
        Azure::FabricTokenServiceUrl,
        Azure::FabricWorkloadHost,
        Azure::FabricSessionToken,
        Azure::FabricClusterIdentifier,
    ],
    &[Azure::Token],
    &[Azure::AccessKey],
    &[Azure::ClientId, Azure::AuthorityId, Azure::AuthorityHost, Azure::FederatedTokenFile],
    &[Azure::ClientId, Azure::AuthorityId, Azure::AuthorityHost, Azure::ClientSecret],
    &[Azure::SasKey],
    &[Azure::UseAzureCli],
    &[Azure::ClientId, Azure::MsiEndpoint, Azure::ObjectId, Azure::MsiResourceId],
];
