use super::*;
use std::rc::Rc;

use crate::batch::{BatchRecord, digest, seal};
use crate::limits::SEGMENT_BYTES_DEFAULT;
use crate::manifest::tests::segment_record;
use crate::names::{BatchTime, SegmentName, WriterId};
use crate::options::CompactInput;
use crate::view::ListedBatch;

fn record(time: u64, events: u64) -> BatchRecord {
    let lines = b"x\n".repeat(events.try_into().unwrap());
    let name = seal(BatchTime::new(time).unwrap(), WriterId(1), events, &lines);
    BatchRecord { name, events, bytes: events * 2, digest: digest(&lines) }
}

fn view(segments: &[u64], live: &[u64]) -> View {
    let mut position = 0;
    let segments = segments.iter().map(|&bytes| {
        let record = SegmentRecord { position, batches: 1, ..segment_record(bytes, bytes) };
        position += bytes;
        record
    });
    let segments: Vec<_> = segments.collect();
    let manifest =
        Manifest { segments, next_position: position, ..Manifest::after(None, Attempt(1)) };
    let live =
        live.iter().zip(1..).map(|(&size, time)| ListedBatch { name: record(time, 1).name, size });
    View { manifest: Some(Rc::new(manifest)), live: live.collect(), ..View::default() }
}

/// Which segments are rewritten, and how many live batches with them.
fn planned(view: &View, options: CompactInput) -> Vec<(Range<usize>, usize)> {
    let plan = plan(view, &options.check().unwrap());
    plan.into_iter().map(|rewrite| (rewrite.segments, rewrite.batches)).collect()
}

#[test]
fn fewer_than_two_batches_are_left_alone() {
    let input = CompactInput::default();
    assert_eq!(planned(&View::default(), input), []);
    assert_eq!(planned(&view(&[], &[5]), input), []);
    assert_eq!(planned(&view(&[], &[5]), CompactInput { full: true, ..input }), []);
    assert_eq!(planned(&view(&[7], &[5]), input), []);
    assert_eq!(planned(&view(&[7], &[5]), CompactInput { full: true, ..input }), [(0..1, 1)]);
    assert_eq!(planned(&view(&[], &[5, 5]), input), [(0..0, 2)]);
    let bounded = CompactInput { batches_max: Some(1), ..input };
    assert_eq!(planned(&view(&[], &[5, 5]), bounded), [(0..0, 1)]);
}

#[test]
fn neighbours_of_a_tier_are_merged_when_there_are_enough() {
    let input = CompactInput { fan_in: Some(3), ..CompactInput::default() };
    // Tiers of base 3: 9..26 is tier 2, 27..80 tier 3.
    assert_eq!(planned(&view(&[10, 10], &[]), input), []);
    assert_eq!(planned(&view(&[10, 10, 20], &[]), input), [(0..3, 0)]);
    // The live batches make the third.
    assert_eq!(planned(&view(&[10, 10], &[5, 5]), input), [(0..2, 2)]);
    // A larger one stands between them.
    assert_eq!(planned(&view(&[10, 100, 10, 10], &[]), input), []);
    // A smaller one between them goes with them, one before them does not.
    assert_eq!(planned(&view(&[1, 10, 2, 10, 10], &[]), input), [(1..5, 0)]);
    // What was merged completes the next tier.
    assert_eq!(planned(&view(&[30, 30, 10, 10, 10], &[]), input), [(0..5, 0)]);
}

#[test]
fn nothing_grows_beyond_a_segment() {
    let input =
        CompactInput { fan_in: Some(2), segment_bytes_max: Some(100), ..CompactInput::default() };
    // Both are over half of a segment.
    assert_eq!(planned(&view(&[60, 60], &[]), input), []);
    assert_eq!(planned(&view(&[40, 40, 40], &[]), input), [(0..2, 0)]);
    assert_eq!(planned(&view(&[], &[70, 70]), input), [(0..0, 2)]);
    let full = CompactInput { full: true, ..input };
    assert_eq!(planned(&view(&[60, 30, 60, 40, 1], &[]), full), [(0..2, 0), (2..4, 0)]);
    assert_eq!(planned(&view(&[90, 61, 40], &[]), full), []);
}

#[test]
fn a_log_of_equal_compactions_is_rewritten_seldom() {
    let (mut segments, mut written, rounds) = (Vec::new(), 0, 1_000);
    for _ in 0..rounds {
        let view = view(&segments, &[50, 50]);
        let options = CompactInput::default().check().unwrap();
        for rewrite in plan(&view, &options).into_iter().rev() {
            written += rewrite.bytes;
            segments.splice(rewrite.segments, [rewrite.bytes]);
        }
    }
    assert_eq!(segments.iter().sum::<u64>(), rounds * 100);
    // 1,000 rounds are three tiers and a bit of base 8.
    assert!(written <= 4 * rounds * 100, "{written}");
    assert!(segments.len() <= 4 * 7, "{segments:?}");
    assert!(segments.iter().all(|&bytes| bytes <= SEGMENT_BYTES_DEFAULT));
}

fn output(generation: u64, part: u16, batches: &[BatchRecord]) -> NewSegment {
    let (generation, attempt) = (Generation(generation), Attempt(5));
    NewSegment { name: SegmentName { generation, attempt, part }, batches: batches.to_vec() }
}

fn rewrite(segments: Range<usize>, batches: usize) -> Rewrite {
    Rewrite { segments, batches, bytes: 0, size: 0 }
}

fn shape(manifest: &Manifest) -> Vec<(u64, u64, u64, u64, u64)> {
    let segments = manifest.segments.iter();
    segments
        .map(|s| (s.position, s.events, s.batches, s.first_time.micros(), s.last_time.micros()))
        .collect()
}

#[test]
fn a_new_segment_stands_behind_the_old_ones() {
    let new = vec![output(1, 0, &[record(7, 2), record(3, 1)])];
    let first = next_manifest(None, Attempt(5), &[(rewrite(0..0, 2), new)]).unwrap();
    let new = vec![output(2, 0, &[record(5, 4)]), output(2, 1, &[record(6, 1)])];
    let second = next_manifest(Some(&first), Attempt(5), &[(rewrite(1..1, 2), new)]).unwrap();
    assert_eq!((second.first_position, second.next_position), (0, 8));
    assert_eq!(shape(&second), [(0, 3, 2, 3, 7), (3, 4, 1, 5, 5), (7, 1, 1, 6, 6)]);
    assert_eq!((second.absorbed_bytes, second.compacted_bytes), (16, 16));

    // The first two become one, the third stays, and a batch is absorbed.
    let batches = [record(7, 2), record(3, 1), record(5, 4)];
    let merged = (rewrite(0..2, 0), vec![output(3, 0, &batches)]);
    let absorbed = (rewrite(3..3, 1), vec![output(3, 1, &[record(9, 1)])]);
    let third = next_manifest(Some(&second), Attempt(5), &[merged, absorbed]).unwrap();
    assert_eq!(shape(&third), [(0, 7, 3, 3, 7), (7, 1, 1, 6, 6), (8, 1, 1, 9, 9)]);
    assert_eq!((third.next_position, third.absorbed_bytes, third.compacted_bytes), (9, 18, 32));
    assert_eq!(Manifest::decode(Generation(3), &third.encode().unwrap()), Ok(third));
}
