//! Opening S3, Google, Azure and WebDAV stores from their settings.
//!
//! Owns: the needs of each service before its first request. Must not know: the stored objects.
//!
//! 1. Plain HTTP is used only on request, by `allow_http` or by an `http` location.
//! 2. The machine's metadata server is asked for credentials only on request. Elsewhere the
//!    question hangs.
//! 3. The location alone names the bucket.
//! 4. The library is given only checked settings, and a panic of the library is an error.

#[cfg(feature = "azure")]
pub(crate) mod azure;
#[cfg(feature = "gcs")]
pub(crate) mod google;
#[cfg(feature = "s3")]
pub(crate) mod s3;
#[cfg(feature = "webdav")]
pub(crate) mod webdav;

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::list::PaginatedListStore;

use crate::store::backend::panics::caught;
use crate::store::config::open_error::OpenError;
use crate::store::config::redact::Redactor;
use crate::store::config::settings::key_file::{self, Checked};
use crate::store::config::settings::{ServiceKey, Settings};
use crate::store::encryption::Asked;

/// A store on the network, ready for its first request.
pub(crate) struct RemoteStore {
    /// The kind of store, for metrics.
    pub(crate) kind: &'static str,
    pub(crate) store: Arc<dyn ObjectStore>,
    /// The listing that takes any prefix and a page size, where the service has it sorted.
    pub(crate) pages: Option<Arc<dyn PaginatedListStore>>,
    pub(crate) redactor: Redactor,
    /// The names of the settings, for errors that only they can have caused.
    pub(crate) settings: String,
    /// The encryption that every object must have.
    pub(crate) encryption: Option<Asked>,
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
