//! Decides what a trim keeps of the segment that it cuts.
//!
//! 1. The kept part begins with the first batch that has an event at or behind the first position.
//!    The batches before it are dropped.
//! 2. The events of that batch before the first position are dropped. The rest has a digest of its
//!    own, since the original one covers the dropped bytes too.

use std::ops::Range;

use xxhash_rust::xxh3::Xxh3;

use crate::decide::source::Source;
use crate::format::batch::BatchRecord;
use crate::format::index::Index;
use crate::format::manifest::{Manifest, SegmentRecord};
use crate::format::names::Digest;
use crate::format::numbers::to_u64;
use crate::format::segment::SegmentRange;
use crate::format::verified_chunk::{BatchSpan, VerifiedChunk};
use crate::ports::HostBytes;

/// Bytes copied into the logic in one call.
const HASH_BYTES: u64 = 1024 * 1024;

/// The part of a segment that a trim keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Boundary {
    /// The first position: events before it are dropped.
    pub first: u64,
    /// The batches with events at or behind it.
    pub kept: SegmentRange,
}

impl Boundary {
    /// The segment that the first position cuts in two.
    pub(crate) fn segment(manifest: &Manifest, first: u64) -> Option<&SegmentRecord> {
        manifest.segments.iter().find(|s| s.position < first && first < s.end())
    }

    /// Returns the part of a segment that is kept. None if there is none.
    pub(crate) fn new(first: u64, segment: &SegmentRecord, index: &Index) -> Option<Self> {
        let mut offset = 0_u64;
        let mut kept: Option<SegmentRange> = None;
        for (batch, positions) in index.positions(segment) {
            let start = offset;
            offset += batch.bytes;
            match &mut kept {
                Some(kept) => kept.batches.push(*batch),
                None if positions.end <= first => continue,
                None => {
                    kept = Some(SegmentRange {
                        segment: *segment,
                        batches: vec![*batch],
                        position: positions.start + batch.trimmed,
                        bytes: start..offset,
                    });
                }
            }
            if let Some(kept) = &mut kept {
                kept.bytes.end = offset;
            }
        }
        kept.map(|kept| Self { first, kept })
    }

    /// Bytes of the kept batches, one that is cut counted whole.
    pub(crate) fn bytes(&self) -> u64 {
        self.kept.bytes.end - self.kept.bytes.start
    }

    /// The number of kept batches.
    pub(crate) fn batches(&self) -> u64 {
        to_u64(self.kept.batches.len())
    }

    /// The batch that is cut, as a range to read, and the number of its events that are dropped.
    /// None if the first position lies between two batches.
    pub(crate) fn cut(&self) -> Option<(SegmentRange, u64)> {
        let events = self.first.saturating_sub(self.kept.position);
        let batch = *self.kept.batches.first().filter(|_| events > 0)?;
        let start = self.kept.bytes.start;
        let bytes = start..start + batch.bytes;
        let batches = vec![batch];
        Some((SegmentRange { batches, bytes, ..self.kept.clone() }, events))
    }

    /// The source to read for a copy of the kept part.
    pub(crate) fn source(&self) -> Source {
        match self.kept.bytes.is_empty() {
            // No bytes: there is no range to read.
            true => Source::Segment(Box::new(self.kept.segment)),
            false => Source::range(self.kept.clone()),
        }
    }
}

/// Drops the trimmed events from the data that is copied.
pub(crate) struct Cut {
    /// Events before this position are dropped.
    first: u64,
    /// True once all further data lies behind it.
    done: bool,
    /// The position of the next event of the batch that is cut.
    next: Option<u64>,
    hasher: Box<Xxh3>,
    bytes: u64,
}

impl Cut {
    pub(crate) fn at(first: u64) -> Self {
        Self { first, done: false, next: None, hasher: Box::new(Xxh3::new()), bytes: 0 }
    }

