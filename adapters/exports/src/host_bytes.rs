//! Host bytes: bytes in the memory of the adapter, which the log's component has by handle.
//!
//! 1. A slice and an append copy nothing: all share the buffers.
//! 2. An offset out of range is refused, never taken as another one.
//! 3. A join of the pieces is kept, so it is made once.

use std::hash::Hasher as _;

use bytes::{Bytes, BytesMut};
use stratalog_store_rules::limits::PIECES_JOINED_BYTES;
use stratalog_store_rules::numbers::{to_u64, to_usize};
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

/// Bytes are digested and counted block by block, so that the count finds them in the processor's
/// nearest cache.
const BLOCK_BYTES: usize = 4 * 1024;

/// Some bytes, in pieces as they came from the store or the caller.
#[derive(Debug, Default)]
pub struct Rope {
    pieces: Vec<Bytes>,
    length: usize,
}

/// The digest and the number of LFs of a range of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// The xxh3-64 of the bytes, with seed 0.
    pub digest: u64,
    /// The number of LFs.
    pub line_feeds: u64,
}

/// An offset that is not in the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("offset {offset} is outside {length} host bytes")]
pub struct OutOfRange {
    offset: usize,
    length: usize,
}

impl From<Bytes> for Rope {
    fn from(bytes: Bytes) -> Self {
        let length = bytes.len();
        Self { pieces: vec![bytes], length }
    }
}

impl Rope {
    /// Returns the number of bytes.
    #[expect(clippy::len_without_is_empty, reason = "mirrors the WIT")]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Returns the bytes from `start` up to, but not including, `end`.
    ///
    /// # Errors
    /// An offset behind the end, or a start behind `end`.
    pub fn slice(&self, start: u64, end: u64) -> Result<Self, OutOfRange> {
        let (start, end) = (self.offset(start)?, self.offset(end)?);
        let length = end.checked_sub(start).ok_or_else(|| self.out_of_range(end))?;
        let mut at = 0_usize;
        let within = self.pieces.iter().filter_map(|bytes| {
            let [from, to] = [start, end].map(|edge| edge.saturating_sub(at).min(bytes.len()));
            at += bytes.len();
            (from < to).then(|| bytes.slice(from..to))
        });
        let pieces = within.collect();
        Ok(Self { pieces, length })
    }

    /// Adds other bytes at the end.
    pub fn append(&mut self, more: Self) {
        self.length = self.length.saturating_add(more.length);
        self.pieces.extend(more.pieces.into_iter().filter(|piece| !piece.is_empty()));
    }

    /// Summarizes consecutive ranges of the given lengths, from the offset `start`.
    ///
    /// # Errors
    /// A range that ends behind the bytes.
    pub fn summarize(&self, start: u64, lengths: &[u64]) -> Result<Vec<Summary>, OutOfRange> {
        let mut at = self.offset(start)?;
        let mut walk = Walk { pieces: self.pieces.iter(), rest: &[] };
        walk.skip(at);
        let summaries = lengths.iter().map(|length| {
            let length = to_usize(*length);
            at = at.saturating_add(length);
            if at > self.length { Err(self.out_of_range(at)) } else { Ok(walk.summarize(length)) }
        });
        summaries.collect()
    }

    /// Returns the offset right behind the first `line_feeds` LFs, or the length if there are
    /// fewer.
    pub fn line_end(&self, line_feeds: u64) -> usize {
        if line_feeds == 0 {
            return 0;
        }
        let (mut left, mut before) = (line_feeds, 0_usize);
        for bytes in &self.pieces {
            for end in memchr::memchr_iter(b'\n', bytes) {
                left -= 1;
                if left == 0 {
                    return before + end + 1;
                }
            }
            before += bytes.len();
        }
        self.length
    }

    /// Returns all bytes in one piece, and keeps them so.
    pub fn joined(&mut self) -> Bytes {
        if let [one] = &self.pieces[..] {
            return one.clone();
        }
        let mut all = BytesMut::with_capacity(self.length);
        self.pieces.iter().for_each(|piece| all.extend_from_slice(piece));
        let all = all.freeze();
        self.pieces = vec![all.clone()];
        all
    }

    /// Returns the bytes for a store: a few pieces unchanged, many small ones joined.
    pub fn pieces(&mut self) -> Vec<Bytes> {
        if self.length / PIECES_JOINED_BYTES < self.pieces.len() {
            self.joined();
        }
        self.pieces.clone()
    }

    fn offset(&self, offset: u64) -> Result<usize, OutOfRange> {
        let offset = to_usize(offset);
        if offset <= self.length { Ok(offset) } else { Err(self.out_of_range(offset)) }
    }

