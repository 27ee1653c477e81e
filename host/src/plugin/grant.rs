//! A log that is lent: what stands behind a label, and what may be done with it.

use std::fmt;

use super::rights::Rights;
use crate::host::Host;
use crate::store::Store;

/// A log for a plugin, and its rights on it: to append and to read, unless told otherwise.
///
/// The plugin learns neither the log's name nor its store: it has the label under which the grant
/// was given.
#[derive(Clone)]
pub struct Grant {
    pub(crate) host: Host,
    pub(crate) store: Store,
    pub(crate) name: String,
    pub(crate) rights: Rights,
}

impl Grant {
    /// Lends the log `name` of a store, to append and to read. Makes no request.
    pub fn new(host: &Host, store: &Store, name: impl Into<String>) -> Self {
        let (host, store, name) = (host.clone(), store.clone(), name.into());
        Self { host, store, name, rights: Rights::default() }
    }

    /// Gives these rights instead.
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
