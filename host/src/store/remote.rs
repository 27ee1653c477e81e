//! Opening S3, Google, Azure and WebDAV stores from their settings.
//!
//! Owns: what each service needs before its first request. Must not know: what is stored.
//!
//! 1. Plain HTTP is used only if it was asked for, by `allow_http` or by an `http` location.
//! 2. The metadata server of the machine is asked for credentials only if that was asked for:
//!    elsewhere the question hangs.
//! 3. The location alone says which bucket.

use std::path::PathBuf;
use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey as S3Key};
use object_store::azure::{AzureConfigKey as AzureKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey as GoogleKey};
use object_store::http::HttpBuilder;
use object_store::list::PaginatedListStore;
use object_store::{ClientConfigKey, ObjectStore};
use url::Url;

use super::client::{WatchedConnector, client_options};
use super::known_keys::{AZURE_KEYS, GOOGLE_KEYS, HTTP_KEYS, S3_KEYS};
use super::options::{StoreOptions, unknown_key};
use super::redact::Redactor;
use super::reply::Protocol;
use super::root::Service;
use super::settings::{Environment, OpenError, Settings};

/// A store on the network, ready for requests; none was made yet.
pub(super) struct RemoteStore {
    pub(super) store: Arc<dyn ObjectStore>,
    /// The listing that takes any prefix and a page size, where the service has it sorted.
    pub(super) pages: Option<Arc<dyn PaginatedListStore>>,
    pub(super) redactor: Redactor,
}

/// Opens the bucket or container `authority` of a service; `root` is its text for messages.
pub(super) fn open_bucket(
    service: Service,
    scheme: &str,
    authority: &str,
    root: &str,
    options: &StoreOptions,
    environment: &Environment,
) -> Result<RemoteStore, OpenError> {
    match service {
        Service::S3 => open_s3(authority, root, options, environment),
        Service::Google => open_google(authority, root, options, environment),
        Service::Azure => open_azure(scheme, authority, root, options, environment),
    }
}

fn open_s3(
    bucket: &str,
    root: &str,
    options: &StoreOptions,
    environment: &Environment,
) -> Result<RemoteStore, OpenError> {
    let mut settings =
        Settings::<S3Key>::collect(root, Some("AWS_"), &S3_KEYS, options, environment)?;
    let option_keys: Vec<S3Key> =
        options.pairs.iter().filter_map(|(name, _)| name.parse().ok()).collect();
    // An option replaces the whole of what the environment says about the same thing: a session
    // token belongs to its key, and the library prefers the S3 endpoint to the general one.
    let replaced = [
        (S3Key::AccessKeyId, S3Key::Token),
        (S3Key::Endpoint, S3Key::S3Endpoint),
        (S3Key::DefaultRegion, S3Key::Region),
    ];
    for (chosen, displaced) in replaced {
        if option_keys.contains(&chosen) && !option_keys.contains(&displaced) {
            settings.values.retain(|(key, _)| *key != displaced);
        }
    }
    let endpoint = settings.get(&S3Key::S3Endpoint).or(settings.get(&S3Key::Endpoint));
    settings.refuse_plain_http(endpoint, &S3Key::Client(ClientConfigKey::AllowHttp))?;
    let found = settings.is_true(&S3Key::SkipSignature)
        || settings.has(&S3Key::AccessKeyId)
        || settings.has(&S3Key::SecretAccessKey)
        || (settings.has(&S3Key::WebIdentityTokenFile) && settings.has(&S3Key::RoleArn))
        || settings.has(&S3Key::ContainerCredentialsRelativeUri)
        || (settings.has(&S3Key::ContainerCredentialsFullUri)
            && settings.has(&S3Key::ContainerAuthorizationTokenFile))
        || settings.has(&S3Key::MetadataEndpoint);
    settings.need_credentials(
        found,
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (profiles in ~/.aws are not read)",
        "aws_skip_signature=true",
    )?;
    let mut builder = AmazonS3Builder::new()
        .with_client_options(client_options())
        .with_http_connector(WatchedConnector::to(Protocol::S3))
        .with_retry(settings.retry.clone());
    for (key, value) in &settings.values {
        builder = builder.with_config(*key, value);
    }
    let builder = builder.with_bucket_name(bucket);
    let store = Arc::new(builder.build().map_err(|error| settings.failed(error))?);
    // Directory buckets list in no order and cannot start after a key.
    let is_express = settings.is_true(&S3Key::S3Express) || bucket.ends_with("--x-s3");
    let pages: Arc<dyn PaginatedListStore> = store.clone();
    Ok(RemoteStore { pages: (!is_express).then_some(pages), store, redactor: settings.redactor() })
}

