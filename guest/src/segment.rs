//! A segment's bytes: whole batches, cut and checked by the segment's index.
//!
//! 1. No event of a batch is yielded before the batch has been checked, but for a batch larger than
//!    any writer makes (an old one): that is passed on in a stream and checked at its end.

use std::borrow::Cow;
use std::ops::Range;

use xxhash_rust::xxh3::Xxh3;

use crate::batch::BatchRecord;
use crate::error::Damage;
use crate::events;
use crate::limits::{BATCH_BYTES_WHOLE_MAX, OLD_LINE_BYTES_MAX};
use crate::manifest::SegmentRecord;
use crate::names::{Digest, SegmentName};
use crate::part::Slice;

/// A segment that was written, with the batches it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewSegment {
    pub name: SegmentName,
    pub batches: Vec<BatchRecord>,
}

/// Some events of a batch in a segment, or all of them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sequenced<'a> {
    pub segment: SegmentName,
    pub batch: BatchRecord,
    /// The positions of the whole batch.
    pub positions: Range<u64>,
    pub lines: Cow<'a, [u8]>,
    pub events: u64,
    /// Whether the batch ends with these.
    pub end: bool,
}

/// Reads a segment, or neighbouring batches of one, chunk by chunk.
pub(crate) struct SegmentReader {
    segment: SegmentName,
    /// Bytes that are to come in all.
    bytes: u64,
    batches: std::vec::IntoIter<BatchRecord>,
    /// Bytes that do not make a whole batch, or line of a streamed one, yet.
    held: Vec<u8>,
    /// Bytes behind the last batch.
    beyond: u64,
    /// Of the next batch's first event.
    position: u64,
    streaming: Option<Streaming>,
}

struct Streaming {
    batch: BatchRecord,
    hasher: Box<Xxh3>,
    bytes_left: u64,
    events: u64,
}

impl SegmentReader {
    pub(crate) fn new(segment: &SegmentRecord, batches: Vec<BatchRecord>) -> Self {
        Self::of_batches(segment.name, segment.bytes, segment.position, batches)
    }

    pub(crate) fn of_slice(slice: Slice) -> Self {
        let bytes = slice.range.end.saturating_sub(slice.range.start);
        Self::of_batches(slice.segment.name, bytes, slice.position, slice.batches)
    }

    fn of_batches(
        segment: SegmentName,
        bytes: u64,
        position: u64,
        batches: Vec<BatchRecord>,
    ) -> Self {
        let batches = batches.into_iter();
        Self { segment, bytes, batches, held: Vec::new(), beyond: 0, position, streaming: None }
    }

    /// Takes the next bytes and shows the events that are certain by now.
    pub(crate) fn push(
        &mut self,
        bytes: &[u8],
        last: bool,
        mut show: impl FnMut(Sequenced<'_>),
    ) -> Result<(), Damage> {
        let mut rest = bytes;
        loop {
            if let Some(streaming) = &mut self.streaming {
                let Some(lines) = streaming.take(&mut self.held, &mut rest) else { break };
                let (batch, end) = (streaming.batch, streaming.bytes_left == 0);
                let positions = self.position..self.position.saturating_add(batch.events);
                if end {
                    streaming.check(&self.segment.to_string())?;
                    self.position = positions.end;
                    self.streaming = None;
                }
                let (segment, events) = (self.segment, events::count(&lines));
                show(Sequenced { segment, batch, positions, lines, events, end });
                continue;
            }
            let Some(&batch) = self.batches.as_slice().first() else { break };
            if batch.bytes > BATCH_BYTES_WHOLE_MAX {
                self.batches.next();
                self.streaming = Some(Streaming::new(batch));
                continue;
            }
            let Some(lines) = take_whole(&batch, &mut self.held, &mut rest) else { break };
            batch.check(&self.segment.to_string(), &lines)?;
            self.batches.next();
            let positions = self.position..self.position.saturating_add(batch.events);
            self.position = positions.end;
            let (segment, events) = (self.segment, batch.events);
            show(Sequenced { segment, batch, positions, lines, events, end: true });
        }
        if self.streaming.is_some() && self.held.len() > OLD_LINE_BYTES_MAX {
            let expected = format!("lines of at most {OLD_LINE_BYTES_MAX} bytes");
            return Err(Damage::new(self.segment, expected, "a longer one"));
        }
        self.beyond = self.beyond.saturating_add(length(rest));
        if last { self.check_end() } else { Ok(()) }
    }

    fn check_end(&self) -> Result<(), Damage> {
        let missing: u64 = self.batches.as_slice().iter().map(|batch| batch.bytes).sum::<u64>()
            + self.streaming.as_ref().map_or(0, |streaming| streaming.bytes_left);
        // Batches without bytes may be left; they hold no events.
        let held = length(&self.held).saturating_add(self.beyond);
        if missing == 0 && held == 0 {
            return Ok(());
        }
        let expected = self.bytes;
        let found = expected.saturating_sub(missing).saturating_add(held);
        let expected = format!("{expected} bytes in whole lines");
        let found = format!("{found} bytes, {held} of them in no batch");
        Err(Damage::new(self.segment, expected, found))
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// Takes a whole batch off the front: without a copy if nothing of it was held, else with one.
fn take_whole<'a>(
    batch: &BatchRecord,
    held: &mut Vec<u8>,
    rest: &mut &'a [u8],
) -> Option<Cow<'a, [u8]>> {
    let bytes = usize::try_from(batch.bytes).unwrap_or(usize::MAX);
    let missing = bytes.saturating_sub(held.len());
    let Some((lines, after)) = rest.split_at_checked(missing) else {
        if !rest.is_empty() {
            held.reserve_exact(missing);
            held.extend_from_slice(rest);
            *rest = &[];
        }
        return None;
    };
    *rest = after;
    if held.is_empty() {
        return Some(Cow::Borrowed(lines));
    }
    held.extend_from_slice(lines);
    Some(Cow::Owned(std::mem::take(held)))
}

impl Streaming {
    fn new(batch: BatchRecord) -> Self {
        let bytes_left = batch.bytes;
        Self { batch, hasher: Box::new(Xxh3::new()), bytes_left, events: 0 }
    }

