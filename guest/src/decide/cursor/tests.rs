use super::*;
use crate::format::batch::{BatchRecord, name_for};
use crate::format::lines;
use crate::format::listed::ListedBatch;
use crate::format::manifest::tests::segment_record;
use crate::format::names::Digest;
use crate::ports::HostBytes;

fn name(time: u64, writer: u32) -> BatchName {
    name_for(BatchTime::new(time).unwrap(), WriterId(writer), &b"x\n".to_vec())
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
        sealed: Some((sealed, b"s\n".to_vec())),
        lines: Vec::new(),
    };
    let mut cursor = Cursor::of_writer(&pending);
    assert_eq!(pass(&mut cursor, name(6, 1), None, "new\n", true), "");
    assert_eq!(pass(&mut cursor, name(6, 1), Some(0..1), "new\n", true), "");
    assert_eq!(pass(&mut cursor, name(6, 2), None, "other\n", true), "other\n");
    assert!(!cursor.met_sealed());
    assert_eq!(pass(&mut cursor, sealed, None, "s\n", true), "s\n");
    assert!(cursor.met_sealed());
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
