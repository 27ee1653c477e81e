use std::rc::Rc;

use super::*;
use crate::decide::options::CompactInput;
use crate::decide::retirement::Needed;
use crate::format::batch::{BatchRecord, name_for};
use crate::format::index::Index;
use crate::format::listed::ListedBatch;
use crate::format::manifest::tests::{empty, segment_record, stored};
use crate::format::names::{BatchName, BatchTime, Digest, LogId, SegmentName, WriterId};
use crate::limits::SEGMENT_BYTES_DEFAULT;

fn record(time: u64, events: u64) -> BatchRecord {
    let lines = b"x\n".repeat(events.try_into().unwrap());
    let name = name_for(BatchTime::new(time).unwrap(), WriterId(1), None, &lines);
    BatchRecord::whole(name, events, events * 2, Digest::of(&lines))
}

fn state(segments: &[u64], live: &[u64]) -> LogState {
    let mut position = 0;
    let segments = segments.iter().zip(0..).map(|(&bytes, part)| {
        let record = segment_record(bytes, bytes);
        let name = SegmentName { part, ..record.name };
        let record = SegmentRecord { name, position, batches: 1, ..record };
        position += bytes;
        record
    });
    let segments: Vec<_> = segments.collect();
    let manifest =
        Manifest { segments, next_position: position, ..Manifest::after(None, CommitId(1)) };
    let live =
        live.iter().zip(1..).map(|(&size, time)| ListedBatch { name: record(time, 1).name, size });
    LogState { manifest: Some(Rc::new(manifest)), live: live.collect(), ..LogState::default() }
}

/// The segments that are rewritten, and the number of live batches with them.
fn planned(state: &LogState, options: CompactInput) -> Vec<(Range<usize>, usize)> {
    let plan = plan(state, None, &options.check().unwrap());
    plan.into_iter().map(|rewrite| (rewrite.segments, rewrite.batches)).collect()
}

#[test]
fn fewer_than_two_batches_are_left_alone_but_by_a_full_compaction() {
    let input = CompactInput::default();
    assert_eq!(planned(&LogState::default(), input), []);
    assert_eq!(planned(&state(&[], &[5]), input), []);
    assert_eq!(planned(&state(&[], &[5]), CompactInput { full: true, ..input }), [(0..0, 1)]);
    assert_eq!(planned(&state(&[7], &[5]), input), []);
    assert_eq!(planned(&state(&[7], &[5]), CompactInput { full: true, ..input }), [(0..1, 1)]);
    assert_eq!(planned(&state(&[], &[5, 5]), input), [(0..0, 2)]);
    let bounded = CompactInput { batches_max: Some(1), ..input };
    assert_eq!(planned(&state(&[], &[5, 5]), bounded), [(0..0, 1)]);
}

#[test]
fn neighbours_of_a_tier_are_merged_when_there_are_enough() {
    let input = CompactInput { fan_in: Some(3), ..CompactInput::default() };
    // Tiers of base 3: 9..26 is tier 2, 27..80 tier 3.
    assert_eq!(planned(&state(&[10, 10], &[]), input), []);
    assert_eq!(planned(&state(&[10, 10, 20], &[]), input), [(0..3, 0)]);
    // The live batches make the third.
    assert_eq!(planned(&state(&[10, 10], &[5, 5]), input), [(0..2, 2)]);
    // A larger one stands between them.
    assert_eq!(planned(&state(&[10, 100, 10, 10], &[]), input), []);
    // A smaller one between them goes with them.
    assert_eq!(planned(&state(&[10, 2, 10, 10], &[]), input), [(0..4, 0)]);
    // What was merged completes the next tier.
    assert_eq!(planned(&state(&[30, 30, 10, 10, 10], &[]), input), [(0..5, 0)]);
}