    /// Takes the next chunk and returns the part of it that is kept.
    pub(crate) fn pass<B: HostBytes>(&mut self, chunk: VerifiedChunk<B>) -> VerifiedChunk<B> {
        if self.done {
            return chunk;
        }
        let VerifiedChunk { spans, lines } = chunk;
        // Bytes dropped from the beginning of the chunk.
        let mut gone = 0_u64;
        let mut kept = Vec::with_capacity(spans.len());
        for mut span in spans {
            if !self.done {
                let end = gone + span.bytes;
                gone += self.pass_span(&mut span, &lines, gone..end);
                if span.events == 0 && (span.end.is_none() || !self.done) {
                    continue;
                }
            }
            kept.push(span);
        }
        let length = lines.length();
        let lines = if gone == 0 { lines } else { lines.slice(gone..length) };
        VerifiedChunk { spans: kept, lines }
    }

    /// Cuts a span. Returns the number of bytes dropped from its beginning.
    fn pass_span<B: HostBytes>(
        &mut self,
        span: &mut BatchSpan,
        lines: &B,
        span_bytes: Range<u64>,
    ) -> u64 {
        let Some(positions) = span.positions.clone() else {
            self.done = true;
            return 0;
        };
        if positions.end <= self.first {
            let bytes = span.bytes;
            (span.events, span.bytes) = (0, 0);
            return bytes;
        }
        let start = positions.start + span.trimmed;
        if start >= self.first {
            self.done = true;
            return 0;
        }
        let next = *self.next.get_or_insert(start);
        let events = self.first.saturating_sub(next).min(span.events);
        self.next = Some(next + span.events);
        let bytes = if events == span.events {
            span.bytes
        } else {
            lines.slice(span_bytes.clone()).line_end(events)
        };
        self.take(&lines.slice(span_bytes.start + bytes..span_bytes.end));
        span.events -= events;
        span.bytes -= bytes;
        if let Some(end) = &mut span.end {
            let cut = self.first - start;
            *end = BatchRecord {
                events: end.events - cut,
                bytes: self.bytes,
                digest: Digest(self.hasher.digest()),
                trimmed: end.trimmed + cut,
                ..*end
            };
            self.done = true;
        }
        bytes
    }

