//! Opening S3, Google, Azure and WebDAV stores from a root, the options and the environment.
//!
//! Owns: which settings a service takes, their precedence, and what must be there before the
//! first request. Must not know: what is stored, or how requests are made.
//!
//! 1. An option beats the environment; an unknown option is refused, never dropped.
//! 2. Plain HTTP is used only if it was asked for, by `allow_http` or by an `http` location.
//! 3. The metadata server of the machine is asked for credentials only if that was asked for:
//!    elsewhere the question hangs.
//! 4. No value of a setting stands in an error.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey as S3Key};
use object_store::azure::{AzureConfigKey as AzureKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey as GoogleKey};
use object_store::http::HttpBuilder;
use object_store::list::PaginatedListStore;
use object_store::{ClientConfigKey, ObjectStore, RetryConfig};
use url::Url;

use super::known_keys::{AZURE_KEYS, GOOGLE_KEYS, HTTP_KEYS, S3_KEYS};
use super::location::Service;
use super::options::{INSTANCE_CREDENTIALS, OWN_KEYS, OptionError, StoreOptions, truth_of, unknown_key};
use super::redact::Redactor;

/// Says why a store cannot be opened, and what to set. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// An option is wrong.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// No credentials are configured, so every request would be refused or hang.
    #[error(
        "no credentials for {root}: set {variables}; or --store-option {anonymous} for a public \
         one; or --store-option instance_credentials=true to use the role of this machine"
    )]
    NoCredentials {
        /// The root.
        root: String,
        /// The environment variables to set.
        variables: &'static str,
        /// The option for anonymous access.
        anonymous: &'static str,
    },
    /// A setting that the service needs is missing.
    #[error("{root} needs {needed}")]
    MissingSetting {
        /// The root.
        root: String,
        /// What to set.
        needed: &'static str,
    },
    /// The endpoint is plain HTTP and nobody asked for that.
    #[error(
        "the endpoint of {root} is plain http, which sends everything readable: add \
         --store-option allow_http=true if that is meant, or use https"
    )]
    PlainHttp {
        /// The root.
        root: String,
    },
    /// The settings do not fit together, or one has a wrong value.
    #[error("cannot open {root}: {reason}")]
    Settings {
        /// The root.
        root: String,
        /// The library's words, without secrets.
        reason: String,
    },
}

/// The environment variables a store may look at.
pub(super) type Environment = Vec<(String, String)>;

/// Reads the process's environment, sorted; what is not UTF-8 or empty is passed over.
pub(super) fn process_environment() -> Environment {
    let mut variables: Environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    variables.sort();
    variables
}

/// A store on the network, ready for requests; none was made yet.
pub(super) struct RemoteStore {
    pub(super) store: Arc<dyn ObjectStore>,
    /// The listing that takes any prefix and a page size, where the service has it sorted.
    pub(super) pages: Option<Arc<dyn PaginatedListStore>>,
    pub(super) redactor: Redactor,
}

/// The settings of one service: of the environment, then of the options.
struct Settings<K> {
    root: String,
    values: Vec<(K, String)>,
    secrets: Vec<String>,
    instance_credentials: bool,
    retry: RetryConfig,
}

