//! Opening WebDAV servers from their settings.
//!
//! Owns: the needs of the service before its first request. Must not know: the stored objects.

use object_store::ClientConfigKey;
use object_store::http::HttpBuilder;
use url::Url;

use crate::store::backend::client::{WatchedConnector, client_options};
use crate::store::backend::remote::{RemoteStore, built};
use crate::store::config::open_error::OpenError;
use crate::store::config::opening::Opening;
use crate::store::config::settings::Settings;
use crate::store::config::settings::webdav::check;
use crate::store::reply::Protocol;

/// Opens the WebDAV server at `base`. An `http` location is itself the request for plain HTTP.
pub(crate) fn open(base: &Url, opening: &Opening<'_>) -> Result<RemoteStore, OpenError> {
    let settings = Settings::<ClientConfigKey>::collect(opening, None)?;
    let is_plain = base.scheme() == "http";
    check(&settings, is_plain)?;
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
        kind: Protocol::WebDav.store_kind(),
        store,
        pages: None,
        redactor: settings.redactor(),
        settings: settings.names(),
        encryption: None,
    })
}
