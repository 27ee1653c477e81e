//! Copies a log to another store, in an instance of its own.

use std::fmt;

use futures::FutureExt as _;

use crate::error::Result;
use crate::sandbox::calls::Calls;
use crate::sandbox::copies::{CopyProgress, MirrorState};
use crate::sandbox::engine::SharedEngine;
use crate::sandbox::imports::access::{FROM, TO};
use crate::sandbox::instance::Handle;
use crate::store::Store;

/// The progress of a [`Copier`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Copied {
    /// Objects copied.
    pub objects: u64,
    /// The bytes of these objects.
    pub bytes: u64,
    /// Objects to copy in all, as far as is known.
    pub objects_total: u64,
    /// The bytes of these objects.
    pub bytes_total: u64,
    /// The generation of the source that the target has once the copy has ended; 0 if the source
    /// was never compacted.
    pub generation: u64,
}

/// A log that is a mirror, or was one: see [`Host::copy`](crate::Host::copy).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mirror {
    /// The name of its source, as the first copy was given it.
    pub source: String,
    /// True once it was promoted.
    pub ended: bool,
}

/// A copy in progress: see [`Host::copy`](crate::Host::copy).
pub struct Copier {
    calls: Calls<Option<CopyProgress>>,
    handle: Handle,
}

impl Copier {
    pub(crate) async fn open(
        engine: &SharedEngine,
        (source, from): (&Store, &str),
        (target, to): (&Store, &str),
        note: &str,
        dry_run: bool,
    ) -> Result<Self> {
        let mut instance = engine.instantiate_pair(source, target).await?;
        let names = (format!("{FROM}/{from}"), format!("{TO}/{to}"));
        let handle = instance.start_copy((&names.0, &names.1), note, dry_run).await?;
        Ok(Self { calls: Calls::new(instance), handle })
    }

    /// Takes a step: decides what is to be copied, or copies a segment or some batches. None once
    /// the target has all that the source had when that was decided last.
    ///
    /// Cancel safe: the next call ends a step that a dropped call has started. A copy that is
    /// dropped at any point is continued by a later one.
    ///
    /// # Errors
    /// - [`NoLog`](crate::Error::NoLog): there is no source.
    /// - [`Conflict`](crate::Error::Conflict): the target has a history of its own. Nothing was
    ///   written.
    /// - [`Damaged`](crate::Error::Damaged): an object of the source, or of the target. The object
    ///   is named below `FROM/` or `TO/`.
    /// - [`StoreFailed`](crate::Error::StoreFailed), [`WriteFailed`](crate::Error::WriteFailed),
    ///   [`Unsupported`](crate::Error::Unsupported).
    pub async fn next(&mut self) -> Result<Option<Copied>> {
        let handle = self.handle;
        let copied = self.calls.end_or_make(move |instance| instance.next_copied(handle).boxed());
        Ok(copied.await?.map(Copied::from))
    }

    /// Begins again with what the source has then, and takes the first step of that. So a mirror is
    /// kept up to date. A call that was dropped is completed before.
    ///
    /// # Errors
    /// As [`Copier::next`].
    pub async fn repeat(&mut self) -> Result<Option<Copied>> {
        let handle = self.handle;
        let copied = self.calls.end_or_make(move |instance| {
            async move {
                instance.repeat_copy(handle).await?;
                instance.next_copied(handle).await
            }
            .boxed()
        });
        Ok(copied.await?.map(Copied::from))
    }
}

impl From<CopyProgress> for Copied {
    fn from(progress: CopyProgress) -> Self {
        let CopyProgress { objects, bytes, objects_total, bytes_total, generation } = progress;
        Self { objects, bytes, objects_total, bytes_total, generation }
    }
}

impl From<MirrorState> for Mirror {
    fn from(MirrorState { source, ended }: MirrorState) -> Self {
        Self { source, ended }
    }
}

impl fmt::Debug for Copier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Copier").finish_non_exhaustive()
    }
}