    /// Takes the batch's complete lines off the front, if there are any, and holds the beginning of
    /// one that is not complete.
    fn take<'a>(&mut self, held: &mut Vec<u8>, rest: &mut &'a [u8]) -> Option<Cow<'a, [u8]>> {
        let left = self.bytes_left.saturating_sub(length(held));
        let bytes = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
        let (own, after) = rest.split_at_checked(bytes)?;
        let lines_end = memchr::memrchr(b'\n', own).map_or(0, |end| end + 1);
        let (lines, begun) = own.split_at_checked(lines_end)?;
        if lines.is_empty() {
            held.extend_from_slice(begun);
            *rest = after;
            return None;
        }
        *rest = rest.get(lines_end..).unwrap_or_default();
        let lines = if held.is_empty() {
            Cow::Borrowed(lines)
        } else {
            held.extend_from_slice(lines);
            Cow::Owned(std::mem::take(held))
        };
        self.hasher.update(&lines);
        self.events += events::count(&lines);
        self.bytes_left -= length(&lines);
        Some(lines)
    }

    fn check(&self, segment: &str) -> Result<(), Damage> {
        let BatchRecord { name, events, bytes, digest } = self.batch;
        let found = Digest(self.hasher.digest());
        if found == digest && self.events == events {
            return Ok(());
        }
        Err(Damage::new(
            segment,
            format!("{name} in {bytes} bytes, {events} events, xxh3 {digest}"),
            format!("{bytes} bytes, {} events, xxh3 {found}", self.events),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::seal;
    use crate::manifest::tests::segment_record;
    use crate::names::{BatchTime, WriterId};

    fn record(time: u64, lines: &[u8]) -> BatchRecord {
        let events = events::count(lines);
        let name = seal(BatchTime::new(time).unwrap(), WriterId(1), events, lines);
        let digest = crate::batch::digest(lines);
        BatchRecord { name, events, bytes: lines.len().try_into().unwrap(), digest }
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
            reader.push(chunk, chunks.peek().is_none(), |piece| {
                let text = String::from_utf8(piece.lines.into_owned()).unwrap();
                shown.push((piece.positions.end, text));
            })?;
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
    fn a_segment_cut_short_lengthened_or_changed_is_damage() {
        let batches = [record(1, b"a\nbb\n"), record(3, b"ccc\n")];
        for bytes in [&b"a\nbb\ncc"[..], b"a\nbb\n", b"a\nbb\nccc\nd\n", b"a\nbb\nccx\n"] {
            for step in [1, 3, 100] {
                let damage = read(&batches, bytes, step).unwrap_err();
                assert!(damage.object.starts_with("segment_"), "{damage}");
                assert_ne!(damage.expected, damage.found);
            }
        }
    }
}
