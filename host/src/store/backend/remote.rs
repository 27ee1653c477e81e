//! Opening S3, Google, Azure and WebDAV stores from their settings.
//!
//! Owns: the needs of each service before its first request. Must not know: the stored objects.
//!
//! 1. Plain HTTP is used only on request, by `allow_http` or by an `http` location.
//! 2. The machine's metadata server is asked for credentials only on request. Elsewhere the
//!    question hangs.
//! 3. The location alone names the bucket.
//! 4. The library is given only checked settings, and a panic of the library is an error.

use std::path::PathBuf;
use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey as S3Key};
use object_store::azure::{AzureConfigKey as AzureKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey as GoogleKey};
use object_store::http::HttpBuilder;
use object_store::list::PaginatedListStore;
use object_store::{ClientConfigKey, ObjectStore};
use url::Url;

use crate::store::backend::client::{WatchedConnector, client_options};
use crate::store::backend::panics::caught;
use crate::store::config::options::{StoreOptions, unknown_key};
use crate::store::config::redact::Redactor;
use crate::store::config::root::Service;
use crate::store::config::settings::key_file::{self, Checked};
use crate::store::config::settings::{
    Environment, Form, OpenError, ServiceKey, Settings, azure_asks_machine, azure_reads_token,
    check_azure, check_google, check_s3, check_webdav, s3_encryption, variable,
};
use crate::store::encryption::Asked;
use crate::store::reply::Protocol;

/// A store on the network, ready for its first request.
pub(crate) struct RemoteStore {
    pub(crate) store: Arc<dyn ObjectStore>,
    /// The listing that takes any prefix and a page size, where the service has it sorted.
    pub(crate) pages: Option<Arc<dyn PaginatedListStore>>,
    pub(crate) redactor: Redactor,
    /// The names of the settings, for errors that only they can have caused.
    pub(crate) settings: String,
    /// The encryption that every object must have.
    pub(crate) encryption: Option<Asked>,
}

