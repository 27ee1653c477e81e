//! Copies of logs, and mirrors.

use super::Host;
use crate::error::Result;
use crate::log::{Copier, Mirror};
use crate::store::Store;

impl Host {
    /// Copies a log to a store, of any kind, or to another name, while it is written, compacted and
    /// trimmed. Makes no request yet.
    ///
    /// The copy has the same objects, so positions, batch times and the identity stay, and a reader
    /// resumes there from a position of the source. Each object is checked while it is copied.
    /// Readers of the copy see at any moment, of each writer, its events up to some point. Run
    /// again, it copies only what is new, and a copy that was killed at any point is continued.
    ///
    /// The target is a mirror: opening it for appending, compacting, trimming, repairing and
    /// committing positions fail with [`Error::Unsupported`](crate::Error::Unsupported), until
    /// [`Host::promote`] makes it a log of its own. `note` names the source for people.
    ///
    /// ```
    /// # use stratalog::Host;
    /// # use stratalog::store::Store;
    /// # async fn example(host: Host, disk: Store, bucket: Store) -> Result<(), stratalog::Error> {
    /// let (from, to) = ((&disk, "errors"), (&bucket, "app/errors"));
    /// let mut copy = host.copy(from, to, "/srv/logs/errors").await?;
    /// while copy.next().await?.is_some() {}
    /// host.promote(&bucket, "app/errors").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) for a name.
    pub async fn copy(
        &self,
        from: (&Store, &str),
        to: (&Store, &str),
        note: &str,
    ) -> Result<Copier> {
        Copier::open(&self.engine, from, to, note, false).await
    }

    /// Prepares to count what [`Host::copy`] would copy now: the first [`Copier::next`] returns the
    /// totals, and the second none. Changes nothing.
    ///
    /// # Errors
    /// As [`Host::copy`].
    pub async fn plan_copy(&self, from: (&Store, &str), to: (&Store, &str)) -> Result<Copier> {
        Copier::open(&self.engine, from, to, "", true).await
    }

    /// Returns what a log says about being the target of copies. None if it never was one.
    ///
    /// # Errors
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) for the name,
    /// [`Error::StoreFailed`](crate::Error::StoreFailed), and
    /// [`Error::Damaged`](crate::Error::Damaged) if that object cannot be read.
    pub async fn mirror(&self, store: &Store, name: &str) -> Result<Option<Mirror>> {
        Ok(self.engine.instantiate(store).await?.mirror(name).await?.map(Mirror::from))
    }

    /// Makes the target of copies a log of its own, permanently: it can be written from then on,
    /// and is refused as the target of a copy. Returns false if that was done before. No copy to it
    /// may be in progress.
    ///
    /// # Errors
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) if the log is no mirror, and as
    /// [`Copier::next`].
    pub async fn promote(&self, store: &Store, name: &str) -> Result<bool> {
        Ok(self.engine.instantiate(store).await?.promote(name).await?)
    }
}