#[test]
fn nothing_grows_beyond_a_segment() {
    let input =
        CompactInput { fan_in: Some(2), segment_bytes_max: Some(100), ..CompactInput::default() };
    // Both are over half of a segment.
    assert_eq!(planned(&state(&[60, 60], &[]), input), []);
    assert_eq!(planned(&state(&[40, 40, 40], &[]), input), [(0..2, 0)]);
    assert_eq!(planned(&state(&[], &[70, 70]), input), [(0..0, 2)]);
    let full = CompactInput { full: true, ..input };
    assert_eq!(planned(&state(&[60, 30, 60, 40, 1], &[]), full), [(0..2, 0), (2..4, 0)]);
    assert_eq!(planned(&state(&[90, 61, 40], &[]), full), []);
}

#[test]
fn new_segment_absorbs_smaller_ones_before_it() {
    let input = CompactInput { fan_in: Some(3), ..CompactInput::default() };
    // Live batches of tier 2 behind segments of tiers 3, 1, 0 and 2.
    assert_eq!(planned(&state(&[30, 5, 1], &[9, 9]), input), [(1..3, 2)]);
    assert_eq!(planned(&state(&[30, 10, 5], &[9, 9]), input), [(2..3, 2)]);
    // Their result takes in the smaller ones before it.
    assert_eq!(planned(&state(&[90, 10, 8, 8], &[9, 9]), input), [(1..4, 2)]);
    // So does a merge of its tier.
    assert_eq!(planned(&state(&[1, 10, 10, 10, 4], &[]), input), [(0..4, 0)]);
    // One batch is not written.
    assert_eq!(planned(&state(&[5], &[900]), input), []);
    let small = CompactInput { segment_bytes_max: Some(100), ..input };
    // No further than they fit into one segment, the oldest first.
    assert_eq!(planned(&state(&[20, 8], &[40, 40]), small), [(0..2, 0), (2..2, 2)]);
    assert_eq!(planned(&state(&[49, 48, 26, 26], &[13, 14]), small), [(0..2, 0), (2..4, 2)]);
    assert_eq!(planned(&state(&[30], &[40, 40]), small), [(1..1, 2)]);
    // Unless that is cut anyway: its first segment may be as small.
    assert_eq!(planned(&state(&[60, 30], &[5, 99]), small), [(1..2, 2)]);
    let full = CompactInput { full: true, ..small };
    assert_eq!(planned(&state(&[90], &[5, 99]), full), [(0..1, 2)]);
    // A segment that is itself too large is not cut again.
    assert_eq!(planned(&state(&[120], &[5, 99]), full), [(1..1, 2)]);
}

#[test]
fn smaller_ones_before_a_larger_one_become_one() {
    let input = CompactInput { fan_in: Some(3), ..CompactInput::default() };
    // At the beginning, behind a larger one, and behind one of the same tier.
    assert_eq!(planned(&state(&[5, 1, 10], &[]), input), [(0..2, 0)]);
    assert_eq!(planned(&state(&[100, 5, 1, 10], &[]), input), [(1..3, 0)]);
    assert_eq!(planned(&state(&[10, 5, 1, 10], &[]), input), [(1..3, 0)]);
    // A single one stays, and so do those at the end, before one live batch too.
    assert_eq!(planned(&state(&[10, 1, 10, 5, 1], &[]), input), []);
    assert_eq!(planned(&state(&[10, 5, 1], &[900]), input), []);
    // Each as far as the limits allow. The one of 60 is final.
    let small = CompactInput { fan_in: Some(8), segment_bytes_max: Some(100), ..input };
    let segments = [7, 30, 7, 50, 20, 60];
    assert_eq!(planned(&state(&segments, &[]), small), [(0..4, 0)]);
    assert_eq!(planned(&state(&[94, 20, 60], &[]), small), []);
}

/// SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    /// Up to 65,536, as likely small as large.
    pub(crate) fn size(&mut self) -> u64 {
        let most = 1 << self.below(17);
        1 + self.below(most)
    }
}

/// A log as the plans see it: the bytes of its segments.
#[derive(Default)]
struct Log {
    segments: Vec<u64>,
    /// The highest number of writes of any byte of each segment.
    writes: Vec<u64>,
    bytes: u64,
    bytes_written: u64,
}

