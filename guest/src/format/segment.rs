//! A segment's bytes: whole batches, cut and checked by the segment's index.
//!
//! 1. No event of a batch is yielded before the batch has been checked, except for a batch larger
//!    than any writer makes (a legacy one): that is passed on line by line and checked at its end.

use std::ops::Range;
use std::rc::Rc;

use crate::error::Damage;
use crate::error::quantities::{grouped, size};
use crate::format::batch::BatchRecord;
use crate::format::host_bytes;
use crate::format::lines;
use crate::format::manifest::SegmentRecord;
use crate::format::names::{Digest, SegmentName};
use crate::format::numbers::to_u64;
use crate::format::oversized_batch::OversizedBatch;
use crate::format::verified_chunk::{BatchSpan, UncutChunk};
use crate::limits::{BATCH_BYTES_WHOLE_MAX, SUMMARIES_MAX};
use crate::mutants::{self, Mutant};
use crate::ports::HostBytes;

/// Consecutive batches of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentRange {
    pub segment: SegmentRecord,
    pub batches: Vec<BatchRecord>,
    /// The position of the first of their events.
    pub position: u64,
    /// Their range in the segment's bytes.
    pub bytes: Range<u64>,
}

/// A segment that was written, with its batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewSegment {
    pub name: SegmentName,
    pub batches: Vec<BatchRecord>,
    /// The digest of its index, once the index was written.
    pub index: Option<Digest>,
}

/// Reads a segment, or consecutive batches of one, chunk by chunk.
pub(crate) struct SegmentReader<B> {
    segment: SegmentName,
    /// The number of bytes in all.
    bytes: u64,
    batches: std::vec::IntoIter<BatchRecord>,
    /// The beginning of a batch that is incomplete.
    incomplete: Option<B>,
    /// Bytes behind the last batch.
    beyond: u64,
    /// The position of the next batch's first event.
    position: u64,
    /// The batch in progress, if it is oversized.
    oversized: Option<OversizedBatch>,
}

impl<B: HostBytes> SegmentReader<B> {
    pub(crate) fn new(segment: &SegmentRecord, batches: Vec<BatchRecord>) -> Self {
        Self::of_batches(segment.name, segment.bytes, segment.position, batches)
    }

    pub(crate) fn of_range(range: SegmentRange) -> Self {
        let bytes = range.bytes.end - range.bytes.start;
        Self::of_batches(range.segment.name, bytes, range.position, range.batches)
    }

    /// Makes a reader of a whole segment whose first event has this position.
    pub(crate) fn of_batches(
        segment: SegmentName,
        bytes: u64,
        position: u64,
        batches: Vec<BatchRecord>,
    ) -> Self {
        let batches = batches.into_iter();
        Self { segment, bytes, batches, incomplete: None, beyond: 0, position, oversized: None }
    }

    /// Takes the next bytes and adds the events that are checked to `verified`, those before damage
    /// included.
    pub(crate) fn push(
        &mut self,
        bytes: B,
        last: bool,
        verified: &mut Vec<UncutChunk<B>>,
    ) -> Result<(), Damage> {
        let Some(incomplete) = self.incomplete.take() else {
            return self.pass(bytes, last, verified);
        };
        let next = self.batches.as_slice().first();
        let missing = next.map_or(0, |next| next.bytes.saturating_sub(incomplete.length()));
        if missing == 0 || missing >= bytes.length() {
            return self.pass(host_bytes::join(Some(incomplete), bytes), last, verified);
        }
        // Bytes in several pieces are copied when they are yielded. So only the batch that came in
        // pieces is joined, and the bytes behind it stay as they are.
        let [head, rest] = [0..missing, missing..bytes.length()].map(|range| bytes.slice(range));
        drop(bytes);
        self.pass(host_bytes::join(Some(incomplete), head), false, verified)?;
        self.pass(rest, last, verified)
    }

    /// Passes on what is complete, and keeps the rest.
    fn pass(
        &mut self,
        bytes: B,
        last: bool,
        verified: &mut Vec<UncutChunk<B>>,
    ) -> Result<(), Damage> {
        let bytes = Rc::new(host_bytes::join(self.incomplete.take(), bytes));
        let (mut at, end) = (0, bytes.length());
        loop {
            let before = (self.batches.len(), at);
            self.pass_whole(&bytes, &mut at, verified)?;
            self.pass_oversized(&bytes, &mut at, verified)?;
            if (self.batches.len(), at) == before {
                break;
            }
        }
        if self.batches.as_slice().is_empty() && self.oversized.is_none() {
            self.beyond += end - at;
        } else if at < end {
            self.incomplete = Some(match Rc::try_unwrap(bytes) {
                Ok(bytes) if at == 0 => bytes,
                Ok(bytes) => bytes.slice(at..end),
                Err(bytes) => bytes.slice(at..end),
            });
        }
        if last { self.check_end() } else { Ok(()) }
    }

