//! Bytes outside the logic that panic where a host traps: an offset out of range, too many lengths.

use std::ops::Range;

use super::objects::{events_of, wide};
use crate::format::names::Digest;
use crate::limits::SUMMARIES_MAX;
use crate::ports::{HostBytes, Summary};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StrictBytes(pub(super) Vec<u8>);

impl StrictBytes {
    fn within(&self, range: Range<u64>) -> &[u8] {
        let edges = [range.start, range.end].map(|edge| usize::try_from(edge).ok());
        let [Some(start), Some(end)] = edges else { panic!("{range:?} of {}", self.0.len()) };
        self.0.get(start..end).unwrap_or_else(|| panic!("{range:?} of {}", self.0.len()))
    }
}

impl HostBytes for StrictBytes {
    fn new(content: &[u8]) -> Self {
        Self(content.to_vec())
    }

    fn length(&self) -> u64 {
        wide(self.0.len())
    }

    fn slice(&self, range: Range<u64>) -> Self {
        Self(self.within(range).to_vec())
    }

    fn append(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    fn summarize(&self, start: u64, lengths: &[u64]) -> Vec<Summary> {
        assert!(lengths.len() <= SUMMARIES_MAX, "{} lengths", lengths.len());
        assert!(start <= self.length(), "start {start} of {}", self.0.len());
        let mut at = start;
        let summaries = lengths.iter().map(|length| {
            let bytes = self.within(at..at.checked_add(*length).unwrap());
            at += length;
            Summary { digest: Digest::of(bytes).0, line_feeds: events_of(bytes) }
        });
        summaries.collect()
    }

    fn line_end(&self, lines: u64) -> u64 {
        let mut left = lines;
        let mut end = 0;
        while left > 0 && end < self.0.len() {
            left -= u64::from(self.0[end] == b'\n');
            end += 1;
        }
        wide(end)
    }

    fn read(&self) -> Vec<u8> {
        self.0.clone()
    }
}
