//! The part of a quota that one writer uses: the events that it has accepted.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::ledger::{Ledger, Pending, Use};
use crate::error::Result;
use crate::numbers::to_u64;
use crate::store::{Space, Store};

/// One writer of a log with a quota.
#[derive(Debug)]
pub(in crate::plugin) struct WriterShare {
    ledger: Arc<Ledger>,
    pending: Arc<Pending>,
}

/// Bytes that the writer may append. They are given back unless they are kept.
#[derive(Debug)]
pub(in crate::plugin) struct Accepted {
    share: Option<Arc<WriterShare>>,
    bytes: u64,
}

impl WriterShare {
    /// Returns the share of a writer that is about to be opened, after a first listing.
    pub(in crate::plugin) async fn open(ledger: &Arc<Ledger>) -> Result<Arc<Self>> {
        let pending = ledger.add_writer().await?;
        Ok(Arc::new(Self { ledger: ledger.clone(), pending }))
    }

    /// Returns the store for this writer alone, which counts its batches.
    pub(in crate::plugin) fn store(&self) -> Store {
        self.ledger.counting_store().counting(&self.pending.batches)
    }

    /// Accepts bytes if there is room; none if the log must be listed first.
    pub(in crate::plugin) fn accept_now(
        self: &Arc<Self>,
        bytes: usize,
    ) -> Result<Option<Accepted>> {
        let bytes = to_u64(bytes);
        let accept = |_: &mut _| self.add(bytes);
        let is_accepted = self.ledger.grant_now(self.wanted(bytes), Use::Append, accept)?;
        Ok(is_accepted.then(|| self.accepted(bytes)))
    }

    /// Accepts bytes if there is room, after a listing if one is due.
    pub(in crate::plugin) async fn accept(self: &Arc<Self>, bytes: usize) -> Result<Accepted> {
        let bytes = to_u64(bytes);
        let accept = |_: &mut _| self.add(bytes);
        self.ledger.grant(self.wanted(bytes), Use::Append, accept).await?;
        Ok(self.accepted(bytes))
    }

    /// Returns the space that bytes need: a batch of their own if none is being filled.
    fn wanted(&self, bytes: u64) -> Space {
        let is_next = bytes > 0 && self.pending.space().bytes == 0;
        Space { objects: u64::from(is_next), bytes }
    }

    /// Called under the lock of the ledger, so that two calls do not use the same room.
    fn add(&self, bytes: u64) {
        self.pending.accepted_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn accepted(self: &Arc<Self>, bytes: u64) -> Accepted {
        Accepted { share: Some(self.clone()), bytes }
    }
}

impl Accepted {
    /// Accepts without a quota.
    pub(in crate::plugin) fn freely() -> Self {
        Self { share: None, bytes: 0 }
    }

    /// Keeps the bytes: they were appended.
    pub(in crate::plugin) fn keep(mut self) {
        self.share = None;
    }
}

impl Drop for Accepted {
    fn drop(&mut self) {
        if let Some(share) = &self.share {
            share.pending.accepted_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}
