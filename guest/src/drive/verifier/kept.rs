//! The results of a verification that stay when the log is loaded again. No I/O.
//!
//! 1. A compaction keeps each event at its position and each batch's bytes. So a batch that was
//!    checked in a segment is not read again in the segment that replaces that one: the work
//!    continues at the position that it has reached.
//! 2. A live batch that was checked and then absorbed is read again in its segment, and counts
//!    once. Live batches that are new since the first pass over them are left out. So the work
//!    ends, however fast the log grows.
//! 3. Results stay only as long as the log is a continuation of the one that they are about, and
//!    the damaged segments are still its segments. Otherwise the verification begins again.

use std::collections::VecDeque;

use super::{Finding, VerifyProgress};
use crate::format::listed::ListedBatch;
use crate::format::manifest::Manifest;
use crate::format::names::{BatchName, Digest, Generation, LogId, SegmentName};
use crate::format::ordered::{Map, Set};

/// The place of a batch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The position of its first event, which may be trimmed.
    pub start: u64,
    pub segment: SegmentName,
}

/// The counts of events that were checked.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    pub events: u64,
    pub trimmed_events: u64,
    pub bytes: u64,
}

/// The results that the next load keeps.
#[derive(Default)]
pub(super) struct Kept {
    /// True if a result is from an earlier load.
    pub is_continued: bool,
    log: Option<LogId>,
    generation: Generation,
    /// All compacted events before this position are checked.
    pub position: u64,
    pub sequenced: Counts,
    /// The objects of segments that were read.
    pub objects: u64,
    /// The place of each batch in an index, by a digest of the batch's name.
    pub places: Map<u64, Place>,
    /// The segments that findings are about.
    damaged: Set<SegmentName>,
    /// The live batches that were checked, by a digest of the name.
    live: Map<u64, Counts>,
    /// The live batches that are left to check. None until the first pass over them.
    left: Option<Set<u64>>,
}

impl Counts {
    pub(super) fn add(&mut self, more: Self) {
        self.events += more.events;
        self.trimmed_events += more.trimmed_events;
        self.bytes += more.bytes;
    }

    pub(super) fn add_to(self, checked: &mut VerifyProgress) {
        checked.events += self.events;
        checked.trimmed_events += self.trimmed_events;
        checked.bytes += self.bytes;
    }
}

impl Kept {
    /// A measure of the work that is done.
    pub(super) fn reached(&self) -> (u64, usize) {
        (self.position, self.live.len())
    }

    /// Begins another load, with the findings that stay.
    pub(super) fn begin_load(&mut self, findings: &VecDeque<(Option<SegmentName>, Finding)>) {
        self.is_continued = !self.places.is_empty();
        self.damaged = findings.iter().filter_map(|(segment, _)| *segment).collect();
    }

    /// Records the state that the results are about.
    pub(super) fn set_state(&mut self, manifest: Option<&Manifest>, generation: Generation) {
        self.log = manifest.and_then(|manifest| manifest.log);
        self.generation = generation;
    }

    /// Returns true if the results are about the log that another load shows.
    pub(super) fn continues(&self, manifest: Option<&Manifest>, generation: Generation) -> bool {
        let has = |segment: &SegmentName| {
            manifest.is_some_and(|m| m.records().any(|record| record.name == *segment))
        };
        generation >= self.generation
            && (self.log.is_none() || manifest.and_then(|manifest| manifest.log) == self.log)
            && manifest.map_or(0, |manifest| manifest.next_position) >= self.position
            && self.damaged.iter().all(has)
    }

    /// Records a live batch that was checked.
    pub(super) fn record_live(&mut self, batch: &BatchName, counts: Counts) {
        let batch = digest(batch);
        self.live.insert(batch, counts);
        if let Some(left) = &mut self.left {
            left.remove(&batch);
        }
    }

    /// Returns the counts of a live batch if it was checked.
    pub(super) fn live(&self, batch: &BatchName) -> Option<Counts> {
        self.live.get(&digest(batch)).copied()
    }

    /// Begins a pass over the live batches: returns those to check, and those that are checked. The
    /// others are absorbed, or new since the first pass.
    pub(super) fn begin_live(
        &mut self,
        live: Vec<ListedBatch>,
    ) -> (Vec<ListedBatch>, Vec<ListedBatch>) {
        let is_first = self.left.is_none();
        let left = self.left.get_or_insert_with(|| live.iter().map(|b| digest(&b.name)).collect());
        if !is_first {
            self.live.retain(|batch, _| !self.places.contains_key(batch));
        }
        let known = live.into_iter().filter(|batch| {
            let batch = digest(&batch.name);
            left.contains(&batch) || self.live.contains_key(&batch)
        });
        known.partition(|batch| left.contains(&digest(&batch.name)))
    }
}

/// Represents a batch's name in few bytes.
pub(super) fn digest(batch: &BatchName) -> u64 {
    // One batch may have two names.
    Digest::of(batch.waiting_for(0).to_string().as_bytes()).0
}
