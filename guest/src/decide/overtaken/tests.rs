use super::*;
use crate::format::batch::{BatchRecord, name_for};
use crate::format::manifest::tests::segment_record;
use crate::format::names::{BatchTime, Digest, Sequence};

/// A batch of three events: of writer 1 without a number, of others with the number of its time.
fn batch(writer: u64, time: u64) -> BatchName {
    let gap = u64::from(time > 0);
    let sequence = (writer > 1).then_some(Sequence { number: time, gap, waiting: 0 });
    let time = BatchTime::new(time).unwrap();
    name_for(time, WriterId(writer), sequence, &b"a\nb\nc\n".to_vec())
}

/// A segment of whole batches, and its index.
fn segment(position: u64, batches: &[BatchName]) -> (SegmentRecord, Index) {
    let records = batches.iter().map(|batch| BatchRecord::whole(*batch, 3, 6, Digest(0)));
    let times = || batches.iter().map(|batch| batch.time);
    let events = 3 * u64::try_from(batches.len()).unwrap();
    let segment = SegmentRecord {
        position,
        first_time: times().min().unwrap(),
        last_time: times().max().unwrap(),
        ..segment_record(events, 2 * events)
    };
    (segment, Index::new(records.collect()))
}

/// The events that a position misses, and the position afterwards.
fn missed(
    position: &Position,
    first: u64,
    live: &[BatchName],
    segments: &[(SegmentRecord, Index)],
) -> (u64, Position) {
    let live: Vec<_> = live.iter().map(|name| ListedBatch { name: *name, size: 6 }).collect();
    let mut overtaken = Overtaken::new(position, first, live.iter());
    for (segment, index) in segments {
        if overtaken.needs(segment, false) {
            overtaken.take(segment, index, false);
        }
    }
    let mut after = position.clone();
    let missed = overtaken.end(&mut after);
    (missed, after)
}

#[test]
fn events_yielded_while_their_batches_were_live_are_not_missed() {
    for writer in [1, 2] {
        let batches = [batch(writer, 4), batch(writer, 5), batch(writer, 6)];
        let mut position = Position { next: 10, ..Position::default() };
        batches.iter().for_each(|batch| position.yield_live(*batch, None));
        // Four events of other batches, then these: the first trimmed whole, the second cut.
        let left = segment(17, &batches[1..2]);
        let (missed, after) = missed(&position, 18, &batches[2..], &[left]);
        assert_eq!((missed, after.next), (4, 18), "writer {writer}");
        let passed = [0, 1, 2].map(|at| after.passed(&batches[at]));
        let first = if writer == 1 { Passed::None } else { Passed::All };
        assert_eq!(passed, [first, Passed::All, Passed::All]);
        // Of the second, two events have a position; the third is live.
        assert!(after.writers.values().all(|entry| entry.events == 5));
    }
}

#[test]
fn entry_goes_when_all_that_it_stands_for_was_trimmed() {
    let mut position = Position::default();
    (0..4).for_each(|time| position.yield_live(batch(2, time), None));
    let (missed, after) = missed(&position, 14, &[], &[segment(14, &[batch(3, 9)])]);
    assert_eq!((missed, after), (2, Position { next: 14, ..Position::default() }));
}

#[test]
fn events_that_the_position_has_passed_are_not_counted_again() {
    // The position is behind the first event of a batch, and another was yielded in part.
    for writer in [1, 2] {
        let cut = batch(writer, 5);
        let mut position = Position { next: 10, ..Position::default() };
        position.yield_live(cut, Some(2));
        let (missed, after) = missed(&position, 12, &[], &[segment(11, &[cut])]);
        assert_eq!((missed, after.next), (1, 12), "writer {writer}");
    }
}
