//! The state of a log, as one listing and its manifest show it. No I/O.
//!
//! 1. A listing is not a snapshot. Of two consecutive listings, the batches kept of the second are
//!    a prefix of what each writer wrote.
//! 2. A batch is live if no index of the manifest contains it. A batch newer than all absorbed ones
//!    is live without reading an index. Of the live ones, `visibility` finds those behind no gap.

use std::rc::Rc;

use crate::decide::visibility::Gone;
use crate::format::listed::{ListedBatch, ListedOther};
use crate::format::manifest::{Manifest, Retired, SegmentRecord};
use crate::format::names::{BatchName, BatchTime, Generation, LogId, ObjectName, WriterId};
use crate::format::ordered::{Map, Set};
use crate::limits::MANIFESTS_KEPT;
use crate::mutants::{self, Mutant};

/// The state of a log at one time.
#[derive(Clone, Debug, Default)]
pub struct LogState {
    pub manifest: Option<Rc<Manifest>>,
    /// The visible batches in the order of their names: see `visibility`.
    pub live: Vec<ListedBatch>,
    /// The other live batches, which are behind a gap.
    pub hidden: Vec<ListedBatch>,
    /// Batches that were confirmed and do not exist any more.
    pub gone: Vec<Gone>,
    /// Batches that an index contains and that were still listed: garbage.
    pub absorbed: Vec<ListedBatch>,
    /// The second objects of live batches that have two names.
    pub twins: Vec<ListedBatch>,
    /// Manifests, segments and indexes, if the scope includes them.
    pub others: Vec<ListedOther>,
}

impl LogState {
    /// All listed batches, each once.
    pub fn listed(&self) -> impl Iterator<Item = &ListedBatch> {
        self.live.iter().chain(&self.hidden).chain(&self.absorbed)
    }

    /// The position of the first event that is not trimmed.
    pub fn first_position(&self) -> u64 {
        self.manifest.as_ref().map_or(0, |manifest| manifest.first_position)
    }

    /// The position that the next absorbed event gets.
    pub fn next_position(&self) -> u64 {
        self.manifest.as_ref().map_or(0, |manifest| manifest.next_position)
    }

    /// The identity of the log, if it has one.
    pub fn log(&self) -> Option<LogId> {
        self.manifest.as_ref().and_then(|manifest| manifest.log)
    }

    pub fn segments(&self) -> &[SegmentRecord] {
        self.manifest.as_ref().map_or(&[], |manifest| &manifest.segments)
    }

    pub fn retired(&self) -> &[Retired] {
        self.manifest.as_ref().map_or(&[], |manifest| &manifest.retired)
    }
}

/// The time of the newest batch of each writer in a listing. A writer never seals two batches with
/// one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HighWaterMarks(Map<Option<WriterId>, BatchTime>);

impl HighWaterMarks {
    /// Records a listed batch.
    pub(crate) fn observe(&mut self, batch: &BatchName) {
        let newest = self.0.or_default(batch.writer());
        *newest = batch.time.max(*newest);
    }

    /// Returns true if a later listing may show the batch: it is not newer than the writer's newest
    /// batch here, so all earlier batches of the writer are shown too.
    pub(crate) fn covers(&self, batch: &BatchName) -> bool {
        self.0.get(&batch.writer()).is_some_and(|newest| batch.time <= *newest)
    }
}

/// The generations of the manifests in a listing.
pub(crate) fn manifests(others: &[ListedOther]) -> impl Iterator<Item = Generation> {
    others.iter().filter_map(|other| match other.name {
        ObjectName::Manifest(generation) => Some(generation),
        _ => None,
    })
}

/// The generations of the manifests kept below the current one, newest first, and of older ones
/// that are listed. Those of a group that is being deleted may exist or not. The first is kept
/// permanently; a log that began in format 1 may lack it.
pub(crate) fn kept_below(
    current: Generation,
    others: &[ListedOther],
) -> impl Iterator<Item = Generation> + use<> {
    let lowest = current.0.saturating_sub(MANIFESTS_KEPT).max(Generation::FIRST.0);
    let older = manifests(others).filter(|generation| generation.0 < lowest);
    let older: Set<_> = older.collect();
    (lowest..current.0).rev().map(Generation).chain(older.into_iter().rev())
}

/// Returns true if a manifest may have been deleted while another is current.
pub(crate) fn may_be_deleted(generation: Generation, current: Generation) -> bool {
    generation > Generation::FIRST && generation.0 + MANIFESTS_KEPT < current.0
}

