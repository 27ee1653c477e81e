//! Host bytes: bytes in the memory of the adapter, which the log's component has by handle.
//!
//! 1. A slice and an append copy nothing: all share the buffers.
//! 2. A join of the pieces is kept, so it is made once.

use bytes::Bytes;
use stratalog_store_rules::limits::PIECES_JOINED_BYTES;
use stratalog_store_rules::pieces::{
    OutOfRange, Summary, Summing, cut, join, line_end, range, summarize,
};
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

/// Some bytes, in pieces as they came from the store or the caller.
#[derive(Debug, Default)]
pub struct Rope {
    pieces: Vec<Bytes>,
    length: usize,
}

/// Digests with the instructions of the target.
struct Sums;

impl Summing for Sums {
    type Hasher = Xxh3Default;

    fn digest(bytes: &[u8]) -> u64 {
        xxh3_64(bytes)
    }

    fn line_feeds(bytes: &[u8]) -> usize {
        memchr::memchr_iter(b'\n', bytes).count()
    }
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
        let range = range(self.length, start, end)?;
        let length = range.len();
        Ok(Self { pieces: self.pieces.iter().filter_map(cut(range)).collect(), length })
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
        summarize::<Sums>(self.pieces.iter(), self.length, start, lengths)
    }

    /// Returns the offset right behind the first `line_feeds` LFs, or the length if there are
    /// fewer.
    pub fn line_end(&self, line_feeds: u64) -> usize {
        line_end(self.pieces.iter(), line_feeds)
    }

    /// Returns all bytes in one piece, and keeps them so.
    pub fn joined(&mut self) -> Bytes {
        if let [one] = &self.pieces[..] {
            return one.clone();
        }
        let all = join(self.pieces.iter(), self.length);
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
    fn summary_has_the_digest_of_the_bytes() {
        let text = b"a\nb\nc";
        for rope in [of_pieces(&[text]), of_pieces(&[b"a", b"\nb\n", b"c"])] {
            let found = rope.summarize(1, &[4]).unwrap();
            assert_eq!(found, [Summary { digest: xxh3_64(&text[1..5]), line_feeds: 2 }]);
            assert_eq!(rope.line_end(1), 2);
            assert_eq!(rope.slice(1, 4).unwrap().joined(), "\nb\n");
        }
    }

    #[test]
    fn small_pieces_are_joined_before_they_are_written() {
        assert_eq!(of_pieces(&[&b"a"[..]; 3]).pieces(), ["aaa"]);
        assert_eq!(of_pieces(&[&[0; 20_000][..]; 3]).pieces().len(), 3);
        assert!(of_pieces(&[]).pieces().is_empty());
    }
}
