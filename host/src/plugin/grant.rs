//! A grant: the log behind a label, and the rights on it.

use std::fmt;
use std::sync::Arc;

use super::quota::{Ledger, Quota, WriterShare};
use super::rights::Rights;
use crate::error::Result;
use crate::host::Host;
use crate::log::Log;
use crate::options::LogOptions;
use crate::sandbox::instance::Instance;
use crate::sandbox::memory::Memory;
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
    pub(super) quota: Option<Quota>,
    /// The use of the quota in one run.
    pub(super) ledger: Option<Arc<Ledger>>,
}

impl Grant {
    /// Grants the log `name` of a store, to append and to read. Makes no request.
    pub fn new(host: &Host, store: &Store, name: impl Into<String>) -> Self {
        let (host, store, name) = (host.clone(), store.clone(), name.into());
        let (rights, quota, ledger) = (Rights::default(), None, None);
        Self { host, store, name, rights, quota, ledger }
    }

    /// Returns a new instance of the log's component.
    pub(super) async fn instance(&self) -> Result<Instance> {
        self.host.engine().instantiate(&self.store).await
    }

    /// Opens the log to append, with a share of its quota if it has one.
    pub(super) async fn open(
        &self,
        options: LogOptions,
    ) -> Result<(Log, Option<Arc<WriterShare>>)> {
        let share = match &self.ledger {
            Some(ledger) => Some(WriterShare::open(ledger).await?),
            None => None,
        };
        let store = share.as_ref().map_or_else(|| self.store.clone(), |share| share.store());
        Ok((self.host.open(&store, &self.name, options).await?, share))
    }

    /// Checks that the quota has room for what is no event.
    pub(super) async fn check_commit(&self) -> Result<()> {
        match &self.ledger {
            Some(ledger) => ledger.check_commit().await,
            None => Ok(()),
        }
    }

    /// Grants these rights instead.
    #[must_use]
    pub fn rights(mut self, rights: Rights) -> Self {
        self.rights = rights;
        self
    }

    /// Limits the bytes and the objects that the log may have in its store. Appends beyond it fail
    /// with [`Error::LimitReached`](crate::Error::LimitReached). [`Quota`] says what counts, what
    /// the host's listings cost, and how far several processes can exceed it together.
    #[must_use]
    pub fn quota(mut self, quota: Quota) -> Self {
        self.quota = Some(quota);
        self
    }

    /// Counts what is written to the log from now on, if it has a quota.
    pub(super) fn count(&mut self, label: &Arc<str>, memory: &Memory) {
        let Some(quota) = self.quota else { return };
        let store = self.ledger.as_ref().map_or(&self.store, |ledger| ledger.store());
        let ledger = Ledger::new(quota, (label.clone(), &self.name), store, memory);
        self.store = ledger.counting_store();
        self.ledger = Some(ledger);
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, rights, quota, .. } = self;
        let mut grant = f.debug_struct("Grant");
        grant.field("name", name).field("rights", rights).field("quota", quota).finish()
    }
}
