use super::*;
use crate::decide::visibility::Gone;
use crate::format::batch::{BatchRecord, name_for};
use crate::format::lines;
use crate::format::listed::ListedBatch;
use crate::format::manifest::tests::segment_record;
use crate::format::names::{Digest, Sequence};
use crate::ports::HostBytes;

fn name(time: u64, writer: u64) -> BatchName {
    name_for(BatchTime::new(time).unwrap(), WriterId(writer), None, &b"x\n".to_vec())
}

fn record(name: BatchName, lines: &str) -> BatchRecord {
    let bytes = lines.as_bytes();
    let length = bytes.len().try_into().unwrap();
    BatchRecord::whole(name, lines::count(bytes), length, Digest::of(bytes))
}

/// The text that the cursor yields of a span. The positions are those of its batch in a segment.
fn pass(
    cursor: &mut Cursor,
    batch: BatchName,
    positions: Option<Range<u64>>,
    lines: &str,
    last: bool,
) -> String {
    let record = record(batch, lines);
    let range = cursor.pass(&BatchSpan {
        segment: None,
        batch,
        positions,
        trimmed: 0,
        bytes: record.bytes,
        events: record.events,
        end: last.then_some(record),
    });
    let lines = lines.as_bytes().to_vec();
    String::from_utf8(lines.slice(lines.line_end(range.start)..lines.line_end(range.end))).unwrap()
}

fn cursor(limit: Option<u64>) -> Cursor {
    Cursor::new(Position::default(), Times::default(), limit)
}

#[test]
fn live_batch_that_is_absorbed_later_is_yielded_once() {
    let mut cursor = cursor(None);
    let (first, second) = (name(1, 1), name(2, 1));
    assert_eq!(pass(&mut cursor, second, None, "b\n", true), "b\n");
    assert!(cursor.knows(&second));
    // Both were compacted in the meantime.
    assert_eq!(pass(&mut cursor, first, Some(0..1), "a\n", true), "a\n");
    assert_eq!(pass(&mut cursor, second, Some(1..2), "b\n", true), "");
    assert_eq!(pass(&mut cursor, first, Some(0..1), "a\n", true), "");
    assert_eq!(cursor.position(), &Position { next: 2, ..Position::default() });
}

#[test]
fn writers_later_batches_are_left_out_and_its_sealed_one_is_met() {
    let sealed = name(5, 1);
    let pending = Pending {
        writer: 1,
        last_time: 5,
        sealed: vec![(sealed, b"s\n".to_vec())],
        lines: Vec::new(),
    };
    let mut cursor = Cursor::of_writer(&pending);
    assert_eq!(pass(&mut cursor, name(6, 1), None, "new\n", true), "");
    assert_eq!(pass(&mut cursor, name(6, 1), Some(0..1), "new\n", true), "");
    assert_eq!(pass(&mut cursor, name(6, 2), None, "other\n", true), "other\n");
    assert_eq!(cursor.met_sealed(), 0);
    assert_eq!(pass(&mut cursor, sealed, None, "s\n", true), "s\n");
    assert_eq!(cursor.met_sealed(), 1);
}

#[test]
fn batch_yielded_in_part_resumes_where_it_stopped_even_in_a_segment() {
    let mut cursor = cursor(None);
    let (legacy, other) = (name(1, 1), name(2, 1));
    assert_eq!(pass(&mut cursor, legacy, None, "a\nb\n", false), "a\nb\n");
    assert_eq!(cursor.position().partial.get(&legacy), Some(&2));
    let state =
        LogState { live: vec![ListedBatch { name: legacy, size: 6 }], ..LogState::default() };
    assert_eq!(cursor.plan(&state).len(), 1);
    assert_eq!(pass(&mut cursor, other, Some(0..1), "o\n", true), "o\n");
    assert_eq!(pass(&mut cursor, legacy, Some(1..4), "a\n", false), "");
    assert_eq!(pass(&mut cursor, legacy, Some(1..4), "b\nc\n", true), "c\n");
    assert_eq!(cursor.position(), &Position { next: 4, ..Position::default() });
}

