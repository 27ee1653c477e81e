//! The results of a verification so far: counts, findings, and the place of each batch.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Finding, VerifyProgress};
use crate::error::Damage;
use crate::format::batch::BatchRecord;
use crate::format::listed::{ListedBatch, ListedOther};
use crate::format::manifest::Manifest;
use crate::format::names::{BatchName, Digest, Generation, LogName, SegmentName};
use crate::format::verified_chunk::BatchSpan;

/// The place of a batch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The position of its first event, which may be trimmed.
    pub start: u64,
    pub segment: SegmentName,
    /// True if the segment was trimmed. Then another may hold the rest of the batch.
    pub is_retired: bool,
}

/// The results since the last restart.
#[derive(Default)]
pub(super) struct Work {
    pub checked: VerifyProgress,
    pub manifest: Option<Manifest>,
    /// The highest generation listed.
    pub generation: Generation,
    /// Listed batches. The indexes decide which of them are live.
    pub batches: Vec<ListedBatch>,
    /// Their second objects, of those that have two names. A live batch needs only one.
    pub twins: Vec<ListedBatch>,
    pub others: Vec<ListedOther>,
    /// The place of each batch in an index, by a digest of the batch's name.
    pub absorbed: BTreeMap<u64, Place>,
    /// The batches that the first load hides.
    pub hidden: BTreeSet<BatchName>,
    /// Events read of a batch that comes in several spans.
    pub in_batch: u64,
    /// Entries in place of objects that are among the findings.
    pub intruders: BTreeSet<String>,
    /// Returned at the end, since the work may restart before.
    pub findings: VecDeque<Finding>,
}

impl Work {
    /// Records damage. An entry in place of an object is reported by the listing, and not again by
    /// a reader of the object.
    pub(super) fn record_damage(&mut self, damage: Damage) {
        if !damage.is_intruder() || self.intruders.insert(damage.object.clone()) {
            self.findings.push_back(Finding::Damaged(damage));
        }
    }

    /// Records a span that was read and checked.
    pub(super) fn record_span(&mut self, span: &BatchSpan, log: &LogName) {
        let trimmed = self.trimmed(span);
        self.checked.trimmed_events += trimmed;
        self.checked.events += span.events - trimmed;
        self.checked.bytes += span.bytes;
        self.checked.objects += u64::from(span.end.is_some() && span.positions.is_none());
        if let Some(((end, segment), positions)) =
            span.end.zip(span.segment).zip(span.positions.clone())
        {
            let place = Place { start: positions.start, segment, is_retired: false };
            self.record_place(&end, place, log);
        }
    }

    /// The number of events of a span that are trimmed but left to the next compaction.
    fn trimmed(&mut self, span: &BatchSpan) -> u64 {
        let before = self.in_batch;
        self.in_batch = if span.end.is_some() { 0 } else { before + span.events };
        let (Some(positions), Some(manifest)) = (&span.positions, &self.manifest) else {
            return 0;
        };
        let start = positions.start + span.trimmed + before;
        manifest.first_position.saturating_sub(start).min(span.events)
    }

    /// Records the place of a batch. A batch stands once; the rest of one that was cut keeps its
    /// place.
    pub(super) fn record_place(&mut self, batch: &BatchRecord, place: Place, log: &LogName) {
        let Some(other) = self.absorbed.insert(digest(&batch.name), place) else { return };
        let is_left = (other.is_retired || place.is_retired) && other.start == place.start;
        if !is_left && other != place {
            let expected = format!("{} once in the log", batch.name);
            let found = format!("the same batch in {}", other.segment);
            let damage = Damage::new(place.segment, expected, found);
            self.findings.push_back(Finding::Damaged(damage.with_key(log)));
        }
    }
}

/// Represents a batch's name in few bytes.
pub(super) fn digest(batch: &BatchName) -> u64 {
    // One batch may have two names.
    Digest::of(batch.waiting_for(0).to_string().as_bytes()).0
}