    /// Passes on the batches that are complete.
    fn pass_whole(
        &mut self,
        bytes: &Rc<B>,
        at: &mut u64,
        verified: &mut Vec<UncutChunk<B>>,
    ) -> Result<(), Damage> {
        if self.oversized.is_some() {
            return Ok(());
        }
        let mut start = *at;
        let mut left = bytes.length() - start;
        let whole = self.batches.as_slice().iter().map_while(|batch| {
            left = left.checked_sub(batch.bytes)?;
            (batch.bytes <= BATCH_BYTES_WHOLE_MAX).then_some(*batch)
        });
        let whole: Vec<BatchRecord> = whole.collect();
        let mut spans = Vec::with_capacity(whole.len());
        let mut damage = None;
        'check: for some in whole.chunks(SUMMARIES_MAX) {
            let lengths: Vec<u64> = some.iter().map(|batch| batch.bytes).collect();
            for (batch, found) in some.iter().zip(bytes.summarize(*at, &lengths)) {
                if let Err(found) = batch.check(self.segment, found) {
                    damage = Some(found);
                    break 'check;
                }
                // A lost batch comes alone, so that the place of the missing events is clear.
                if batch.lost && !spans.is_empty() {
                    let spans = std::mem::take(&mut spans);
                    verified.push(UncutChunk::new(spans, bytes, start..*at));
                    start = *at;
                }
                *at += batch.bytes;
                let span = self.span(*batch, batch.bytes, batch.events_stored(), true);
                self.batches.next();
                if batch.lost {
                    verified.push(UncutChunk::new(vec![span], bytes, start..*at));
                } else {
                    spans.push(span);
                }
            }
        }
        if !spans.is_empty() {
            verified.push(UncutChunk::new(spans, bytes, start..*at));
        }
        damage.map_or(Ok(()), Err)
    }

    /// Passes on lines of an oversized batch.
    fn pass_oversized(
        &mut self,
        bytes: &Rc<B>,
        at: &mut u64,
        verified: &mut Vec<UncutChunk<B>>,
    ) -> Result<(), Damage> {
        let next = self.batches.as_slice().first();
        if self.oversized.is_none() && next.is_some_and(|next| next.bytes > BATCH_BYTES_WHOLE_MAX) {
            self.oversized = self.batches.next().map(OversizedBatch::new);
        }
        let Some(oversized) = &mut self.oversized else { return Ok(()) };
        let end = *at + oversized.bytes_left().min(bytes.length() - *at);
        if *at == end {
            return Ok(());
        }
        let lines = oversized.push(bytes.slice(*at..end).read(), self.segment)?;
        *at = end;
        let (batch, events, ended) =
            (oversized.batch, lines::count(&lines), oversized.bytes_left() == 0);
        if ended {
            self.oversized = None;
        }
        let length = to_u64(lines.len());
        let spans = vec![self.span(batch, length, events, ended)];
        verified.push(UncutChunk::new(spans, &Rc::new(B::new(&lines)), 0..length));
        Ok(())
    }

    /// The span of some events of the next batch, or of its last ones, after which the following
    /// batch is next.
    fn span(&mut self, batch: BatchRecord, bytes: u64, events: u64, ends: bool) -> BatchSpan {
        // An oversized batch passes lines before its record is checked.
        let (start, end) = (self.position, self.position.saturating_add(batch.events));
        let trimmed = if mutants::is(Mutant::ForgetOffset) { 0 } else { batch.trimmed };
        if ends {
            self.position = end;
        }
        BatchSpan {
            batch: batch.name,
            segment: Some(self.segment),
            // The check of a new segment counts positions from 0.
            positions: Some(start.saturating_sub(trimmed)..end),
            trimmed,
            bytes,
            events,
            end: ends.then_some(batch),
        }
    }

    /// The sums saturate: they only go into the error.
    fn check_end(&self) -> Result<(), Damage> {
        let left = self.batches.as_slice().iter().map(|batch| batch.bytes);
        let whole = left.fold(0, u64::saturating_add);
        let oversized = self.oversized.as_ref();
        let missing = whole.saturating_add(oversized.map_or(0, OversizedBatch::bytes_left));
        // Batches without bytes may be left; they hold no events.
        let incomplete = self.incomplete.as_ref().map_or(0, HostBytes::length) + self.beyond;
        if missing == 0 && incomplete == 0 {
            return Ok(());
        }
        let expected = self.bytes;
        let found = expected.saturating_sub(missing).saturating_add(incomplete);
        let expected = format!("{} in whole lines", size(expected));
        let found = format!("{}, {} of them in no batch", size(found), grouped(incomplete));
        Err(Damage::new(self.segment, expected, found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::batch::name_for;
    use crate::format::manifest::tests::segment_record;
    use crate::format::names::{BatchTime, WriterId};
    use crate::format::verified_chunk::VerifiedChunk;

    fn record(time: u64, lines: &[u8]) -> BatchRecord {
        let events = lines::count(lines);
        let name = name_for(BatchTime::new(time).unwrap(), WriterId(1), None, &lines.to_vec());
        BatchRecord::whole(name, events, lines.len().try_into().unwrap(), Digest::of(lines))
    }

    fn read(
        batches: &[BatchRecord],
        bytes: &[u8],
        step: usize,
    ) -> Result<Vec<(u64, String)>, Damage> {
        let total = batches.iter().map(|batch| batch.bytes).sum();
        let segment = segment_record(batches.iter().map(|batch| batch.events).sum(), total);
        let mut reader = SegmentReader::new(&segment, batches.to_vec());
        let mut shown = Vec::new();
        let mut chunks = bytes.chunks(step).peekable();
        while let Some(chunk) = chunks.next() {
            let mut verified = Vec::new();
            reader.push(chunk.to_vec(), chunks.peek().is_none(), &mut verified)?;
            for chunk in verified {
                let VerifiedChunk { spans, lines } = chunk.cut();
                let mut lines = lines.as_slice();
                for span in spans {
                    let of_span = lines.split_off(..usize::try_from(span.bytes).unwrap());
                    let text = String::from_utf8(of_span.unwrap().to_vec()).unwrap();
                    shown.push((span.positions.unwrap().end, text));
                }
            }
        }
        Ok(shown)
    }

    #[test]
    fn batches_come_whole_however_the_bytes_are_cut() {
        let batches = [record(1, b"a\nbb\n"), record(2, b""), record(3, b"ccc\n")];
        for step in 1..=9 {
            let shown = read(&batches, b"a\nbb\nccc\n", step).unwrap();
            let expected = [(2, "a\nbb\n"), (2, ""), (3, "ccc\n")];
            assert!(shown.iter().map(|(p, t)| (*p, t.as_str())).eq(expected), "step {step}");
        }
    }

    #[test]
    fn batch_that_was_lost_has_positions_and_no_bytes() {
        let lost = BatchRecord { lost: true, events: 2, ..record(2, b"") };
        let batches = [lost, record(1, b"a\n"), lost, record(3, b"b\n"), lost];
        for step in 1..=4 {
            let shown = read(&batches, b"a\nb\n", step).unwrap();
            let expected = [(2, ""), (3, "a\n"), (5, ""), (6, "b\n"), (8, "")];
            assert!(shown.iter().map(|(p, t)| (*p, t.as_str())).eq(expected), "step {step}");
        }
    }

    #[test]
    fn segment_cut_short_lengthened_or_changed_is_damage() {
        let batches = [record(1, b"a\nbb\n"), record(3, b"ccc\n")];
        for bytes in [&b"a\nbb\ncc"[..], b"a\nbb\n", b"a\nbb\nccc\nd\n", b"a\nbb\nccx\n"] {
            for step in [1, 3, 100] {
                let damage = read(&batches, bytes, step).unwrap_err();
                assert!(damage.object.starts_with("segment_"), "{damage}");
                assert_ne!(damage.expected, damage.found);
            }
        }
    }

    thread_local! {
        static HANDLES: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }

    /// Bytes of which every handle is counted.
    #[derive(Debug)]
    struct Counted(Vec<u8>);

    impl Counted {
        fn of(bytes: Vec<u8>) -> Self {
            HANDLES.set(HANDLES.get() + 1);
            Self(bytes)
        }
    }

    impl Drop for Counted {
        fn drop(&mut self) {
            HANDLES.set(HANDLES.get() - 1);
        }
    }

    impl HostBytes for Counted {
        fn new(content: &[u8]) -> Self {
            Self::of(content.to_vec())
        }
        fn length(&self) -> u64 {
            self.0.length()
        }
        fn slice(&self, range: Range<u64>) -> Self {
            Self::of(self.0.slice(range))
        }
        fn append(&mut self, mut more: Self) {
            self.0.append(&mut more.0);
        }
        fn summarize(&self, start: u64, lengths: &[u64]) -> Vec<crate::ports::Summary> {
            self.0.summarize(start, lengths)
        }
        fn line_end(&self, lines: u64) -> u64 {
            self.0.line_end(lines)
        }
        fn read(&self) -> Vec<u8> {
            self.0.clone()
        }
    }

    #[test]
    fn any_number_of_scattered_lost_batches_takes_two_handles() {
        let batches = (0..2_000).map(|time| match time % 2 {
            0 => record(time, b"a\n"),
            _ => BatchRecord { lost: true, events: 2, ..record(time, b"") },
        });
        let batches: Vec<_> = batches.collect();
        let segment = segment_record(3_000, 2_000);
        let mut reader = SegmentReader::new(&segment, batches);
        let mut verified = Vec::new();
        for last in [false, true] {
            reader.push(Counted::of(b"a\n".repeat(500)), last, &mut verified).unwrap();
        }
        assert_eq!((verified.len(), HANDLES.get()), (2_000, 2));
        for chunk in verified {
            let chunk = chunk.cut();
            assert!([0, 2].contains(&chunk.lines.length()));
            assert!(HANDLES.get() <= 3, "{}", HANDLES.get());
        }
        assert_eq!(HANDLES.get(), 0);
    }
}
