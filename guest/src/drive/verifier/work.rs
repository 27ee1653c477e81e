//! What a verification has found so far: counts, findings, and where each batch stands.

use std::collections::{BTreeMap, VecDeque};

use super::{Checked, Finding};
use crate::error::Damage;
use crate::format::batch::BatchRecord;
use crate::format::listed::{ListedBatch, ListedOther};
use crate::format::manifest::Manifest;
use crate::format::names::{BatchName, Digest, Generation, LogName, SegmentName};
use crate::format::verified_chunk::BatchSpan;

/// Where a batch stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The position of its first event, though that may be trimmed.
    pub start: u64,
    pub segment: SegmentName,
    /// Whether the segment was trimmed: then another may hold what is left of the batch.
    pub is_retired: bool,
}

/// What was found since the last look.
#[derive(Default)]
pub(super) struct Work {
    pub checked: Checked,
    pub manifest: Option<Manifest>,
    /// The highest that was listed.
    pub generation: Generation,
    /// Listed batches: which of them are live is known when all indexes have been read.
    pub batches: Vec<ListedBatch>,
    pub others: Vec<ListedOther>,
    /// Where each batch stands that an index holds, by a digest of the batch's name.
    pub absorbed: BTreeMap<u64, Place>,
    /// Events read of a batch that comes in several pieces.
    pub in_batch: u64,
    /// Handed out at the end, since the work may begin anew before.
    pub findings: VecDeque<Finding>,
}

impl Work {
    /// Takes note of damage. What stands in an object's place is named by the listing, and is not
    /// named again by whoever needs the object.
    pub(super) fn found(&mut self, damage: Damage) {
        let is_named = |finding: &Finding| match finding {
            Finding::Damaged(named) => named.is_intruder() && named.object == damage.object,
            Finding::Garbage { .. } => false,
        };
        if !(damage.is_intruder() && self.findings.iter().any(is_named)) {
            self.findings.push_back(Finding::Damaged(damage));
        }
    }

    /// Takes note of what was read and checked.
    pub(super) fn met(&mut self, span: &BatchSpan, log: &LogName) {
        let trimmed = self.trimmed(span);
        self.checked.trimmed_events += trimmed;
        self.checked.events += span.events - trimmed;
        self.checked.bytes += span.bytes;
        self.checked.objects += u64::from(span.end.is_some() && span.positions.is_none());
        if let Some(((end, segment), positions)) =
            span.end.zip(span.segment).zip(span.positions.clone())
        {
            let place = Place { start: positions.start, segment, is_retired: false };
            self.stands(&end, place, log);
        }
    }

    /// How many events of a piece are trimmed: a trim has left them to the next compaction.
    fn trimmed(&mut self, span: &BatchSpan) -> u64 {
        let before = self.in_batch;
        self.in_batch = if span.end.is_some() { 0 } else { before.saturating_add(span.events) };
        let (Some(positions), Some(manifest)) = (&span.positions, &self.manifest) else {
            return 0;
        };
        let start = positions.start.saturating_add(span.trimmed).saturating_add(before);
        manifest.first_position.saturating_sub(start).min(span.events)
    }

    /// Takes note of where a batch stands. It stands once; what a trim has left of it has its old
    /// place.
    pub(super) fn stands(&mut self, batch: &BatchRecord, place: Place, log: &LogName) {
        let Some(other) = self.absorbed.insert(digest(&batch.name), place) else { return };
        let is_left = (other.is_retired || place.is_retired) && other.start == place.start;
        if !is_left && other != place {
            let expected = format!("{} once in the log", batch.name);
            let found = format!("it is in {}, too", other.segment);
            let damage = Damage::new(place.segment, expected, found);
            self.findings.push_back(Finding::Damaged(damage.with_key(log)));
        }
    }
}

/// Stands for a batch's name, in few bytes.
pub(super) fn digest(batch: &BatchName) -> u64 {
    Digest::of(batch.to_string().as_bytes()).0
}