impl Log {
    /// Compacts with these live batches, and checks that nothing is left to do.
    fn compact(&mut self, live: &[u64], input: CompactInput) {
        let options = input.check().unwrap();
        self.bytes += live.iter().sum::<u64>();
        for rewrite in plan(&state(&self.segments, live), None, &options).into_iter().rev() {
            self.bytes_written += rewrite.bytes;
            let old = self.segments.iter().copied().zip(self.writes.iter().copied());
            let old = old.take(rewrite.segments.end).skip(rewrite.segments.start);
            let absorbed = live.iter().take(rewrite.batches).map(|&bytes| (bytes, 0));
            let mut new: Vec<(u64, u64)> = Vec::new();
            for (bytes, writes) in old.chain(absorbed) {
                match new.last_mut().filter(|last| last.0 + bytes <= options.segment_bytes_max) {
                    Some(last) => *last = (last.0 + bytes, last.1.max(writes + 1)),
                    None => new.push((bytes, writes + 1)),
                }
            }
            self.segments.splice(rewrite.segments.clone(), new.iter().map(|new| new.0));
            self.writes.splice(rewrite.segments, new.iter().map(|new| new.1));
        }
        assert_eq!(self.segments.iter().sum::<u64>(), self.bytes);
        assert_eq!(planned(&state(&self.segments, &[]), input), [], "{:?}", self.segments);
    }

    fn tiers(&self, input: CompactInput) -> u64 {
        let options = input.check().unwrap();
        1 + u64::from(tier(self.bytes.min(options.segment_bytes_max / 2), options.fan_in))
    }

    fn length(&self) -> u64 {
        self.segments.len().try_into().unwrap()
    }
}

#[test]
fn log_of_equal_compactions_is_rewritten_seldom() {
    let (mut log, rounds) = (Log::default(), 1_000);
    for _ in 0..rounds {
        log.compact(&[50, 50], CompactInput::default());
    }
    assert_eq!(log.bytes, rounds * 100);
    // 1,000 rounds are three tiers and a bit of base 8.
    assert!(log.bytes_written <= 4 * log.bytes, "{}", log.bytes_written);
    assert!(log.segments.len() <= 4 * 7, "{:?}", log.segments);
    assert!(log.segments.iter().all(|&bytes| bytes <= SEGMENT_BYTES_DEFAULT));
}

#[test]
fn log_of_unequal_compactions_keeps_few_segments_and_few_rewrites() {
    for fan_in in [2, 3, 8] {
        for seed in 0..4 {
            let (mut random, mut log) = (Random(seed), Log::default());
            let input = CompactInput { fan_in: Some(fan_in), ..CompactInput::default() };
            for _ in 0..3_000 {
                log.compact(&[random.size(), random.size()], input);
                let at_most = u64::from(fan_in - 1) * log.tiers(input);
                assert!(log.length() <= at_most, "seed {seed}: {:?}", log.segments);
                // Each of its bytes, not only the average one.
                assert!(log.writes.iter().all(|&writes| writes <= log.tiers(input)), "seed {seed}");
            }
            assert!(log.segments.iter().all(|&bytes| bytes <= SEGMENT_BYTES_DEFAULT / 2));
        }
    }
}

#[test]
fn final_segments_have_at_most_one_smaller_one_between_them() {
    for (seed, segment_bytes_max) in (0..).zip([1_000, 10_000, 100_000]) {
        let (mut random, mut log) = (Random(seed), Log::default());
        let input =
            CompactInput { segment_bytes_max: Some(segment_bytes_max), ..CompactInput::default() };
        for _ in 0..3_000 {
            log.compact(&[random.size(), random.size()], input);
            let finals = log.segments.iter().filter(|bytes| **bytes > segment_bytes_max / 2);
            let finals = u64::try_from(finals.count()).unwrap();
            let at_most = 2 * finals + 7 * log.tiers(input);
            assert!(log.length() <= at_most, "seed {seed}: {:?}", log.segments);
            // And once more when it becomes final, or stands before a final one.
            let most = log.writes.iter().max().unwrap();
            assert!(*most <= 2 + log.tiers(input), "seed {seed}: {most}");
        }
    }
}