/// Opens the bucket or container `authority` of a service; `root` is its text for messages.
pub(crate) fn open_bucket(
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

/// Lets the library build its store.
fn built<K: ServiceKey, T>(
    settings: &Settings<K>,
    build: impl FnOnce() -> object_store::Result<T>,
) -> Result<Arc<T>, OpenError> {
    match caught(build) {
        Ok(Ok(store)) => Ok(Arc::new(store)),
        Ok(Err(error)) => Err(settings.refused(&error)),
        Err(panicked) => Err(settings.panicked(&panicked)),
    }
}

/// Records the findings about credentials.
fn noted<K: ServiceKey>(
    settings: &mut Settings<K>,
    checked: Result<Checked, String>,
) -> Result<Option<String>, OpenError> {
    let checked = checked.map_err(|problem| settings.bad_credentials(problem))?;
    settings.hide(checked.secrets);
    Ok(checked.base_url)
}

/// Examines the token in the file that a setting names.
fn check_token<K: ServiceKey>(settings: &mut Settings<K>, key: K) -> Result<(), OpenError> {
    let Some((shown, path)) = settings.get_shown(key) else { return Ok(()) };
    let checked = key_file::read(&shown, path).and_then(|text| key_file::token(&text, path));
    noted(settings, checked).map(drop)
}

fn open_s3(
    bucket: &str,
    root: &str,
    options: &StoreOptions,
    environment: &Environment,
) -> Result<RemoteStore, OpenError> {
    let mut settings = Settings::<S3Key>::collect(root, Some("AWS_"), options, environment)?;
    let option_keys: Vec<S3Key> =
        options.pairs.iter().filter_map(|(name, _)| name.parse().ok()).collect();
    // An option replaces everything that the environment says about the same thing. A session token
    // belongs to its key, and the library prefers the S3 endpoint to the general one.
    let replaced = [
        (S3Key::AccessKeyId, S3Key::Token),
        (S3Key::Endpoint, S3Key::S3Endpoint),
        (S3Key::DefaultRegion, S3Key::Region),
    ];
    for (chosen, displaced) in replaced {
        if option_keys.contains(&chosen) {
            settings.drop_from_environment(&[displaced]);
        }
    }
    settings.prefer_options();
    check_s3(&settings, bucket)?;
    let endpoint = settings.get(S3Key::S3Endpoint).or(settings.get(S3Key::Endpoint));
    settings.refuse_plain_http(endpoint, S3Key::Client(ClientConfigKey::AllowHttp))?;
    let has_key = settings.has(S3Key::AccessKeyId) || settings.has(S3Key::SecretAccessKey);
    let has_role = settings.has(S3Key::WebIdentityTokenFile) && settings.has(S3Key::RoleArn);
    let has_task = settings.has(S3Key::ContainerCredentialsRelativeUri);
    let has_pod = settings.has(S3Key::ContainerCredentialsFullUri)
        && settings.has(S3Key::ContainerAuthorizationTokenFile);
    let is_anonymous = settings.is_true(S3Key::SkipSignature);
    settings.need_credentials(
        is_anonymous
            || has_key
            || has_role
            || has_task
            || has_pod
            || settings.has(S3Key::MetadataEndpoint),
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (profiles in ~/.aws are not read)",
        "aws_skip_signature=true",
    )?;
    match (is_anonymous || has_key, has_role, has_task) {
        (true, ..) | (false, false, true) => {}
        (false, true, _) => check_token(&mut settings, S3Key::WebIdentityTokenFile)?,
        (false, false, false) if has_pod => {
            check_token(&mut settings, S3Key::ContainerAuthorizationTokenFile)?;
        }
        (false, false, false) => {}
    }
    let store = built(&settings, || {
        let mut builder = AmazonS3Builder::new()
            .with_client_options(client_options())
            .with_http_connector(WatchedConnector::to(Protocol::S3))
            .with_retry(settings.retry.clone());
        for setting in &settings.values {
            builder = builder.with_config(setting.key, &setting.value);
        }
        builder.with_bucket_name(bucket).build()
    })?;
    // Directory buckets list in no order and cannot start after a key.
    let is_express = settings.is_true(S3Key::S3Express) || bucket.ends_with("--x-s3");
    let pages: Arc<dyn PaginatedListStore> = store.clone();
    Ok(RemoteStore {
        pages: (!is_express).then_some(pages),
        store,
        redactor: settings.redactor(),
        settings: settings.names(),
        encryption: s3_encryption(&settings).map(Asked),
    })
}

fn open_google(
    bucket: &str,
    root: &str,
    options: &StoreOptions,
    environment: &Environment,
) -> Result<RemoteStore, OpenError> {
    let mut settings = Settings::<GoogleKey>::collect(root, Some("GOOGLE_"), options, environment)?;
    let allow_http = GoogleKey::Client(ClientConfigKey::AllowHttp);
    if !settings.has(GoogleKey::ServiceAccountKey) {
        settings.add_variable(environment, "SERVICE_ACCOUNT", GoogleKey::ServiceAccount)?;
    }
    settings.prefer_options();
    let is_anonymous = settings.is_true(GoogleKey::SkipSignature);
    if is_anonymous {
        settings.drop_from_environment(&GoogleKey::WAYS.concat());
    }
    let home = variable(environment, if cfg!(windows) { "APPDATA" } else { "HOME" });
    let default_file = home
        .map(|home| {
            let below = if cfg!(windows) { "" } else { ".config" };
            PathBuf::from(home).join(below).join("gcloud/application_default_credentials.json")
        })
        .filter(|file| file.exists());
    check_google(&settings, default_file.is_some())?;
    settings.refuse_plain_http(settings.get(GoogleKey::BaseUrl), allow_http)?;
    let has_any = GoogleKey::WAYS.concat().iter().any(|key| settings.has(*key));
    settings.need_credentials(
        is_anonymous || has_any || default_file.is_some(),
        "GOOGLE_APPLICATION_CREDENTIALS or GOOGLE_SERVICE_ACCOUNT to a key file",
        "google_skip_signature=true",
    )?;
    if !is_anonymous {
        check_google_credentials(&mut settings, default_file, allow_http)?;
        for name in ["GCE_METADATA_HOST", "GCE_METADATA_ROOT", "GCE_METADATA_IP"] {
            settings.check_variable(environment, name, Form::Host)?;
        }
    }
    let store = built(&settings, || {
        let mut builder = GoogleCloudStorageBuilder::new()
            .with_client_options(client_options())
            .with_http_connector(WatchedConnector::to(Protocol::Google))
            .with_retry(settings.retry.clone())
            // The library's default is to allow it.
            .with_config(allow_http, "false");
        if is_anonymous {
            // Any token keeps the library from looking for credentials that are not needed.
            builder = builder.with_config(GoogleKey::BearerToken, "");
        }
        for setting in &settings.values {
            builder = builder.with_config(setting.key, &setting.value);
        }
        builder.with_bucket_name(bucket).build()
    })?;
    let pages: Arc<dyn PaginatedListStore> = store.clone();
    Ok(RemoteStore {
        pages: Some(pages),
        store,
        redactor: settings.redactor(),
        settings: settings.names(),
        encryption: None,
    })
}

/// Examines the credentials that the library will read.
fn check_google_credentials(
    settings: &mut Settings<GoogleKey>,
    default_file: Option<PathBuf>,
    allow_http: GoogleKey,
) -> Result<(), OpenError> {
    let checked = if settings.has(GoogleKey::BearerToken) {
        return Ok(());
    } else if let Some((shown, text)) = settings.get_shown(GoogleKey::ServiceAccountKey) {
        key_file::service_account(text, &shown)
    } else if let Some((shown, path)) = settings.get_shown(GoogleKey::ServiceAccount) {
        key_file::read(&shown, path).and_then(|text| key_file::service_account(&text, path))
    } else if let Some((shown, path)) = settings.get_shown(GoogleKey::ApplicationCredentials) {
        key_file::read(&shown, path).and_then(|text| key_file::application_default(&text, path))
    } else if let Some(file) = default_file {
        let path = file.display().to_string();
        let text = key_file::read(&format!("the folder of gcloud, {path},"), &path);
        text.and_then(|text| key_file::application_default(&text, &path))
    } else {
        return Ok(());
    };
    let base_url = noted(settings, checked)?;
    if !settings.has(GoogleKey::BaseUrl) {
        settings.refuse_plain_http(base_url.as_deref(), allow_http)?;
    }
    Ok(())
}

fn open_azure(
    scheme: &str,
    authority: &str,
    root: &str,
    options: &StoreOptions,
    environment: &Environment,
) -> Result<RemoteStore, OpenError> {
    let mut settings = Settings::<AzureKey>::collect(root, Some("AZURE_"), options, environment)?;
    settings.add_variable(environment, "IDENTITY_ENDPOINT", AzureKey::MsiEndpoint)?;
    settings.prefer_options();
    let names_account = authority.contains('@');
    check_azure(&settings, names_account)?;
    let is_emulator = settings.is_true(AzureKey::UseEmulator);
    if !is_emulator && !names_account && !settings.has(AzureKey::AccountName) {
        return Err(OpenError::MissingSetting {
            root: settings.root,
            needed: "the storage account is not named; set AZURE_STORAGE_ACCOUNT_NAME, or the \
                     store option azure_storage_account_name=NAME",
        });
    }
    settings.refuse_plain_http(
        settings.get(AzureKey::Endpoint),
        AzureKey::Client(ClientConfigKey::AllowHttp),
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
        || settings.is_true(AzureKey::SkipSignature)
        || settings.is_true(AzureKey::UseAzureCli)
        || alone.iter().any(|key| settings.has(*key));
    settings.need_credentials(
        found,
        "AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN",
        "azure_skip_signature=true",
    )?;
    if is_emulator {
        settings.check_variable(environment, "AZURITE_BLOB_STORAGE_URL", Form::Endpoint)?;
    }
    if azure_reads_token(&settings) {
        check_token(&mut settings, AzureKey::FederatedTokenFile)?;
    }
    if azure_asks_machine(&settings) {
        settings.hide(variable(environment, "IDENTITY_HEADER").map(str::to_owned));
        settings.check_variable(environment, "IDENTITY_HEADER", Form::Word)?;
    }
    let store = built(&settings, || {
        let mut builder = MicrosoftAzureBuilder::new()
            .with_client_options(client_options())
            .with_http_connector(WatchedConnector::to(Protocol::Azure))
            .with_retry(settings.retry.clone());
        for setting in &settings.values {
            builder = builder.with_config(setting.key, &setting.value);
        }
        match names_account {
            true => builder.with_url(format!("{scheme}://{authority}")).build(),
            false => builder.with_container_name(authority).build(),
        }
    })?;
    let pages: Arc<dyn PaginatedListStore> = store.clone();
    let has_key = settings.has(AzureKey::EncryptionKey);
    Ok(RemoteStore {
        pages: Some(pages),
        store,
        redactor: settings.redactor(),
        settings: settings.names(),
        encryption: has_key.then(|| Asked("customer key".to_owned())),
    })
}

/// Opens the WebDAV server at `base`. An `http` location is itself the request for plain HTTP.
pub(crate) fn open_webdav(
    base: &Url,
    root: &str,
    options: &StoreOptions,
    environment: &Environment,
) -> Result<RemoteStore, OpenError> {
    let settings = Settings::<ClientConfigKey>::collect(root, None, options, environment)?;
    let is_plain = base.scheme() == "http";
    check_webdav(&settings, is_plain)?;
    let store = built(&settings, || {
        let mut builder = HttpBuilder::new()
            .with_url(base.as_str())
            .with_client_options(client_options())
            .with_http_connector(WatchedConnector::to(Protocol::WebDav))
            .with_retry(settings.retry.clone());
        if is_plain {
            builder = builder.with_config(ClientConfigKey::AllowHttp, "true");
        }
        for setting in &settings.values {
            builder = builder.with_config(setting.key, &setting.value);
        }
        builder.build()
    })?;
    Ok(RemoteStore {
        store,
        pages: None,
        redactor: settings.redactor(),
        settings: settings.names(),
        encryption: None,
    })
}

/// Refuses every option, for stores that take none.
pub(crate) fn refuse_options(scheme: &str, options: &StoreOptions) -> Result<(), OpenError> {
    match options.pairs.first() {
        None => Ok(()),
        Some((key, _)) => Err(unknown_key(0, key, scheme, &[]).into()),
    }
}
