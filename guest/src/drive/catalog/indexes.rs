//! Reads the indexes of a log, and decides by them which batches are absorbed and which visible.
//!
//! 1. An index is read where it decides about a batch, and cached while the current manifest names
//!    it.
//! 2. The cache is bounded: before it grows further, it is emptied.

use std::rc::Rc;

use super::Catalog;
use crate::decide::log_state::LogState;
use crate::decide::lookup::{Lookup, Sought};
use crate::decide::source::SourceObject;
use crate::decide::visibility::{self, Sorted};
use crate::drive::interrupted::{Interrupted, unless_gone};
use crate::error::{Damage, Error};
use crate::format::index::Index;
use crate::format::listed::ListedBatch;
use crate::format::manifest::{Manifest, SegmentRecord};
use crate::format::names::{BatchId, BatchName, Digest, SegmentName};
use crate::format::numbers::to_u64;
use crate::format::ordered::{Map, Set};
use crate::limits::INDEX_CACHE_BATCHES_MAX;
use crate::mutants::{self, Mutant};
use crate::ports::Store;

/// Indexes that were read, by segment.
#[derive(Clone, Default)]
pub(super) struct IndexCache {
    indexes: Map<SegmentName, Rc<Index>>,
    /// The number of batches in them.
    batches: usize,
}

impl IndexCache {
    fn insert(&mut self, segment: SegmentName, index: Rc<Index>) {
        if to_u64(self.batches) > INDEX_CACHE_BATCHES_MAX {
            *self = Self::default();
        }
        self.batches += index.batches.len();
        self.indexes.insert(segment, index);
    }

    /// Drops the indexes of segments that a manifest does not name.
    pub(super) fn retain_named(&mut self, manifest: &Manifest) {
        let mut read = std::mem::take(self);
        if read.indexes.is_empty() {
            return;
        }
        for segment in manifest.records() {
            if let Some(index) = read.indexes.remove(&segment.name) {
                self.batches += index.batches.len();
                self.indexes.insert(segment.name, index);
            }
        }
    }

    /// Returns true if each of some batches, in the order of their names, is in an index.
    pub(super) fn contain_all(&self, batches: &[BatchName]) -> bool {
        if batches.is_empty() {
            return true;
        }
        let found = self.indexes.values().flat_map(|index| index.common(batches));
        found.collect::<Set<_>>().len() == batches.len()
    }
}

impl<S: Store> Catalog<S> {
    /// Decides which of the listed batches are visible, hidden and absorbed. Returns true if
    /// another load must decide about some.
    pub(crate) fn sort_out(
        &mut self,
        manifest: Option<Rc<Manifest>>,
        batches: Vec<ListedBatch>,
    ) -> Result<(LogState, bool), Interrupted> {
        let names: Vec<_> = batches.iter().map(|batch| batch.name).collect();
        let absorbed = self.look_up(manifest.as_deref(), &names)?;
        let twins = self.twins.iter().copied();
        let (garbage, twins): (Vec<_>, _) = twins.partition(|twin| absorbed.contains(&twin.name));
        let sought = visibility::sought(&batches, &absorbed);
        let mut left_out = self.forgotten.clone();
        if mutants::is(Mutant::ForgetRetired) {
            let retired = manifest.iter().flat_map(|manifest| &manifest.retired);
            left_out.extend(retired.map(|retired| retired.segment.name));
        }
        let mut lookup = Lookup::new(manifest.as_deref(), sought, &left_out);
        let doubts = std::mem::take(&mut self.doubts);
        let horizon = manifest.as_ref().and_then(|manifest| manifest.horizon);
        let retired = manifest.iter().flat_map(|manifest| &manifest.retired);
        let retired = retired.filter(|retired| self.forgotten.contains(&retired.segment.name));
        let forgotten: Vec<_> = retired.map(|retired| retired.segment).collect();
        let is_held = |batch: &BatchId| {
            // By the horizon once the records are dropped.
            match forgotten.iter().any(|segment| segment.covers(batch.time)) {
                true => Ok(true),
                false => self.find(&mut lookup, batch),
            }
        };
        let sorted = visibility::sort_out(batches, &absorbed, horizon, &doubts, is_held);
        self.doubts = doubts;
        let Sorted { visible: live, hidden, mut absorbed, doubted, gone } = sorted?;
        absorbed.extend(garbage);
        let is_doubtful = !doubted.is_empty();
        self.doubts.add(doubted);
        let others = Vec::new();
        let state = LogState { manifest, live, hidden, gone, absorbed, twins, others };
        Ok((state, is_doubtful))
    }

