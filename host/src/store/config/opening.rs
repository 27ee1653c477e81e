//! The request to open a store: its root, its options and the environment.
//!
//! Owns: the error about a store that this program was built without.
//! Must not know: how a store is built.

use crate::store::config::environment::Environment;
#[cfg(not(all(feature = "azure", feature = "gcs", feature = "s3", feature = "webdav")))]
use crate::store::config::open_error::OpenError;
use crate::store::config::options::StoreOptions;

/// The root of a store as text for messages, its options and the environment.
#[derive(Clone, Copy)]
pub(crate) struct Opening<'a> {
    pub(crate) root: &'a str,
    pub(crate) options: &'a StoreOptions,
    pub(crate) environment: &'a Environment,
}

#[cfg(not(all(feature = "azure", feature = "gcs", feature = "s3", feature = "webdav")))]
impl Opening<'_> {
    /// Returns the error about a store that the features leave out.
    pub(crate) fn left_out(&self, store: &'static str, feature: &'static str) -> OpenError {
        OpenError::LeftOut { root: self.root.to_owned(), store, feature }
    }
}