#[test]
fn other_options_leave_at_most_one_smaller_segment_before_a_larger() {
    for seed in 0..20 {
        let (mut random, mut log) = (Random(seed), Log::default());
        for _ in 0..300 {
            let segment_bytes_max = Some([10_000, 100_000][usize::from(random.below(2) > 0)]);
            let input = CompactInput { fan_in: Some(64), segment_bytes_max, ..<_>::default() };
            log.compact(&[random.size(), random.size()], input);
        }
        let input = CompactInput::default();
        log.compact(&[], input);
        let tiers: Vec<_> = log.segments.iter().map(|&bytes| tier(bytes, 8)).collect();
        let in_gap = |of: &[u32]| matches!(of, [a, b, wall] if a.max(b) < wall);
        assert!(!tiers.windows(3).any(in_gap), "seed {seed}: {tiers:?}");
    }
}

fn output(generation: u64, part: u16, batches: &[BatchRecord]) -> NewSegment {
    let (generation, commit_id) = (Generation(generation), CommitId(5));
    NewSegment {
        name: SegmentName { generation, commit_id, part },
        batches: batches.to_vec(),
        index: Some(Digest(8)),
    }
}

/// A rewrite of segments with `merged` batches in all, and of this many live ones.
fn rewrite(segments: Range<usize>, merged: u64, batches: usize) -> Rewrite {
    let size = merged + u64::try_from(batches).unwrap();
    Rewrite { segments, batches, bytes: 0, size, cut: false }
}

fn shape(manifest: &Manifest) -> Vec<(u64, u64, u64, u64, u64)> {
    let segments = manifest.segments.iter();
    segments
        .map(|s| (s.position, s.events, s.batches, s.first_time.micros(), s.last_time.micros()))
        .collect()
}

#[test]
fn new_segment_stands_behind_the_old_ones() {
    let new = vec![output(1, 0, &[record(7, 2), record(3, 1)])];
    let first = next_manifest(None, CommitId(5), 0, &[(rewrite(0..0, 0, 2), new)]).unwrap();
    let first = stored(Manifest { log: Some(LogId(3)), ..first });
    let new = vec![output(2, 0, &[record(5, 4)]), output(2, 1, &[record(6, 1)])];
    let second =
        next_manifest(Some(&first), CommitId(5), 0, &[(rewrite(1..1, 0, 2), new)]).unwrap();
    assert_eq!((second.log, second.previous), (first.log, first.digest));
    let second = stored(second);
    assert_eq!((second.first_position, second.next_position), (0, 8));
    assert_eq!(shape(&second), [(0, 3, 2, 3, 7), (3, 4, 1, 5, 5), (7, 1, 1, 6, 6)]);
    assert_eq!((second.absorbed_bytes, second.compacted_bytes), (16, 16));

    // The first two become one, the third stays, and a batch is absorbed.
    let batches = [record(7, 2), record(3, 1), record(5, 4)];
    let merged = (rewrite(0..2, 3, 0), vec![output(3, 0, &batches)]);
    let absorbed = (rewrite(3..3, 0, 1), vec![output(3, 1, &[record(9, 1)])]);
    let third = next_manifest(Some(&second), CommitId(5), 0, &[merged, absorbed]).unwrap();
    assert_eq!(shape(&third), [(0, 7, 3, 3, 7), (7, 1, 1, 6, 6), (8, 1, 1, 9, 9)]);
    assert_eq!((third.next_position, third.absorbed_bytes, third.compacted_bytes), (9, 18, 32));
    assert_eq!(Manifest::decode(Generation(3), &third.encode().unwrap()), Ok(stored(third)));
}

/// The kept part of the first segment after a trim to this position. The segment has batches with
/// these numbers of events, a byte each.
fn boundary(state: &LogState, first: u64, batches: &[u64]) -> Boundary {
    let records = batches.iter().zip(1..).map(|(&events, time)| {
        let name = BatchName { time: BatchTime::new(time).unwrap(), origin: None };
        BatchRecord::whole(name, events, events, Digest(1))
    });
    Boundary::new(first, &state.segments()[0], &Index::new(records.collect())).unwrap()
}

