//! Looks batches up in the indexes of a manifest. No I/O: the caller reads the indexes.
//!
//! 1. A batch is looked for in the segments whose times cover its own, trimmed ones included, in
//!    the order of the manifest, until an index contains it. A batch newer than all absorbed ones
//!    takes no index.
//! 2. Each index is needed once. It is then searched for all batches.
//! 3. The work grows with the batches, the segments and the indexes, not with their product,
//!    however the times of the segments overlap.

use crate::decide::covering::Covering;
use crate::format::index::Index;
use crate::format::manifest::{Manifest, SegmentRecord};
use crate::format::names::{BatchId, BatchName, BatchTime, SegmentName};
use crate::format::ordered::{Map, Set};

/// A batch to look up: a listed one by its name, one that only a later batch names by its identity.
pub(crate) trait Sought: Copy + Ord {
    /// Sorts first.
    fn time(&self) -> BatchTime;
    /// Returns those of some sorted batches that a segment contains.
    fn common(index: &Index, batches: &[Self]) -> Vec<Self>;
}

impl Sought for BatchName {
    fn time(&self) -> BatchTime {
        self.time
    }

    fn common(index: &Index, batches: &[Self]) -> Vec<Self> {
        index.common(batches)
    }
}

impl Sought for BatchId {
    fn time(&self) -> BatchTime {
        self.time
    }

    fn common(index: &Index, batches: &[Self]) -> Vec<Self> {
        batches.iter().filter(|batch| index.has(batch)).copied().collect()
    }
}

/// A lookup in progress.
pub(crate) struct Lookup<'a, B = BatchName> {
    /// The batches, sorted.
    batches: Vec<B>,
    /// The segments that may contain some of them.
    segments: Vec<&'a SegmentRecord>,
    /// The times of the segments whose indexes were not taken yet.
    times: Covering,
    /// The batches found, each with the first segment that contains it.
    found: Map<B, usize>,
}

/// The next segment whose index is needed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needed<'a> {
    pub segment: &'a SegmentRecord,
    place: usize,
}

impl<'a, B: Sought> Lookup<'a, B> {
    /// Looks up batches in all segments but those left out.
    pub(crate) fn new(
        manifest: Option<&'a Manifest>,
        batches: impl IntoIterator<Item = B>,
        left_out: &Set<SegmentName>,
    ) -> Self {
        let mut batches: Vec<_> = batches.into_iter().collect();
        batches.sort_unstable();
        batches.dedup();
        let mut segments: Vec<&SegmentRecord> = Vec::new();
        if let (Some(oldest), Some(newest)) = (batches.first(), batches.last()) {
            let records = manifest.into_iter().flat_map(Manifest::records);
            segments.extend(records.filter(|segment| {
                segment.first_time <= newest.time()
                    && oldest.time() <= segment.last_time
                    && !left_out.contains(&segment.name)
            }));
        }
        let times = segments.iter().map(|s| s.first_time.micros()..=s.last_time.micros());
        let times = Covering::new(&times.collect::<Vec<_>>());
        Self { batches, segments, times, found: Map::new() }
    }