#[test]
fn limit_stops_inside_a_batch_and_later_events_are_not_passed() {
    let mut cursor = cursor(Some(3));
    let (first, second, third) = (name(1, 1), name(2, 1), name(3, 1));
    assert_eq!(pass(&mut cursor, first, Some(0..2), "a\nb\n", true), "a\nb\n");
    assert_eq!(pass(&mut cursor, second, Some(2..4), "c\nd\n", true), "c\n");
    assert!(cursor.is_full());
    assert_eq!(pass(&mut cursor, third, Some(4..5), "e\n", true), "");
    let position = cursor.position().clone();
    assert_eq!(position, Position { next: 3, ..Position::default() });
    let mut next = Cursor::new(position, Times::default(), Some(1));
    assert_eq!(pass(&mut next, second, Some(2..4), "c\nd\n", true), "d\n");
}

#[test]
fn limit_inside_a_live_batch_is_kept_by_its_name() {
    let (first, second) = (name(1, 1), name(2, 1));
    let mut cursor = cursor(Some(1));
    assert_eq!(pass(&mut cursor, first, None, "a\nb\nc\n", true), "a\n");
    let position = cursor.position().clone();
    assert_eq!(position.partial, [(first, 1)].into());
    // It stands behind another batch in a segment now.
    let mut next = Cursor::new(position, Times::default(), Some(2));
    assert_eq!(pass(&mut next, second, Some(0..1), "x\n", true), "x\n");
    assert_eq!(pass(&mut next, first, Some(1..4), "a\nb\nc\n", true), "b\n");
    assert_eq!(next.position(), &Position { next: 3, ..Position::default() });
}

#[test]
fn segment_is_read_in_the_wanted_range_only() {
    let names = [name(1, 1), name(2, 1), name(3, 1), name(4, 1)];
    let index = Index::new(names.map(|name| record(name, "ab\ncd\n")).to_vec());
    let segment = SegmentRecord {
        batches: 4,
        last_time: BatchTime::new(4).unwrap(),
        ..segment_record(8, 24)
    };
    let start = Position { next: 1, yielded: [names[2]].into(), ..Position::default() };
    let times = Times { since: None, until: Some(4) };
    let mut cursor = Cursor::new(start, times, None);
    let range = cursor.enter(&segment, &index).unwrap();
    assert_eq!((range.bytes.clone(), range.position, range.batches.len()), (0..12, 0, 2));
    cursor.leave(&segment, Some(&index));
    assert_eq!(cursor.position(), &Position { next: 8, ..Position::default() });

    let mut cursor = Cursor::new(Position { next: 2, ..Position::default() }, times, None);
    let range = cursor.enter(&segment, &index).unwrap();
    assert_eq!((range.bytes, range.position, range.batches.len()), (6..18, 2, 2));
    let late = Times { since: Some(5), until: None };
    assert_eq!(Cursor::new(Position::default(), late, None).enter(&segment, &index), None);
}

/// Passes a batch of lost events at these positions.
fn pass_lost(cursor: &mut Cursor, batch: BatchName, positions: Range<u64>, trimmed: u64) -> u64 {
    let events = positions.end - positions.start - trimmed;
    let digest = Digest::of(b"");
    let record = BatchRecord { name: batch, events, bytes: 0, digest, trimmed, lost: true };
    let range = cursor.pass(&BatchSpan {
        segment: None,
        batch,
        positions: Some(positions),
        trimmed,
        bytes: 0,
        events: 0,
        end: Some(record),
    });
    assert_eq!(range, 0..0);
    cursor.take_lost()
}

#[test]
fn events_that_were_lost_are_missed_unless_they_were_yielded_before() {
    let mut cursor = cursor(None);
    let (whole, partial) = (name(1, 1), name(2, 1));
    assert_eq!(pass(&mut cursor, whole, None, "a\nb\n", true), "a\nb\n");
    cursor.skip_live(partial, Some(1));
    assert_eq!(pass_lost(&mut cursor, whole, 0..2, 0), 0);
    assert_eq!(pass_lost(&mut cursor, partial, 2..5, 0), 2);
    assert_eq!(pass_lost(&mut cursor, name(3, 1), 5..9, 0), 4);
    // Two of them had been trimmed. Passed again, it counts no more.
    assert_eq!(pass_lost(&mut cursor, name(4, 1), 9..12, 2), 1);
    assert_eq!(pass_lost(&mut cursor, name(4, 1), 9..12, 2), 0);
    assert_eq!(cursor.position(), &Position { next: 12, ..Position::default() });
}