#[test]
fn segment_that_holds_trimmed_events_is_rewritten_alone_if_need_be() {
    let input = CompactInput { fan_in: Some(3), ..CompactInput::default() };
    let planned = |state: &LogState, boundary, input: CompactInput| {
        let plan = plan(state, Some(&boundary), &input.check().unwrap());
        let shown = plan.into_iter().map(|r| (r.segments, r.batches, r.bytes, r.cut));
        shown.collect::<Vec<_>>()
    };
    // Nothing else is due.
    let log = state(&[100, 50], &[5]);
    let half = |state: &LogState| boundary(state, 50, &[40, 20, 40]);
    assert_eq!(planned(&log, half(&log), input), [(0..1, 0, 60, true)]);
    // It is final.
    let small = CompactInput { segment_bytes_max: Some(100), ..input };
    assert_eq!(planned(&log, half(&log), small), [(0..1, 0, 60, true)]);
    // Its neighbours are merged with it by its future size.
    let log = state(&[100, 60, 60], &[]);
    assert_eq!(planned(&log, half(&log), input), [(0..3, 0, 180, true)]);
    let log = state(&[100, 10], &[3, 3]);
    assert_eq!(planned(&log, half(&log), input), [(0..1, 0, 60, true), (2..2, 2, 6, false)]);
    let full = CompactInput { full: true, ..input };
    assert_eq!(planned(&log, half(&log), full), [(0..2, 2, 76, true)]);
}

/// A log of two segments of three events and two batches each.
fn two_segments() -> Manifest {
    let first = segment_record(3, 6);
    let name = SegmentName { part: 1, ..first.name };
    let second = SegmentRecord { position: 3, name, ..first };
    stored(Manifest { next_position: 6, segments: vec![first, second], ..empty(7) })
}

#[test]
fn trim_retires_segments_before_it_and_keeps_the_rest_in_place() {
    let base = two_segments();
    for (first, left, dropped) in [(2, 2, 0), (3, 1, 1), (5, 1, 1), (6, 0, 2)] {
        let lazy = next_manifest(Some(&base), CommitId(2), first, &[]).unwrap();
        assert_eq!((lazy.segments.len(), lazy.retired.len()), (left, dropped), "{first}");
        assert_eq!((lazy.first_position, lazy.next_position), (first, 6));
        assert_eq!(lazy.trimmed_events(), first % 3);
        assert_eq!(Manifest::decode(Generation(8), &lazy.encode().unwrap()), Ok(stored(lazy)));
    }
    let cut = |at: usize| Rewrite { cut: true, ..rewrite(at..at + 1, 1, 0) };
    for (first, at, events) in [(1, 0, 2), (2, 0, 1), (5, 1, 1)] {
        let new = vec![output(8, 0, &[record(9, events)])];
        let next = next_manifest(Some(&base), CommitId(5), first, &[(cut(at), new)]).unwrap();
        assert_eq!((next.segments.len(), next.retired.len()), (2 - at, at + 1), "{first}");
        assert_eq!((next.segments[0].position, next.trimmed_events()), (first, 0));
        // None of the written bytes were absorbed by it.
        assert_eq!((next.absorbed_bytes, next.compacted_bytes), (0, events * 2));
        assert_eq!(Manifest::decode(Generation(8), &next.encode().unwrap()), Ok(stored(next)));
    }
}

#[test]
fn retired_indexes_are_kept_for_64_generations() {
    let mut manifest = next_manifest(Some(&two_segments()), CommitId(2), 3, &[]).unwrap();
    for kept in 1..=64 {
        manifest = Manifest::after(Some(&manifest), CommitId(kept));
        manifest.drop_old(&Needed::default());
        assert_eq!(manifest.retired.len(), 1);
    }
    manifest = Manifest::after(Some(&manifest), CommitId(0));
    assert_eq!(manifest.retired.len(), 1);
    manifest.drop_old(&Needed::default());
    assert_eq!(manifest.retired.len(), 0);
}