/// Segments, indexes and manifests that the current manifest makes garbage; manifests in whole
/// groups. The first manifest never is garbage: a compaction that lists no manifest then fails to
/// create the first one.
pub(crate) fn garbage(current: &Manifest, others: &[ListedOther]) -> Vec<ListedOther> {
    let named: Set<_> = current.segments.iter().map(|segment| segment.name).collect();
    let retired: Set<_> = current.retired.iter().map(|r| r.segment.name).collect();
    let is_garbage = |object: &&ListedOther| match &object.name {
        ObjectName::Batch(_) => false,
        ObjectName::Manifest(generation) => {
            let is_old = |last: u64| last < current.generation.0;
            (*generation > Generation::FIRST || mutants::is(Mutant::DeleteFirst))
                && generation.marker().0.0.checked_add(MANIFESTS_KEPT).is_some_and(is_old)
        }
        ObjectName::Segment(segment) => {
            segment.generation <= current.generation && !named.contains(segment)
        }
        ObjectName::Index(index) => {
            index.0.generation <= current.generation
                && !named.contains(&index.0)
                && !retired.contains(&index.0)
        }
    };
    others.iter().filter(is_garbage).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::manifest::tests::{empty, segment_record};
    use crate::format::names::{CommitId, Digest, Origin, SegmentName};

    fn batch(time: u64, writer: u64) -> ListedBatch {
        let origin =
            Origin { writer: WriterId(writer), sequence: None, events: 1, digest: Digest(0) };
        let time = BatchTime::new(time).unwrap();
        ListedBatch { name: BatchName { time, origin: Some(origin) }, size: 1 }
    }

    #[test]
    fn kept_batches_are_a_prefix_of_each_writers_batches() {
        // The first listing missed writer 1's batch 10 but saw its batch 20; writer 2's 30 is new.
        let first = [batch(20, 1)];
        let second = vec![batch(10, 1), batch(20, 1), batch(25, 1), batch(30, 2)];
        let mut marks = HighWaterMarks::default();
        first.iter().for_each(|batch| marks.observe(&batch.name));
        let kept: Vec<_> = second.into_iter().filter(|batch| marks.covers(&batch.name)).collect();
        assert_eq!(kept, [batch(10, 1), batch(20, 1)]);
    }

    #[test]
    fn garbage_is_unnamed_and_no_newer_than_the_current_manifest() {
        let named = segment_record(3, 6).name;
        let name = |generation, commit_id| SegmentName {
            generation: Generation(generation),
            commit_id: CommitId(commit_id),
            part: 0,
        };
        let retired = name(4, 1);
        let manifest = Manifest {
            next_position: 3,
            segments: vec![segment_record(3, 6)],
            retired: vec![Retired {
                segment: SegmentRecord { name: retired, ..segment_record(3, 6) },
                generation: Generation(5),
            }],
            ..empty(20)
        };
        let listed = |name| ListedOther { name, size: 1 };
        let others = [
            ObjectName::Segment(named),
            ObjectName::Index(named.index()),
            ObjectName::Segment(name(20, 1)),
            ObjectName::Index(name(20, 1).index()),
            ObjectName::Segment(name(21, 1)),
            ObjectName::Index(retired.index()),
            ObjectName::Manifest(Generation(1)),
            ObjectName::Manifest(Generation(8)),
            ObjectName::Manifest(Generation(9)),
            ObjectName::Manifest(Generation(11)),
            ObjectName::Manifest(Generation(21)),
        ]
        .map(listed);
        let expected = [
            ObjectName::Segment(name(20, 1)),
            ObjectName::Index(name(20, 1).index()),
            ObjectName::Manifest(Generation(8)),
        ]
        .map(listed);
        assert_eq!(garbage(&manifest, &others), expected);
        // No manifest of a group is deleted before the last of it may be.
        let manifest = Manifest { generation: Generation(24), ..manifest };
        let manifests = others.iter().filter(|o| matches!(o.name, ObjectName::Manifest(_)));
        let manifests: Vec<_> = manifests.copied().collect();
        assert_eq!(garbage(&manifest, &manifests), [manifests[1]]);
        let manifest = Manifest { generation: Generation(25), ..manifest };
        assert_eq!(garbage(&manifest, &manifests), manifests[1..4]);
    }
}