    /// Returns the segment whose index is needed next to decide about a batch. None if it is
    /// decided.
    pub(crate) fn next(&mut self, batch: &B) -> Option<Needed<'a>> {
        let place = self.times.first(batch.time().micros())?;
        let is_found = self.found.get(batch).is_some_and(|found| *found < place);
        let segment = self.segments.get(place).filter(|_| !is_found)?;
        Some(Needed { segment, place })
    }

    /// Takes the index that was needed. None if it counts as empty.
    pub(crate) fn take(&mut self, needed: Needed<'_>, index: Option<&Index>) {
        self.times.remove(needed.place);
        for batch in index.into_iter().flat_map(|index| B::common(index, &self.batches)) {
            let first = self.found.or_insert(batch, needed.place);
            *first = needed.place.min(*first);
        }
    }

    /// Returns true if the batch was found.
    pub(crate) fn has_found(&self, batch: &B) -> bool {
        self.found.contains_key(batch)
    }

    /// Returns the batches that were found.
    pub(crate) fn into_found(self) -> Set<B> {
        self.found.into_keys().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::compaction::tests::Random;
    use crate::format::batch::BatchRecord;
    use crate::format::manifest::Retired;
    use crate::format::manifest::tests::{empty, segment_record};
    use crate::format::names::{BatchTime, Digest, Generation, Origin, WriterId};

    fn batch(time: u64, writer: u64) -> BatchName {
        let origin =
            Origin { writer: WriterId(writer), sequence: None, events: 1, digest: Digest(0) };
        BatchName { time: BatchTime::new(time).unwrap(), origin: Some(origin) }
    }

    /// A log of these segments, the last one retired, with their indexes.
    fn log(segments: &[Vec<BatchName>]) -> (Manifest, Map<SegmentName, Index>) {
        let mut indexes = Map::new();
        let record = |(batches, generation): (&Vec<BatchName>, u64)| {
            let record = segment_record(3, 6);
            let times = || batches.iter().map(|batch| batch.time);
            let name = SegmentName { generation: Generation(generation), ..record.name };
            let records = batches.iter().map(|batch| BatchRecord::whole(*batch, 1, 1, Digest(0)));
            indexes.insert(name, Index::new(records.collect()));
            let (first_time, last_time) = (times().min().unwrap(), times().max().unwrap());
            SegmentRecord { name, first_time, last_time, ..record }
        };
        let mut segments: Vec<_> = segments.iter().zip(1..).map(record).collect();
        let retired = segments.pop().into_iter();
        let retired = retired.map(|segment| Retired { segment, generation: Generation(9) });
        let retired = retired.collect();
        (Manifest { segments, retired, ..empty(9) }, indexes)
    }

    /// The segments read, and the batches found.
    type Outcome = (Vec<SegmentName>, Set<BatchName>);

    fn looked_up(log: &(Manifest, Map<SegmentName, Index>), batches: &[BatchName]) -> Outcome {
        let (manifest, indexes) = log;
        let mut read = Vec::new();
        let mut lookup = Lookup::new(Some(manifest), batches.iter().copied(), &Set::new());
        for batch in batches {
            while let Some(needed) = lookup.next(batch) {
                read.push(needed.segment.name);
                lookup.take(needed, indexes.get(&needed.segment.name));
            }
        }
        (read, lookup.into_found())
    }

    /// The same, one batch after the other, by a scan of all segments.
    fn scanned(log: &(Manifest, Map<SegmentName, Index>), batches: &[BatchName]) -> Outcome {
        let (manifest, indexes) = log;
        let (mut read, mut found) = (Vec::new(), Set::new());
        for batch in batches {
            for segment in manifest.records().filter(|segment| segment.covers(batch.time)) {
                if !read.contains(&segment.name) {
                    read.push(segment.name);
                }
                if indexes.get(&segment.name).unwrap().contains(batch) {
                    found.insert(*batch);
                    break;
                }
            }
        }
        (read, found)
    }

    #[test]
    fn indexes_read_and_batches_found_are_those_of_a_scan() {
        for seed in 0..3_000 {
            let mut random = Random(seed);
            let times = 1 + random.below(60);
            let mut some = |most: u64| -> Vec<BatchName> {
                let count = 1 + random.below(most);
                (0..count).map(|_| batch(random.below(times), random.below(3))).collect()
            };
            let segments: Vec<_> = (0..12).map(|_| some(4)).collect();
            // In any order, and perhaps twice.
            let batches = some(30);
            let log = log(&segments);
            assert_eq!(looked_up(&log, &batches), scanned(&log, &batches), "seed {seed}");
        }
    }

    #[test]
    fn only_segments_whose_times_cover_a_batch_are_read() {
        let log = log(&[vec![batch(1, 1), batch(2, 1)], vec![batch(9, 1)]]);
        let read = |time| looked_up(&log, &[batch(time, 2)]).0.len();
        assert_eq!([0, 1, 2, 3, 9, 10].map(read), [0, 1, 1, 0, 1, 0]);
        let mut lookup = Lookup::new(None, [batch(1, 1)], &Set::new());
        assert!(lookup.next(&batch(1, 1)).is_none());
        let left_out = log.1.keys().copied().collect();
        let mut lookup = Lookup::new(Some(&log.0), [batch(1, 1)], &left_out);
        assert!(lookup.next(&batch(1, 1)).is_none());
    }

    #[test]
    fn index_is_read_once_for_all_batches_that_it_may_contain() {
        // The times of all segments overlap, and no index contains a batch that is looked up.
        let count = 2_000;
        let segments: Vec<_> = (0..count).map(|at| vec![batch(at, 1), batch(9_999, 1)]).collect();
        let batches: Vec<_> = (0..count).map(|at| batch(at + count, 2)).collect();
        let (read, found) = looked_up(&log(&segments), &batches);
        assert_eq!((read.len(), found.len()), (segments.len(), 0));
    }
}
