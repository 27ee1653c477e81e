//! Bytes in pieces, which are used as one sequence: host bytes.
//!
//! 1. An offset out of range is refused, never taken as another one.

use std::hash::Hasher;
use std::ops::Range;

use bytes::{Bytes, BytesMut};

use crate::numbers::{count, to_u64, to_usize};

/// Bytes are digested and counted block by block, so that the count finds them in the processor's
/// nearest cache. This takes half as long as one pass after the other.
const BLOCK_BYTES: usize = 4 * 1024;

/// The functions of a target that summarize bytes.
pub trait Summing {
    /// The xxh3-64 of bytes in several parts, with seed 0.
    type Hasher: Hasher + Default;

    /// Returns the xxh3-64 of bytes, with seed 0.
    fn digest(bytes: &[u8]) -> u64;

    /// Returns the number of LFs.
    fn line_feeds(bytes: &[u8]) -> usize;
}

/// The digest and the number of LFs of a range of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    pub digest: u64,
    pub line_feeds: u64,
}

/// An offset that is not in the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("offset {offset} is outside {}", count(to_u64(*length), "host byte", "host bytes"))]
pub struct OutOfRange {
    pub offset: usize,
    pub length: usize,
}

/// Returns an offset, which may be the end of the bytes.
///
/// # Errors
/// It is behind the end.
pub fn offset(length: usize, offset: u64) -> Result<usize, OutOfRange> {
    let offset = to_usize(offset);
    if offset <= length { Ok(offset) } else { Err(OutOfRange { offset, length }) }
}

/// Returns the range from `start` up to, but not including, `end`.
///
/// # Errors
/// An offset behind the end, or a start behind `end`.
pub fn range(length: usize, start: u64, end: u64) -> Result<Range<usize>, OutOfRange> {
    let (start, end) = (offset(length, start)?, offset(length, end)?);
    if start <= end { Ok(start..end) } else { Err(OutOfRange { offset: end, length }) }
}

/// Returns a function that takes all pieces in order, and returns the part of each that is in a
/// range of their bytes.
pub fn cut(range: Range<usize>) -> impl FnMut(&Bytes) -> Option<Bytes> {
    let mut at = 0_usize;
    move |piece| {
        let [from, to] =
            [range.start, range.end].map(|edge| edge.saturating_sub(at).min(piece.len()));
        at += piece.len();
        (from < to).then(|| piece.slice(from..to))
    }
}

/// Joins pieces with this many bytes in all.
pub fn join<'a>(pieces: impl Iterator<Item = &'a Bytes>, length: usize) -> Bytes {
    let mut all = BytesMut::with_capacity(length);
    pieces.for_each(|piece| all.extend_from_slice(piece));
    all.freeze()
}

/// Returns the offset right behind the first `line_feeds` LFs, or the end if there are fewer.
pub fn line_end<'a>(pieces: impl Iterator<Item = &'a Bytes>, line_feeds: u64) -> usize {
    let (mut left, mut before) = (line_feeds, 0_usize);
    if left == 0 {
        return 0;
    }
    for piece in pieces {
        for end in memchr::memchr_iter(b'\n', piece) {
            left -= 1;
            if left == 0 {
                return before + end + 1;
            }
        }
        before += piece.len();
    }
    before
}

/// Summarizes consecutive ranges of the given lengths, from the offset `start` of pieces with
/// `length` bytes in all.
///
/// # Errors
/// A range that ends behind the bytes.
pub fn summarize<'a, S: Summing>(
    pieces: impl Iterator<Item = &'a Bytes>,
    length: usize,
    start: u64,
    lengths: &[u64],
) -> Result<Vec<Summary>, OutOfRange> {
    let mut at = offset(length, start)?;
    let mut walk = Walk { pieces, rest: &[] };
    walk.skip(at);
    let summaries = lengths.iter().map(|bytes| {
        let bytes = to_usize(*bytes);
        at = at.saturating_add(bytes);
        if at > length {
            return Err(OutOfRange { offset: at, length });
        }
        Ok(walk.summarize::<S>(bytes))
    });
    summaries.collect()
}

/// The bytes from an offset on.
struct Walk<'a, P> {
    pieces: P,
    rest: &'a [u8],
}

impl<'a, P: Iterator<Item = &'a Bytes>> Walk<'a, P> {
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
    fn summarize<S: Summing>(&mut self, length: usize) -> Summary {
        let line_feeds = |block: &[u8]| to_u64(S::line_feeds(block));
        let mut block = self.next(length.min(BLOCK_BYTES));
        if block.len() == length {
            return Summary { digest: S::digest(block), line_feeds: line_feeds(block) };
        }
        let mut hasher = S::Hasher::default();
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

#[cfg(test)]
mod tests;