impl<K: FromStr + PartialEq> Settings<K> {
    fn collect(
        root: &str,
        env_prefix: Option<&str>,
        known: &[&'static str],
        options: &StoreOptions,
        environment: &Environment,
    ) -> Result<Self, OpenError> {
        let mut settings = Self {
            root: root.to_owned(),
            values: Vec::new(),
            secrets: Vec::new(),
            instance_credentials: options.instance_credentials(),
            retry: RetryConfig {
                max_retries: options.retry_max,
                retry_timeout: options.timeout,
                ..RetryConfig::default()
            },
        };
        for (name, value) in environment {
            let is_ours = env_prefix.is_some_and(|prefix| name.starts_with(prefix));
            let name = name.to_ascii_lowercase();
            if let (true, false, Ok(key)) = (is_ours, value.is_empty(), name.parse()) {
                settings.add(&name, key, value);
            }
        }
        let scheme = root.split_once("://").map_or(root, |(scheme, _)| scheme);
        for (name, value) in &options.pairs {
            if OWN_KEYS.contains(&name.as_str()) {
                continue;
            }
            if ["bucket", "container"].iter().any(|word| name.contains(word))
                && !name.contains("bucket_key")
            {
                let key = name.clone();
                return Err(OptionError::BucketInOption { key }.into());
            }
            let key = name.parse().map_err(|_| unknown_key(name, scheme, known))?;
            settings.add(name, key, value);
        }
        Ok(settings)
    }

    fn add(&mut self, name: &str, key: K, value: &str) {
        const SECRET_WORDS: [&str; 6] = ["key", "secret", "token", "sas", "password", "credential"];
        let is_path = ["file", "path", "application_credentials"]
            .iter()
            .any(|word| name.contains(word));
        if !is_path && SECRET_WORDS.iter().any(|word| name.contains(word)) {
            self.secrets.push(value.to_owned());
        }
        self.values.retain(|(known, _)| *known != key);
        self.values.push((key, value.to_owned()));
    }

    fn get(&self, key: &K) -> Option<&str> {
        let found = self.values.iter().find(|(known, _)| known == key);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    fn has(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    fn is_true(&self, key: &K) -> bool {
        self.get(key).and_then(truth_of) == Some(true)
    }

    fn redactor(&self) -> Redactor {
        Redactor::new(self.secrets.iter().cloned())
    }

    fn failed(&self, error: impl fmt::Display) -> OpenError {
        OpenError::Settings {
            root: self.root.clone(),
            reason: self.redactor().clean(&error.to_string()),
        }
    }

    fn refuse_plain_http(&self, endpoint: Option<&str>, allow: &K) -> Result<(), OpenError> {
        let is_plain =
            endpoint.is_some_and(|url| url.trim_start().to_ascii_lowercase().starts_with("http:"));
        if is_plain && !self.is_true(allow) {
            let root = self.root.clone();
            return Err(OpenError::PlainHttp { root });
        }
        Ok(())
    }

    fn need_credentials(
        &self,
        found: bool,
        variables: &'static str,
        anonymous: &'static str,
    ) -> Result<(), OpenError> {
        if found || self.instance_credentials {
            return Ok(());
        }
        let root = self.root.clone();
        Err(OpenError::NoCredentials { root, variables, anonymous })
    }
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
        .with_bucket_name(bucket)
        .with_retry(settings.retry.clone());
    for (key, value) in &settings.values {
        builder = builder.with_config(*key, value);
    }
    let store = Arc::new(builder.build().map_err(|error| settings.failed(error))?);
    // Directory buckets list in no order and cannot start after a key.
    let is_express = settings.is_true(&S3Key::S3Express) || bucket.ends_with("--x-s3");
    Ok(RemoteStore {
        pages: (!is_express).then(|| Arc::clone(&store) as Arc<dyn PaginatedListStore>),
        store,
        redactor: settings.redactor(),
    })
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
        .with_bucket_name(bucket)
        .with_retry(settings.retry.clone())
        // The library's default is to allow it.
        .with_config(allow_http, "false");
    for (key, value) in &settings.values {
        builder = builder.with_config(*key, value);
    }
    let store = Arc::new(builder.build().map_err(|error| settings.failed(error))?);
    Ok(RemoteStore {
        pages: Some(Arc::clone(&store) as Arc<dyn PaginatedListStore>),
        store,
        redactor: settings.redactor(),
    })
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
    let mut builder = MicrosoftAzureBuilder::new().with_retry(settings.retry.clone());
    for (key, value) in &settings.values {
        builder = builder.with_config(*key, value);
    }
    builder = if authority.contains('@') {
        builder.with_url(format!("{scheme}://{authority}"))
    } else {
        builder.with_container_name(authority)
    };
    let store = Arc::new(builder.build().map_err(|error| settings.failed(error))?);
    Ok(RemoteStore {
        pages: Some(Arc::clone(&store) as Arc<dyn PaginatedListStore>),
        store,
        redactor: settings.redactor(),
    })
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
    debug_assert!(OWN_KEYS.contains(&INSTANCE_CREDENTIALS));
    match options.pairs.first() {
        None => Ok(()),
        Some((key, _)) => Err(unknown_key(key, scheme, &[]).into()),
    }
}