    fn take<B: HostBytes>(&mut self, lines: &B) {
        let mut at = 0;
        while at < lines.length() {
            let end = (at + HASH_BYTES).min(lines.length());
            self.hasher.update(&lines.slice(at..end).read());
            at = end;
        }
        self.bytes += lines.length();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::batch::name_for;
    use crate::format::lines;
    use crate::format::manifest::tests::segment_record;
    use crate::format::names::{BatchName, BatchTime, WriterId};

    /// Batches with these numbers of events, one letter each.
    fn records(events: &[usize]) -> (Vec<BatchRecord>, String) {
        let mut text = String::new();
        let records = events.iter().zip(1..).map(|(count, time)| {
            let lines: String = (0..*count).map(|event| format!("{time}.{event}\n")).collect();
            text.push_str(&lines);
            record(time, &lines)
        });
        (records.collect(), text)
    }

    fn record(time: u64, lines: &str) -> BatchRecord {
        let name = match lines {
            "" => BatchName { time: BatchTime::new(time).unwrap(), origin: None },
            _ => name_for(
                BatchTime::new(time).unwrap(),
                WriterId(1),
                None,
                &lines.as_bytes().to_vec(),
            ),
        };
        let bytes = lines.len().try_into().unwrap();
        BatchRecord::whole(
            name,
            lines::count(lines.as_bytes()),
            bytes,
            Digest::of(lines.as_bytes()),
        )
    }

    fn segment(position: u64, batches: &[BatchRecord]) -> SegmentRecord {
        let sum = |of: fn(&BatchRecord) -> u64| batches.iter().map(of).sum();
        SegmentRecord { position, ..segment_record(sum(|b| b.events), sum(|b| b.bytes)) }
    }

    #[test]
    fn remaining_batches_begin_with_that_of_the_first_position() {
        let (batches, text) = records(&[2, 0, 3, 1]);
        let segment = segment(10, &batches);
        let index = Index::new(batches.clone());
        for (first, left, position, cut) in [
            (10, 4, 10, None),
            (11, 4, 10, Some(1)),
            (12, 2, 12, None),
            (14, 2, 12, Some(2)),
            (15, 1, 15, None),
        ] {
            let boundary = Boundary::new(first, &segment, &index).unwrap();
            assert_eq!(boundary.kept.batches, batches[4 - left..], "{first}");
            assert_eq!(boundary.kept.position, position, "{first}");
            assert_eq!(boundary.kept.bytes.end, u64::try_from(text.len()).unwrap(), "{first}");
            assert_eq!(boundary.cut().map(|(_, events)| events), cut, "{first}");
        }
        assert_eq!(Boundary::new(16, &segment, &index), None);
    }

    /// The part of a segment from a position on, with its bytes coming batch by batch, or in chunks
    /// of this many events.
    fn cut(
        first: u64,
        position: u64,
        batches: &[BatchRecord],
        text: &str,
        step: usize,
    ) -> VerifiedChunk<Vec<u8>> {
        let mut cut = Cut::at(first);
        let mut left = VerifiedChunk { spans: Vec::new(), lines: Vec::new() };
        let mut lines = text.split_inclusive('\n');
        let mut next = position;
        for batch in batches {
            let positions = next - batch.trimmed..next + batch.events;
            next = positions.end;
            let mut events = usize::try_from(batch.events).unwrap();
            loop {
                let count = events.min(step);
                events -= count;
                let some: String = lines.by_ref().take(count).collect();
                let span = BatchSpan {
                    batch: batch.name,
                    segment: None,
                    positions: Some(positions.clone()),
                    trimmed: batch.trimmed,
                    bytes: some.len().try_into().unwrap(),
                    events: count.try_into().unwrap(),
                    end: (events == 0).then_some(*batch),
                };
                let chunk = cut.pass(VerifiedChunk { spans: vec![span], lines: some.into_bytes() });
                assert_eq!(chunk.spans.iter().map(|p| p.bytes).sum::<u64>(), chunk.lines.length());
                left.spans.extend(chunk.spans);
                left.lines.extend(chunk.lines);
                if events == 0 {
                    break;
                }
            }
        }
        left
    }

    #[test]
    fn trimmed_events_are_left_out_however_they_come() {
        let (batches, text) = records(&[2, 0, 3, 1]);
        let lines: Vec<_> = text.split_inclusive('\n').collect();
        for first in 0..6 {
            for step in [1, 2, 9] {
                let left = cut(first, 0, &batches, &text, step);
                let at = usize::try_from(first).unwrap();
                assert_eq!(String::from_utf8(left.lines).unwrap(), lines[at..].concat());
                let ends: Vec<_> = left.spans.iter().filter_map(|span| span.end).collect();
                assert_eq!(ends.iter().map(|end| end.events).sum::<u64>(), 6 - first);
                for end in &ends[1..] {
                    assert!(batches.contains(end), "{first}: {end:?}");
                }
                let of = batches.iter().find(|batch| batch.name == ends[0].name).unwrap();
                assert_eq!(ends[0].trimmed + ends[0].events, of.events);
            }
        }
    }

    #[test]
    fn batch_that_was_cut_is_cut_again() {
        let (batches, text) = records(&[5, 1]);
        let first = cut(2, 0, &batches, &text, 9);
        let once: Vec<_> = first.spans.iter().filter_map(|span| span.end).collect();
        let text = String::from_utf8(first.lines).unwrap();
        let second = cut(4, 2, &once, &text, 1);
        assert_eq!(second.lines, b"1.4\n2.0\n");
        let twice: Vec<_> = second.spans.iter().filter_map(|span| span.end).collect();
        let expected = BatchRecord {
            trimmed: 4,
            ..BatchRecord::whole(batches[0].name, 1, 4, Digest::of(b"1.4\n"))
        };
        assert_eq!(twice, [expected, batches[1]]);
    }

    #[test]
    fn lost_batch_is_cut_by_its_number_of_events() {
        let (batches, _) = records(&[4]);
        let lost = BatchRecord { bytes: 0, digest: Digest::of(b""), lost: true, ..batches[0] };
        let span = BatchSpan {
            batch: lost.name,
            segment: None,
            positions: Some(0..4),
            trimmed: 0,
            bytes: 0,
            events: 0,
            end: Some(lost),
        };
        let chunk = Cut::at(3).pass(VerifiedChunk { spans: vec![span], lines: Vec::new() });
        let end = chunk.spans[0].end.unwrap();
        assert_eq!(end, BatchRecord { events: 1, trimmed: 3, ..lost });
    }
}