#[test]
fn trimmed_batch_continues_behind_what_was_yielded_while_it_was_live() {
    let mut cursor = cursor(None);
    let batch = name(1, 1);
    cursor.skip_live(batch, Some(2));
    // Of its three events at positions 4 to 7 the first was trimmed.
    let record = BatchRecord { trimmed: 1, ..record(batch, "b\nc\n") };
    let range = cursor.pass(&BatchSpan {
        segment: None,
        batch,
        positions: Some(4..7),
        trimmed: 1,
        bytes: record.bytes,
        events: record.events,
        end: Some(record),
    });
    assert_eq!(range, 1..2);
    assert_eq!(cursor.position(), &Position { next: 7, ..Position::default() });
}

#[test]
fn lost_batches_around_the_wanted_range_are_missed() {
    let mut cursor = cursor(None);
    let lost = |time| BatchRecord {
        events: 2,
        bytes: 0,
        digest: Digest::of(b""),
        lost: true,
        ..record(name(time, 1), "")
    };
    let kept = record(name(2, 1), "a\n");
    let index = Index::new(vec![lost(1), kept, lost(3)]);
    let segment = SegmentRecord { batches: 3, ..segment_record(5, 2) };
    let range = cursor.enter(&segment, &index).unwrap();
    assert_eq!((range.batches.as_slice(), range.bytes), (&[kept][..], 0..2));
    assert_eq!(cursor.take_lost(), 2);
    assert_eq!(pass(&mut cursor, kept.name, Some(2..3), "a\n", true), "a\n");
    cursor.leave(&segment, Some(&index));
    assert_eq!((cursor.take_lost(), cursor.position().next), (2, 5));
}

#[test]
fn lost_batch_cut_by_a_trim_before_the_wanted_range_is_missed_whole() {
    // Of three events of the lost batch, one was trimmed, and two are missing.
    let lost = BatchRecord {
        events: 2,
        bytes: 0,
        digest: Digest::of(b""),
        trimmed: 1,
        lost: true,
        ..record(name(1, 1), "")
    };
    let kept = record(name(2, 1), "a\n");
    let index = Index::new(vec![lost, kept]);
    let segment = SegmentRecord { position: 1, batches: 2, ..segment_record(3, 2) };
    let mut cursor = Cursor::new(Position { next: 1, ..<_>::default() }, Times::default(), None);
    let range = cursor.enter(&segment, &index).unwrap();
    assert_eq!((range.position, range.bytes, cursor.take_lost()), (3, 0..2, 2));
}

/// A numbered batch of writer 1, whose lines these are.
fn numbered(number: u64, lines: &str) -> BatchName {
    let gap = if number == 0 { 0 } else { 10 };
    let sequence = Some(Sequence { number, gap, waiting: 0 });
    let time = BatchTime::new(100 + 10 * number).unwrap();
    name_for(time, WriterId(1), sequence, &lines.as_bytes().to_vec())
}

fn live(names: &[BatchName]) -> LogState {
    let live = names.iter().map(|name| ListedBatch { name: *name, size: 2 });
    LogState { live: live.collect(), ..LogState::default() }
}

#[test]
fn numbered_batches_are_yielded_once_live_and_in_a_segment() {
    let mut cursor = cursor(None);
    let [first, second, third] = [0, 1, 2].map(|number| numbered(number, "a\nb\n"));
    for batch in [first, second] {
        assert_eq!(pass(&mut cursor, batch, None, "a\nb\n", true), "a\nb\n");
    }
    assert!(cursor.knows(&first) && cursor.knows(&second) && !cursor.knows(&third));
    assert_eq!(cursor.position().encode(), "0,0000000000000000110_0000000000000001_1_4");
    assert_eq!(pass(&mut cursor, first, Some(0..2), "a\nb\n", true), "");
    assert_eq!(cursor.position().encode(), "2,0000000000000000110_0000000000000001_1_2");
    assert_eq!(pass(&mut cursor, second, Some(2..4), "a\nb\n", true), "");
    assert_eq!(pass(&mut cursor, third, Some(4..6), "a\nb\n", true), "a\nb\n");
    assert_eq!(cursor.position().encode(), "6");
}

