//! The results of a verification so far: counts, findings, and the place of each batch.

use std::collections::VecDeque;

use super::kept::{Counts, Kept, Place, digest};
use super::{Finding, VerifyProgress};
use crate::error::Damage;
use crate::format::batch::BatchRecord;
use crate::format::listed::{ListedBatch, ListedOther};
use crate::format::manifest::Manifest;
use crate::format::names::{BatchName, Generation, LogName, SegmentName};
use crate::format::numbers::to_u64;
use crate::format::ordered::Set;
use crate::format::verified_chunk::BatchSpan;

/// The results since the last load.
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
    /// The results that the next load keeps.
    pub kept: Kept,
    /// The position at which the work of this load began.
    pub begun: u64,
    /// The batches that a load hides. Their events do not count.
    pub hidden: Set<BatchName>,
    /// The counts of a batch that comes in several spans, so far.
    in_batch: Counts,
    /// True if a batch is in two places, and one of them is known from an earlier load.
    pub is_contradicted: bool,
    /// Entries in place of objects that are among the findings.
    pub intruders: Set<String>,
    /// Returned at the end, since the log may be loaded again before: each with the segment that it
    /// is about.
    pub findings: VecDeque<(Option<SegmentName>, Finding)>,
}

impl Work {
    /// Returns the work of the next load: it begins with the results that stay.
    pub(super) fn next(mut self) -> Self {
        self.count_segments();
        let Self { mut kept, hidden, findings, .. } = self;
        let of_segments = findings.into_iter().filter(|(segment, _)| segment.is_some());
        let findings: VecDeque<_> = of_segments.collect();
        kept.begin_load(&findings);
        Self { kept, hidden, findings, ..Self::default() }
    }

    /// Counts the objects of the segments that were read since the last call.
    pub(super) fn count_segments(&mut self) {
        let read = self.begun + 1..=self.kept.position;
        let segments = self.manifest.iter().flat_map(|manifest| &manifest.segments);
        let objects = 2 * to_u64(segments.filter(|segment| read.contains(&segment.end())).count());
        self.kept.objects += objects;
        self.checked.objects += objects;
        self.begun = self.kept.position;
    }

    /// Counts a live batch that was checked before the last load.
    pub(super) fn count_known(&mut self, batch: &BatchName) {
        let mut counts = self.kept.live(batch).unwrap_or_default();
        if self.hidden.contains(batch) {
            counts.events = 0;
        }
        counts.add_to(&mut self.checked);
    }

    /// Counts the events of a live batch that a load has hidden, if it was checked.
    pub(super) fn show(&mut self, batch: &BatchName) {
        self.checked.events += self.kept.live(batch).map_or(0, |counts| counts.events);
    }

    /// Records damage. An entry in place of an object is reported by the listing, and not again by
    /// a reader of the object.
    pub(super) fn record_damage(&mut self, damage: Damage, segment: Option<SegmentName>) {
        if !damage.is_intruder() || self.intruders.insert(damage.object.clone()) {
            self.findings.push_back((segment, Finding::Damaged(damage)));
        }
    }

    /// Records a finding that is about no segment.
    pub(super) fn record(&mut self, finding: Finding) {
        self.findings.push_back((None, finding));
    }

    /// Records a span that was read and checked.
    pub(super) fn record_span(&mut self, span: &BatchSpan, log: &LogName) {
        let trimmed_events = self.trimmed(span);
        let mut counts =
            Counts { events: span.events - trimmed_events, trimmed_events, bytes: span.bytes };
        if span.positions.is_none() && self.hidden.contains(&span.batch) {
            counts.events = 0;
        }
        self.in_batch.add(counts);
        counts.add_to(&mut self.checked);
        let Some(end) = span.end else { return };
        let batch = std::mem::take(&mut self.in_batch);
        if let Some((segment, positions)) = span.segment.zip(span.positions.clone()) {
            self.kept.sequenced.add(batch);
            self.kept.position = positions.end.max(self.kept.position);
            self.record_place(&end, Place { start: positions.start, segment }, log);
        } else {
            self.checked.objects += 1;
            self.kept.record_live(&span.batch, Counts { events: end.events, ..batch });
        }
    }

    /// Takes back the counts of a batch that was not read completely.
    pub(super) fn drop_incomplete(&mut self) {
        let Counts { events, trimmed_events, bytes } = std::mem::take(&mut self.in_batch);
        let checked = &mut self.checked;
        checked.events = checked.events.saturating_sub(events);
        checked.trimmed_events = checked.trimmed_events.saturating_sub(trimmed_events);
        checked.bytes = checked.bytes.saturating_sub(bytes);
    }

    /// The number of events of a span that are trimmed but left to the next compaction.
    fn trimmed(&self, span: &BatchSpan) -> u64 {
        let (Some(positions), Some(manifest)) = (&span.positions, &self.manifest) else {
            return 0;
        };
        let before = self.in_batch.events + self.in_batch.trimmed_events;
        let start = positions.start + span.trimmed + before;
        manifest.first_position.saturating_sub(start).min(span.events)
    }

    /// Records the place of a batch. A batch stands once; it keeps its position in a new segment,
    /// and so does the rest of one that was cut.
    pub(super) fn record_place(&mut self, batch: &BatchRecord, place: Place, log: &LogName) {
        let Some(other) = self.kept.places.insert(digest(&batch.name), place) else { return };
        if other.start == place.start {
            return;
        }
        // An earlier load may have shown what a repair has changed since.
        self.is_contradicted |= self.kept.is_continued;
        let expected = format!("{} once in the log", batch.name);
        let found = format!("the same batch in {}", other.segment);
        let damage = Damage::new(place.segment, expected, found);
        let finding = Finding::Damaged(damage.with_key(log));
        self.findings.push_back((Some(place.segment), finding));
    }
}
