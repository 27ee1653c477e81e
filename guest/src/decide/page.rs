//! A page that a reader yields, and its assembly from verified chunks.

use std::ops::Range;

use crate::format::host_bytes;
use crate::format::verified_chunk::BatchSpan;
use crate::ports::HostBytes;

/// Consecutive events, each ended by LF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<B> {
    /// None when there are no events.
    pub lines: Option<B>,
    pub events: u64,
    /// Events missed by the reader. Trimmed ones come directly before the page; lost ones before,
    /// between or directly behind its events.
    pub missed: u64,
}

/// Consecutive events of a chunk.
struct LineRange {
    bytes: Range<u64>,
    events: u64,
}

impl<B> Default for Page<B> {
    fn default() -> Self {
        Self { lines: None, events: 0, missed: 0 }
    }
}

impl<B: HostBytes> Page<B> {
    pub(crate) fn bytes(&self) -> u64 {
        self.lines.as_ref().map_or(0, HostBytes::length)
    }

    /// Adds `events` events.
    pub(crate) fn push(&mut self, lines: B, events: u64) {
        self.events += events;
        self.lines = Some(host_bytes::join(self.lines.take(), lines));
    }

    /// Adds the wanted events of consecutive spans: of each, those with these numbers.
    pub(crate) fn take(&mut self, lines: B, spans: &[BatchSpan], wanted: &[Range<u64>]) {
        let mut ranges: Vec<LineRange> = Vec::new();
        let mut at = 0_u64;
        for (span, wanted) in spans.iter().zip(wanted) {
            let bytes = at..at + span.bytes;
            at = bytes.end;
            let events = wanted.end - wanted.start;
            if events == 0 {
                continue;
            }
            let bytes = if events == span.events {
                bytes
            } else {
                let lines = lines.slice(bytes.clone());
                let end_of = |events| bytes.start + lines.line_end(events);
                end_of(wanted.start)..end_of(wanted.end)
            };
            match ranges.last_mut() {
                Some(last) if last.bytes.end == bytes.start => {
                    last.bytes.end = bytes.end;
                    last.events += events;
                }
                _ => ranges.push(LineRange { bytes, events }),
            }
        }
        if let [LineRange { bytes, events }] = &ranges[..]
            && *bytes == (0..lines.length())
        {
            // All of it: nothing is cut.
            return self.push(lines, *events);
        }
        for LineRange { bytes, events } in ranges {
            self.push(lines.slice(bytes), events);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::names::{BatchName, BatchTime};

    fn span(time: u64, lines: &str) -> BatchSpan {
        let batch = BatchName { time: BatchTime::new(time).unwrap(), origin: None };
        let (bytes, events) = (lines.len(), lines.matches('\n').count());
        let [bytes, events] = [bytes, events].map(|count| count.try_into().unwrap());
        BatchSpan { batch, segment: None, positions: None, trimmed: 0, bytes, events, end: None }
    }

    #[test]
    fn of_each_piece_the_events_wanted_are_taken() {
        let texts = ["a\nbb\n", "", "c\n", "dd\ne\nf\n"];
        let cases: [([Range<u64>; 4], &str); 6] = [
            ([0..2, 0..0, 0..1, 0..3], "a\nbb\nc\ndd\ne\nf\n"),
            ([1..2, 0..0, 0..1, 0..1], "bb\nc\ndd\n"),
            ([0..1, 0..0, 0..0, 1..2], "a\ne\n"),
            ([0..0, 0..0, 0..1, 3..3], "c\n"),
            ([0..2, 0..0, 0..0, 2..3], "a\nbb\nf\n"),
            ([0..0, 0..0, 0..0, 0..0], ""),
        ];
        for (wanted, expected) in cases {
            let spans = texts.iter().zip(1..).map(|(text, time)| span(time, text));
            let spans: Vec<BatchSpan> = spans.collect();
            let mut page = Page::default();
            page.take(texts.concat().into_bytes(), &spans, &wanted);
            let lines = page.lines.unwrap_or_default();
            assert_eq!(String::from_utf8(lines).unwrap(), expected, "{wanted:?}");
            let events: u64 = wanted.iter().map(|range| range.end - range.start).sum();
            assert_eq!(page.events, events);
        }
    }
}