#[test]
fn numbered_batch_yielded_in_part_resumes_in_a_segment() {
    let mut live = cursor(Some(3));
    let [first, second] = [0, 1].map(|number| numbered(number, "a\nb\n"));
    assert_eq!(pass(&mut live, first, None, "a\nb\n", true), "a\nb\n");
    assert_eq!(pass(&mut live, second, None, "a\nb\n", true), "a\n");
    let position = live.position().clone();
    assert_eq!(position.encode(), "0,0000000000000000110_0000000000000001_1_3+1");
    let mut next = Cursor::new(position, Times::default(), None);
    assert_eq!(pass(&mut next, first, Some(0..2), "a\nb\n", true), "");
    assert_eq!(pass(&mut next, second, Some(2..4), "a\nb\n", true), "b\n");
    assert_eq!(next.position().encode(), "4");
}

#[test]
fn batch_outside_the_times_is_passed_behind_those_before_it() {
    let names = [0, 1, 2].map(|number| numbered(number, "a\n"));
    let times = Times { since: None, until: Some(105) };
    let mut cursor = Cursor::new(Position::default(), times, None);
    let steps = cursor.plan(&live(&names));
    assert_eq!(steps[1..], [Step::Pass(names[1]), Step::Pass(names[2])]);
    // Until then, the first one is not passed.
    assert_eq!(cursor.position(), &Position::default());
    assert_eq!(pass(&mut cursor, names[0], None, "a\n", true), "a\n");
    names[1..].iter().for_each(|batch| cursor.skip_live(*batch, None));
    assert_eq!(cursor.position().encode(), "0,0000000000000000120_0000000000000001_2_3");
    assert_eq!(cursor.plan(&live(&names)), []);
}

#[test]
fn batch_that_is_gone_stops_a_pass_in_the_place_of_the_next_one() {
    let [first, missing, next] = [0, 1, 2].map(|number| numbered(number, "a\n"));
    let (before, after) = (name(115, 2), name(125, 2));
    let (missing, other) = (missing.id().unwrap(), live(&[first, before, after]));
    let state = LogState { gone: vec![Gone { batch: missing, next }], ..other };
    let steps = cursor(None).plan(&state);
    let read = |at: usize| Step::Read(Source::Batch(state.live[at]));
    assert_eq!(steps, [read(0), read(1), Step::Gone(missing), read(2)]);
}

#[test]
fn snapshot_is_left_out_up_to_the_last_batch_met_in_the_store() {
    let sealed = [0, 1, 2].map(|number| numbered(number, "a\n"));
    let snapshot = sealed.map(|name| (name, b"a\n".to_vec()));
    let pending =
        Pending { writer: 1, last_time: 120, sealed: snapshot.to_vec(), lines: Vec::new() };
    // The second was met in a segment, and the first was trimmed.
    let mut cursor = Cursor::of_writer(&pending);
    assert_eq!(pass(&mut cursor, sealed[1], Some(1..2), "a\n", true), "a\n");
    assert_eq!(cursor.met_sealed(), 2);
    // A retry has another name.
    let mut cursor = Cursor::of_writer(&pending);
    let retried = sealed[0].waiting_for(0);
    assert_eq!(pass(&mut cursor, retried, None, "a\n", true), "a\n");
    assert_eq!(cursor.met_sealed(), 1);
}

#[test]
fn trimmed_events_before_the_wanted_range_are_not_counted_again() {
    // Of each of the first two batches, one event was trimmed. One of them is lost.
    let yielded = BatchRecord { trimmed: 1, ..record(numbered(0, "a\nb\n"), "b\n") };
    let lost = record(name(101, 2), "");
    let lost = BatchRecord { events: 2, trimmed: 1, lost: true, ..lost };
    let wanted = record(name(120, 2), "c\n");
    let index = Index::new(vec![yielded, lost, wanted]);
    let segment = SegmentRecord { position: 1, batches: 3, ..segment_record(4, 4) };
    let mut cursor = Cursor::new(Position { next: 1, ..<_>::default() }, Times::default(), None);
    for batch in [numbered(0, "a\nb\n"), numbered(1, "c\n")] {
        cursor.skip_live(batch, None);
    }
    let range = cursor.enter(&segment, &index).unwrap();
    assert_eq!((range.position, range.bytes, cursor.take_lost()), (4, 2..4, 2));
    // Of three events yielded, one had been passed, and one is passed now.
    assert_eq!(cursor.position().encode(), "4,0000000000000000110_0000000000000001_1_2");
}
