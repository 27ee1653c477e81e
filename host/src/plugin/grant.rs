//! A grant: the log behind a label, and the rights on it.

use std::fmt;

use super::rights::Rights;
use crate::error::Result;
use crate::host::Host;
use crate::sandbox::instance::Instance;
use crate::store::Store;

/// A log for a plugin, and the plugin's rights on it. The default rights are to append and to read.
///
/// The plugin learns neither the log's name nor its store. It knows the label of the grant.
#[derive(Clone)]
pub struct Grant {
    pub(crate) host: Host,
    pub(crate) store: Store,
    pub(crate) name: String,
    pub(crate) rights: Rights,
}

impl Grant {
    /// Grants the log `name` of a store, to append and to read. Makes no request.
    pub fn new(host: &Host, store: &Store, name: impl Into<String>) -> Self {
        let (host, store, name) = (host.clone(), store.clone(), name.into());
        Self { host, store, name, rights: Rights::default() }
    }

    /// Returns a new instance of the log's component.
    pub(super) async fn instance(&self) -> Result<Instance> {
        self.host.engine().instantiate(&self.store).await
    }

    /// Grants these rights instead.
    #[must_use]
    pub fn rights(mut self, rights: Rights) -> Self {
        self.rights = rights;
        self
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant").field("name", &self.name).field("rights", &self.rights).finish()
    }
}