    fn out_of_range(&self, offset: usize) -> OutOfRange {
        OutOfRange { offset, length: self.length }
    }
}

/// The bytes from an offset on.
struct Walk<'a> {
    pieces: std::slice::Iter<'a, Bytes>,
    rest: &'a [u8],
}

impl<'a> Walk<'a> {
    /// Returns the next bytes, at most this many; none at the end.
    fn next(&mut self, bytes_max: usize) -> &'a [u8] {
        while self.rest.is_empty() {
            let Some(piece) = self.pieces.next() else { break };
            self.rest = piece;
        }
        let (next, rest) = self.rest.split_at(bytes_max.min(self.rest.len()));
        self.rest = rest;
        next
    }

    fn skip(&mut self, mut bytes: usize) {
        while bytes > 0 {
            bytes = match self.next(bytes) {
                [] => 0,
                skipped => bytes - skipped.len(),
            };
        }
    }

    /// Summarizes the next bytes, which must exist.
    fn summarize(&mut self, length: usize) -> Summary {
        let mut block = self.next(length.min(BLOCK_BYTES));
        if block.len() == length {
            return Summary { digest: xxh3_64(block), line_feeds: line_feeds(block) };
        }
        let mut hasher = Xxh3Default::new();
        let (mut left, mut found) = (length, 0_u64);
        while !block.is_empty() {
            hasher.write(block);
            found += line_feeds(block);
            left -= block.len();
            block = self.next(left.min(BLOCK_BYTES));
        }
        Summary { digest: hasher.finish(), line_feeds: found }
    }
}

fn line_feeds(bytes: &[u8]) -> u64 {
    to_u64(memchr::memchr_iter(b'\n', bytes).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_pieces(pieces: &[&[u8]]) -> Rope {
        let mut rope = Rope::default();
        pieces.iter().for_each(|piece| rope.append(Bytes::copy_from_slice(piece).into()));
        rope
    }

    #[test]
    fn summary_does_not_depend_on_the_pieces() {
        let line = [&[b'x'; 200][..], b"\n"].concat();
        let text = line.repeat(3 * BLOCK_BYTES / line.len());
        let whole = of_pieces(&[&text]);
        for cuts in [[1, 2, 3], [200, 201, 202], [1, BLOCK_BYTES, 2 * BLOCK_BYTES + 1]] {
            let [a, b, c] = cuts;
            let mut joined = of_pieces(&[&text[..a], &text[a..b], &text[b..c], &text[c..]]);
            for lengths in [&[10_000][..], &[0, 1, 200, 5_000, 4_000]] {
                let found = [&whole, &joined].map(|rope| rope.summarize(3, lengths).unwrap());
                assert_eq!(found[0], found[1], "{cuts:?}");
                let range = &text[3..3 + to_usize(lengths[0])];
                let line_feeds = line_feeds(range);
                assert_eq!(found[0][0], Summary { digest: xxh3_64(range), line_feeds });
            }
            assert_eq!(joined.line_end(2), 402, "{cuts:?}");
            assert_eq!(joined.joined(), text);
        }
    }

    #[test]
    fn slices_and_line_ends_cross_pieces() {
        let all = of_pieces(&[b"a\nb", b"", b"b\nc", b"c"]);
        let slice = |start, end| all.slice(start, end).unwrap().joined();
        assert_eq!(
            [slice(0, 7), slice(2, 5), slice(3, 4), slice(7, 7)],
            ["a\nbb\ncc", "bb\n", "b", ""]
        );
        assert_eq!([0, 1, 2, 3].map(|count| all.line_end(count)), [0, 2, 5, 7]);
    }

    #[test]
    fn bytes_that_are_not_there_are_refused() {
        let all = of_pieces(&[b"abc", b"de"]);
        for (start, end) in [(0, 6), (6, 6), (3, 2), (u64::MAX, u64::MAX)] {
            assert!(all.slice(start, end).is_err(), "{start} {end}");
        }
        for (start, lengths) in [(0, &[6][..]), (6, &[0]), (1, &[4, 1]), (0, &[u64::MAX, 2])] {
            assert!(all.summarize(start, lengths).is_err(), "{start} {lengths:?}");
        }
        assert_eq!(all.summarize(5, &[0, 0]).unwrap().len(), 2);
    }

    #[test]
    fn small_pieces_are_joined_before_they_are_written() {
        assert_eq!(of_pieces(&[&b"a"[..]; 3]).pieces(), ["aaa"]);
        assert_eq!(of_pieces(&[&[0; 20_000][..]; 3]).pieces().len(), 3);
        assert!(of_pieces(&[]).pieces().is_empty());
    }
}
