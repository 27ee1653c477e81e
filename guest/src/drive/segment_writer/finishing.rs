//! Segments that are complete and not durable yet. Several small ones wait for the store
//! concurrently: each takes two creates, one after the other.
//!
//! 1. A segment is created after its index is durable.
//! 2. When a call returns, with or without an error, nothing that it waited for is in flight: an
//!    object that lands later could not be deleted.
//! 3. After a failure no further segment is created.

use crate::drive::catalog::Catalog;
use crate::drive::existing;
use crate::error::Error;
use crate::format::index::Index;
use crate::format::names::{Digest, SegmentName};
use crate::format::numbers::to_u64;
use crate::format::segment::NewSegment;
use crate::limits::{FINISHING_BYTES_MAX, FINISHING_SEGMENTS_MAX};
use crate::mutants::{self, Mutant};
use crate::ports::{HostBytes, PendingCreate, Store, Upload, WriteError};

use super::{landed, write_failed};

/// The bytes of a segment.
pub(super) enum Content<S: Store> {
    /// All bytes of a small one, which is created in one call.
    Small(S::Bytes),
    Large(S::Upload),
}

/// A complete segment.
struct Complete<S: Store> {
    name: SegmentName,
    index: Index,
    index_bytes: Vec<u8>,
    /// The create of the index. None if the segment is created first.
    index_create: Option<S::Create>,
    content: Content<S>,
}

/// A segment whose create has begun, or ended.
struct Begun<S: Store> {
    complete: Complete<S>,
    outcome: Outcome<S>,
}

enum Outcome<S: Store> {
    Pending(S::Create),
    Known(Result<(), WriteError>),
}

/// The complete segments, in order.
pub(super) struct Finishing<S: Store> {
    complete: Vec<Complete<S>>,
    /// Bytes of small segments and of indexes.
    bytes: u64,
}

impl<S: Store> Finishing<S> {
    pub(super) fn new() -> Self {
        Self { complete: Vec::new(), bytes: 0 }
    }

    /// Adds a segment and begins to create its index.
    pub(super) fn add(
        &mut self,
        catalog: &Catalog<S>,
        name: SegmentName,
        index: Index,
        content: Content<S>,
    ) -> Result<(), Error> {
        let index_bytes = index.encode().map_err(|error| Error::Unsupported(error.to_string()))?;
        let index_create = (!mutants::is(Mutant::SegmentFirst)).then(|| {
            let key = catalog.name.key(name.index());
            catalog.store.start_create(&key, &S::Bytes::new(&index_bytes))
        });
        self.bytes += to_u64(index_bytes.len());
        if let Content::Small(bytes) = &content {
            self.bytes += bytes.length();
        }
        self.complete.push(Complete { name, index, index_bytes, index_create, content });
        Ok(())
    }

    /// Returns whether no further segment may wait.
    pub(super) fn is_full(&self) -> bool {
        let is_large = |complete: &Complete<S>| matches!(complete.content, Content::Large(_));
        self.complete.len() >= FINISHING_SEGMENTS_MAX
            || self.bytes >= FINISHING_BYTES_MAX
            || self.complete.iter().any(is_large)
    }

    /// Waits until all are durable, and completes their records in `segments`. Leaves out of them a
    /// segment whose fate is unknown: it may land later.
    pub(super) fn settle(
        &mut self,
        catalog: &Catalog<S>,
        segments: &mut Vec<NewSegment>,
    ) -> Result<(), Error> {
        self.bytes = 0;
        let (mut begun, mut settled) = (Vec::new(), Ok(()));
        for complete in std::mem::take(&mut self.complete) {
            let index = complete.wait_for_index(catalog);
            settled = settled.and(index);
            if settled.is_ok() {
                begun.push(complete.begin(catalog));
            }
        }
        for begun in begun {
            let finished = begun.end(catalog, segments);
            settled = settled.and(finished);
        }
        settled
    }

    /// Waits for what is in flight, and begins nothing.
    pub(super) fn abandon(&mut self, catalog: &Catalog<S>) {
        for complete in std::mem::take(&mut self.complete) {
            // The segment is not created, so its index counts for nothing.
            let _ = complete.wait_for_index(catalog);
        }
    }
}

impl<S: Store> Complete<S> {
    fn wait_for_index(&self, catalog: &Catalog<S>) -> Result<(), Error> {
        match &self.index_create {
            Some(create) => self.index_outcome(catalog, create.wait()),
            None => Ok(()),
        }
    }

    fn index_outcome(
        &self,
        catalog: &Catalog<S>,
        outcome: Result<(), WriteError>,
    ) -> Result<(), Error> {
        let (store, key) = (&catalog.store, catalog.name.key(self.name.index()));
        let check = || existing::check_bytes(store, &key, &self.index_bytes);
        landed(outcome, check).map_err(|error| write_failed(&key, error))
    }

    /// Begins to create the segment. An upload ends here.
    fn begin(self, catalog: &Catalog<S>) -> Begun<S> {
        let outcome = match &self.content {
            Content::Small(bytes) => {
                let key = catalog.name.key(self.name);
                Outcome::Pending(catalog.store.start_create(&key, bytes))
            }
            Content::Large(upload) => Outcome::Known(upload.finish()),
        };
        Begun { complete: self, outcome }
    }
}

impl<S: Store> Begun<S> {
    fn end(self, catalog: &Catalog<S>, segments: &mut Vec<NewSegment>) -> Result<(), Error> {
        let Self { complete, outcome } = self;
        let (store, log, name) = (&catalog.store, &catalog.name, complete.name);
        let outcome = match outcome {
            Outcome::Pending(create) => create.wait(),
            Outcome::Known(outcome) => outcome,
        };
        let batches = &complete.index.batches;
        let finished = landed(outcome, || existing::check_segment(store, log, name, batches));
        if matches!(finished, Err(WriteError::Unknown(_))) && !mutants::is(Mutant::DiscardInDoubt) {
            segments.retain(|segment| segment.name != name);
        }
        finished.map_err(|error| write_failed(&log.key(name), error))?;
        if complete.index_create.is_none() {
            let key = log.key(name.index());
            complete.index_outcome(catalog, store.create(&key, &complete.index_bytes))?;
        }
        if let Some(segment) = segments.iter_mut().find(|segment| segment.name == name) {
            segment.index = Some(Digest::of(&complete.index_bytes));
            segment.batches = complete.index.batches;
        }
        Ok(())
    }
}
