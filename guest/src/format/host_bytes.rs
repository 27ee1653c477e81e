//! Host bytes that are summarized here: those of a host that does not do it, and vectors, for a
//! host in the same program.

use std::ops::Range;

use crate::format::lines;
use crate::format::names::Digest;
use crate::format::numbers::{to_u64, to_usize};
use crate::ports::{HostBytes, Summary};

/// Summarizes consecutive ranges of these lengths, beginning at `start`. A range beyond the end
/// counts as far as it exists.
pub fn summarize(bytes: &[u8], start: u64, lengths: &[u64]) -> Vec<Summary> {
    let mut rest = bytes.get(to_usize(start)..).unwrap_or_default();
    let summaries = lengths.iter().map(|length| {
        let (range, after) = rest.split_at(to_usize(*length).min(rest.len()));
        rest = after;
        Summary { digest: Digest::of(range).0, line_feeds: lines::count(range) }
    });
    summaries.collect()
}

/// Appends more bytes.
pub(crate) fn join<B: HostBytes>(before: Option<B>, more: B) -> B {
    match before {
        Some(mut before) => {
            before.append(more);
            before
        }
        None => more,
    }
}

impl HostBytes for Vec<u8> {
    fn new(content: &[u8]) -> Self {
        content.to_vec()
    }
    fn length(&self) -> u64 {
        to_u64(self.len())
    }
    fn slice(&self, range: Range<u64>) -> Self {
        self.get(to_usize(range.start)..to_usize(range.end)).unwrap_or_default().to_vec()
    }
    fn append(&mut self, more: Self) {
        self.extend(more);
    }
    fn summarize(&self, start: u64, lengths: &[u64]) -> Vec<Summary> {
        summarize(self, start, lengths)
    }
    fn line_end(&self, lines: u64) -> u64 {
        let Some(before) = lines.checked_sub(1) else { return 0 };
        let end = memchr::memchr_iter(b'\n', self).nth(to_usize(before));
        end.map_or(self.length(), |end| to_u64(end + 1))
    }
    fn read(&self) -> Vec<u8> {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_behind_their_line_feeds() {
        let lines = b"a\nbb\nc".to_vec();
        let ends = [0, 1, 2, 3, 9].map(|count| lines.line_end(count));
        assert_eq!(ends, [0, 2, 5, 6, 6]);
    }

    #[test]
    fn ranges_are_summarized_one_after_the_other() {
        let lines = b"a\nbb\nc\n".to_vec();
        let found = lines.summarize(2, &[3, 0, 2]);
        let of =
            |bytes: &[u8]| Summary { digest: Digest::of(bytes).0, line_feeds: lines::count(bytes) };
        assert_eq!(found, [of(b"bb\n"), of(b""), of(b"c\n")]);
    }
}