    /// Returns the batches that the manifest's indexes contain. None if it is no longer current.
    pub(crate) fn absorbed_by(
        &mut self,
        manifest: &Manifest,
        batches: &[BatchName],
    ) -> Result<Option<Set<BatchName>>, Error> {
        unless_gone(self.look_up(Some(manifest), batches))
    }

    fn look_up(
        &mut self,
        manifest: Option<&Manifest>,
        batches: &[BatchName],
    ) -> Result<Set<BatchName>, Interrupted> {
        let mut lookup = Lookup::new(manifest, batches.iter().copied(), &self.forgotten);
        for batch in batches {
            self.find(&mut lookup, batch)?;
        }
        Ok(lookup.into_found())
    }

    /// Reads the indexes that decide about a batch. Returns true if one contains it.
    fn find<B: Sought>(
        &mut self,
        lookup: &mut Lookup<'_, B>,
        batch: &B,
    ) -> Result<bool, Interrupted> {
        while let Some(needed) = lookup.next(batch) {
            let index = self.index(needed.segment)?;
            lookup.take(needed, Some(&index));
        }
        Ok(lookup.has_found(batch))
    }

    /// Sets the trimmed segments in whose indexes no batch is looked up from now on.
    pub(crate) fn forget(&mut self, segments: &[SegmentName]) {
        self.forgotten = segments.iter().copied().collect();
    }

    /// Returns the index of a segment. None if it is gone.
    pub(crate) fn index_of(&mut self, segment: &SegmentRecord) -> Result<Option<Rc<Index>>, Error> {
        unless_gone(self.require_index(segment))
    }

    /// Returns the index of a segment, and records it if it is gone.
    pub(crate) fn require_index(
        &mut self,
        segment: &SegmentRecord,
    ) -> Result<Rc<Index>, Interrupted> {
        self.index(segment).inspect_err(|interrupted| self.record_gone(interrupted))
    }

    /// Checks a segment's index and returns the digest of its bytes. None if it is gone.
    pub(crate) fn index_digest(&self, segment: &SegmentRecord) -> Result<Option<Digest>, Error> {
        unless_gone(self.read_index(segment).map(|(_, digest)| digest))
    }

    /// Returns true if the damage is that of an index that the manifest names.
    pub(crate) fn is_index_of(&self, manifest: &Manifest, damage: &Damage) -> bool {
        let mut indexes = manifest.records().map(|segment| segment.name.index());
        indexes.any(|index| self.name.key(index) == damage.object)
    }

    fn read_index(&self, segment: &SegmentRecord) -> Result<(Index, Digest), Interrupted> {
        let bytes = self.get(segment.name.index())?.ok_or(SourceObject::index(*segment))?;
        let index = Index::decode(segment, &bytes).map_err(|damage| self.damaged(damage))?;
        Ok((index, Digest::of(&bytes)))
    }

    pub(super) fn index(&mut self, segment: &SegmentRecord) -> Result<Rc<Index>, Interrupted> {
        if let Some(index) = self.indexes.indexes.get(&segment.name) {
            return Ok(index.clone());
        }
        let (index, _) = self.read_index(segment)?;
        let index = Rc::new(index);
        self.indexes.insert(segment.name, index.clone());
        Ok(index)
    }

    /// The error of a written batch that also stands in a segment that stays, as far as the indexes
    /// were read. (Those of trimmed segments may contain the dropped part of it.)
    pub(crate) fn duplicate_batch(
        &self,
        next: &Manifest,
        written: &Set<BatchName>,
    ) -> Option<Error> {
        let index_of = |segment: &SegmentRecord| self.indexes.indexes.get(&segment.name);
        let indexes = next.segments.iter().filter_map(|s| Some((s, index_of(s)?)));
        let mut batches = indexes.flat_map(|(s, index)| index.batches.iter().map(move |b| (s, b)));
        let (segment, batch) = batches.find(|(_, batch)| written.contains(&batch.name))?;
        if mutants::is(Mutant::CommitTwice) {
            return None;
        }
        let expected = format!("{} once in the log", batch.name);
        let found = "the same batch in another segment";
        Some(self.damaged(Damage::new(segment.name, expected, found)))
    }
}