fn open_google(
    bucket: &str,
    root: &str,
    options: &StoreOptions,
    environment: &Environment,
) -> Result<RemoteStore, OpenError> {
    let mut settings =
        Settings::<GoogleKey>::collect(root, Some("GOOGLE_"), &GOOGLE_KEYS, options, environment)?;
    let variable = |name: &str| environment.iter().find(|(known, _)| known == name);
    let allow_http = GoogleKey::Client(ClientConfigKey::AllowHttp);
    if let (Some((_, path)), false) = (
        variable("SERVICE_ACCOUNT"),
        settings.has(&GoogleKey::ServiceAccount) || settings.has(&GoogleKey::ServiceAccountKey),
    ) {
        settings.add("service_account_path", GoogleKey::ServiceAccount, path);
    }
    settings.refuse_plain_http(settings.get(&GoogleKey::BaseUrl), &allow_http)?;
    let default_file = variable(if cfg!(windows) { "APPDATA" } else { "HOME" }).map(|(_, home)| {
        let below = if cfg!(windows) { "" } else { ".config" };
        PathBuf::from(home).join(below).join("gcloud/application_default_credentials.json")
    });
    let found = settings.is_true(&GoogleKey::SkipSignature)
        || settings.has(&GoogleKey::ServiceAccount)
        || settings.has(&GoogleKey::ServiceAccountKey)
        || settings.has(&GoogleKey::ApplicationCredentials)
        || settings.has(&GoogleKey::BearerToken)
        || default_file.is_some_and(|file| file.exists());
    settings.need_credentials(
        found,
        "GOOGLE_APPLICATION_CREDENTIALS or GOOGLE_SERVICE_ACCOUNT to a key file",
        "google_skip_signature=true",
    )?;
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_client_options(client_options())
        .with_http_connector(WatchedConnector::to(Protocol::Google))
        .with_retry(settings.retry.clone())
        // The library's default is to allow it.
        .with_config(allow_http, "false");
    for (key, value) in &settings.values {
        builder = builder.with_config(*key, value);
    }
    let builder = builder.with_bucket_name(bucket);
    let store = Arc::new(builder.build().map_err(|error| settings.failed(error))?);
    let pages: Arc<dyn PaginatedListStore> = store.clone();
    Ok(RemoteStore { pages: Some(pages), store, redactor: settings.redactor() })
}

fn open_azure(
    scheme: &str,
    authority: &str,
    root: &str,
    options: &StoreOptions,
    environment: &Environment,
) -> Result<RemoteStore, OpenError> {
    let mut settings =
        Settings::<AzureKey>::collect(root, Some("AZURE_"), &AZURE_KEYS, options, environment)?;
    let identity = environment.iter().find(|(name, _)| name == "IDENTITY_ENDPOINT");
    if let (Some((_, endpoint)), false) = (identity, settings.has(&AzureKey::MsiEndpoint)) {
        settings.add("msi_endpoint", AzureKey::MsiEndpoint, endpoint);
    }
    let is_emulator = settings.is_true(&AzureKey::UseEmulator);
    if !is_emulator && !authority.contains('@') && !settings.has(&AzureKey::AccountName) {
        return Err(OpenError::MissingSetting {
            root: settings.root,
            needed: "the storage account: set AZURE_STORAGE_ACCOUNT_NAME, or --store-option \
                     azure_storage_account_name=NAME",
        });
    }
    settings.refuse_plain_http(
        settings.get(&AzureKey::Endpoint),
        &AzureKey::Client(ClientConfigKey::AllowHttp),
    )?;
    let alone = [
        AzureKey::AccessKey,
        AzureKey::SasKey,
        AzureKey::Token,
        AzureKey::ClientSecret,
        AzureKey::FederatedTokenFile,
        AzureKey::FabricTokenServiceUrl,
        AzureKey::MsiEndpoint,
        AzureKey::CredentialType,
    ];
    let found = is_emulator
        || settings.is_true(&AzureKey::SkipSignature)
        || settings.is_true(&AzureKey::UseAzureCli)
        || alone.iter().any(|key| settings.has(key));
    settings.need_credentials(
        found,
        "AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN",
        "azure_skip_signature=true",
    )?;
    let mut builder = MicrosoftAzureBuilder::new()
        .with_client_options(client_options())
        .with_http_connector(WatchedConnector::to(Protocol::Azure))
        .with_retry(settings.retry.clone());
    for (key, value) in &settings.values {
        builder = builder.with_config(*key, value);
    }
    builder = if authority.contains('@') {
        builder.with_url(format!("{scheme}://{authority}"))
    } else {
        builder.with_container_name(authority)
    };
    let store = Arc::new(builder.build().map_err(|error| settings.failed(error))?);
    let pages: Arc<dyn PaginatedListStore> = store.clone();
    Ok(RemoteStore { pages: Some(pages), store, redactor: settings.redactor() })
}

/// Opens the WebDAV server at `base`; an `http` location is itself the wish for plain HTTP.
pub(super) fn open_webdav(
    base: &Url,
    root: &str,
    options: &StoreOptions,
) -> Result<RemoteStore, OpenError> {
    let settings =
        Settings::<ClientConfigKey>::collect(root, None, &HTTP_KEYS, options, &Vec::new())?;
    let mut builder = HttpBuilder::new()
        .with_url(base.as_str())
        .with_client_options(client_options())
        .with_http_connector(WatchedConnector::to(Protocol::WebDav))
        .with_retry(settings.retry.clone());
    if base.scheme() == "http" {
        builder = builder.with_config(ClientConfigKey::AllowHttp, "true");
    }
    for (key, value) in &settings.values {
        builder = builder.with_config(*key, value);
    }
    Ok(RemoteStore {
        store: Arc::new(builder.build().map_err(|error| settings.failed(error))?),
        pages: None,
        redactor: settings.redactor(),
    })
}

/// Refuses every option, for stores that take none.
pub(super) fn refuse_options(scheme: &str, options: &StoreOptions) -> Result<(), OpenError> {
    match options.pairs.first() {
        None => Ok(()),
        Some((key, _)) => Err(unknown_key(key, scheme, &[]).into()),
    }
}
