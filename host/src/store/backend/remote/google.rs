//! Opening buckets of Google Cloud Storage from their settings.
//!
//! Owns: the needs of the service before its first request. Must not know: the stored objects.

use std::path::PathBuf;
use std::sync::Arc;

use object_store::ClientConfigKey;
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey as Google};
use object_store::list::PaginatedListStore;

use crate::store::backend::client::{WatchedConnector, client_options};
use crate::store::backend::remote::{RemoteStore, built, noted};
use crate::store::config::environment::variable;
use crate::store::config::open_error::OpenError;
use crate::store::config::opening::Opening;
use crate::store::config::settings::google::check;
use crate::store::config::settings::{Form, ServiceKey as _, Settings, key_file};
use crate::store::reply::Protocol;

/// Opens a bucket of Google Cloud Storage.
pub(crate) fn open(bucket: &str, opening: &Opening<'_>) -> Result<RemoteStore, OpenError> {
    let environment = opening.environment;
    let mut settings = Settings::<Google>::collect(opening, Some("GOOGLE_"))?;
    let allow_http = Google::Client(ClientConfigKey::AllowHttp);
    if !settings.has(Google::ServiceAccountKey) {
        settings.add_variable(environment, "SERVICE_ACCOUNT", Google::ServiceAccount)?;
    }
    settings.prefer_options();
    let is_anonymous = settings.is_true(Google::SkipSignature);
    if is_anonymous {
        settings.drop_from_environment(&Google::WAYS.concat());
    }
    let home = variable(environment, if cfg!(windows) { "APPDATA" } else { "HOME" });
    let default_file = home
        .map(|home| {
            let below = if cfg!(windows) { "" } else { ".config" };
            PathBuf::from(home).join(below).join("gcloud/application_default_credentials.json")
        })
        .filter(|file| file.exists());
    check(&settings, default_file.is_some())?;
    settings.refuse_plain_http(settings.get(Google::BaseUrl), allow_http)?;
    let has_any = Google::WAYS.concat().iter().any(|key| settings.has(*key));
    settings.need_credentials(
        is_anonymous || has_any || default_file.is_some(),
        "GOOGLE_APPLICATION_CREDENTIALS or GOOGLE_SERVICE_ACCOUNT to a key file",
        "google_skip_signature=true",
    )?;
    if !is_anonymous {
        check_credentials(&mut settings, default_file, allow_http)?;
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
            builder = builder.with_config(Google::BearerToken, "");
        }
        for setting in &settings.values {
            builder = builder.with_config(setting.key, &setting.value);
        }
        builder.with_bucket_name(bucket).build()
    })?;
    let pages: Arc<dyn PaginatedListStore> = store.clone();
    Ok(RemoteStore {
        kind: Protocol::Google.store_kind(),
        pages: Some(pages),
        store,
        redactor: settings.redactor(),
        settings: settings.names(),
        encryption: None,
    })
}

/// Examines the credentials that the library will read.
fn check_credentials(
    settings: &mut Settings<Google>,
    default_file: Option<PathBuf>,
    allow_http: Google,
) -> Result<(), OpenError> {
    let checked = if settings.has(Google::BearerToken) {
        return Ok(());
    } else if let Some((shown, text)) = settings.get_shown(Google::ServiceAccountKey) {
        key_file::service_account(text, &shown)
    } else if let Some((shown, path)) = settings.get_shown(Google::ServiceAccount) {
        key_file::read(&shown, path).and_then(|text| key_file::service_account(&text, path))
    } else if let Some((shown, path)) = settings.get_shown(Google::ApplicationCredentials) {
        key_file::read(&shown, path).and_then(|text| key_file::application_default(&text, path))
    } else if let Some(file) = default_file {
        let path = file.display().to_string();
        let text = key_file::read(&format!("the folder of gcloud, {path},"), &path);
        text.and_then(|text| key_file::application_default(&text, &path))
    } else {
        return Ok(());
    };
    let base_url = noted(settings, checked)?;
    if !settings.has(Google::BaseUrl) {
        settings.refuse_plain_http(base_url.as_deref(), allow_http)?;
    }
    Ok(())
}
