//! A batch's bytes: sealed with a name that tells their digest, checked against it when read.
//!
//! 1. A batch of the new naming scheme yields no event before all of it has been checked.

use std::fmt::Display;

use crate::error::Damage;
use crate::held;
use crate::limits::BATCH_BYTES_WHOLE_MAX;
use crate::names::{BatchName, BatchTime, Digest, Origin, WriterId};
use crate::part::{Piece, Run};
use crate::ports::{HeldBytes, Measure};

/// Names packed lines.
pub(crate) fn seal<B: HeldBytes>(time: BatchTime, writer: WriterId, lines: &B) -> BatchName {
    let Measure { digest, line_feeds } = measure(lines);
    BatchName { time, origin: Some(Origin { writer, events: line_feeds, digest: Digest(digest) }) }
}

/// What is known of a batch's bytes once they have been read: what an index records.
///
/// 1. `events`, `bytes` and `digest` speak of what is left of the batch.
/// 2. Where the batch's name tells the number of its events, that is `trimmed + events`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchRecord {
    pub name: BatchName,
    pub events: u64,
    pub bytes: u64,
    pub digest: Digest,
    /// Events at the beginning of the batch that were trimmed. They have no bytes any more.
    pub trimmed: u64,
    /// Whether a repair recorded that the bytes were lost. The events keep their positions; `bytes`
    /// is 0 and `digest` that of nothing.
    pub lost: bool,
}

impl BatchRecord {
    /// Of a batch of which nothing was trimmed or lost.
    pub const fn whole(name: BatchName, events: u64, bytes: u64, digest: Digest) -> Self {
        Self { name, events, bytes, digest, trimmed: 0, lost: false }
    }

    /// The events that its bytes hold.
    pub fn events_stored(&self) -> u64 {
        if self.lost { 0 } else { self.events }
    }

    /// Its events that nobody can read any more.
    pub fn events_lost(&self) -> u64 {
        if self.lost { self.events } else { 0 }
    }

    /// Checks the batch's bytes where they stand in a segment.
    pub(crate) fn check(&self, segment: impl Display, found: Measure) -> Result<(), Damage> {
        if is(found, self.events_stored(), self.digest) {
            return Ok(());
        }
        let Self { name, bytes, digest, .. } = self;
        let events = self.events_stored();
        let expected = format!("{name} in {bytes} bytes, {events} events, xxh3 {digest}");
        Err(Damage::new(segment, expected, describe(*bytes, found)))
    }
}

fn is(found: Measure, events: u64, digest: Digest) -> bool {
    found == Measure { digest: digest.0, line_feeds: events }
}

fn describe(bytes: u64, found: Measure) -> String {
    format!("{bytes} bytes, {} events, xxh3 {}", found.line_feeds, Digest(found.digest))
}

/// What is known of so many bytes.
pub(crate) fn measure<B: HeldBytes>(bytes: &B) -> Measure {
    let all = bytes.measure(0, &[bytes.length()]);
    // The host's answer may be short; then nothing matches.
    all.first().copied().unwrap_or(Measure { digest: 0, line_feeds: u64::MAX })
}

/// Reads a sealed batch's own object, chunk by chunk.
pub(crate) struct BatchReader<B> {
    name: BatchName,
    origin: Origin,
    held: Option<B>,
}

impl<B: HeldBytes> BatchReader<B> {
    /// `size` is the listed one.
    pub(crate) fn new(name: BatchName, origin: Origin, size: u64) -> Result<Self, Damage> {
        if size > BATCH_BYTES_WHOLE_MAX {
            let expected = format!("at most {BATCH_BYTES_WHOLE_MAX} bytes");
            return Err(Damage::new(name, expected, format!("{size} bytes")));
        }
        Ok(Self { name, origin, held: None })
    }

    /// Takes the next bytes and returns the batch when all of it is there.
    pub(crate) fn push(&mut self, bytes: B, last: bool) -> Result<Option<Run<B>>, Damage> {
        let lines = held::join(self.held.take(), bytes);
        let bytes = lines.length();
        if bytes > BATCH_BYTES_WHOLE_MAX {
            let expected = format!("at most {BATCH_BYTES_WHOLE_MAX} bytes, as listed");
            return Err(Damage::new(self.name, expected, "more"));
        }
        if !last {
            self.held = Some(lines);
            return Ok(None);
        }
        let Origin { events, digest, .. } = self.origin;
        let found = measure(&lines);
        if !is(found, events, digest) {
            let expected = format!("{events} events, xxh3 {digest}");
            return Err(Damage::new(self.name, expected, describe(bytes, found)));
        }
        let end = BatchRecord::whole(self.name, events, bytes, digest);
        Ok(Some(Run { pieces: vec![Piece::live(end)], lines }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(lines: &[u8]) -> BatchName {
        seal(BatchTime::new(7).unwrap(), WriterId(1), &lines.to_vec())
    }

    fn reader(name: BatchName, size: u64) -> Result<BatchReader<Vec<u8>>, Damage> {
        BatchReader::new(name, name.origin.unwrap(), size)
    }

    #[test]
    fn digest_is_xxh3_64_of_the_bytes() {
        // From the reference implementation: XXH3_64bits of "" and of "a".
        assert_eq!(Digest::of(b"").to_string(), "2d06800538d394c2");
        assert_eq!(Digest::of(b"a").to_string(), "e6c632b61e964e1f");
    }

    #[test]
    fn a_batch_in_pieces_is_yielded_whole_at_its_end() {
        let lines = b"one\ntwo\n";
        let mut reader = reader(name(lines), 8).unwrap();
        assert_eq!(reader.push(lines[..3].to_vec(), false), Ok(None));
        let run = reader.push(lines[3..].to_vec(), true).unwrap().unwrap();
        let end = BatchRecord::whole(name(lines), 2, 8, Digest::of(lines));
        assert_eq!((run.lines, run.pieces), (lines.to_vec(), vec![Piece::live(end)]));
    }

    #[test]
    fn a_truncated_or_changed_batch_is_damage_with_expected_and_found() {
        let lines = b"one\ntwo\n";
        for found in [&b"one\n"[..], b"one\ntwx\n", b"", b"one\ntwo\nx\n"] {
            let mut reader = reader(name(lines), 8).unwrap();
            let damage = reader.push(found.to_vec(), true).unwrap_err();
            assert_eq!(damage.object, name(lines).to_string());
            let found = format!("{} bytes", found.len());
            assert!(damage.found.starts_with(&found), "{damage}");
            assert!(damage.expected.starts_with("2 events, xxh3 "), "{damage}");
        }
    }

    #[test]
    fn a_batch_larger_than_any_writer_makes_is_damage() {
        let size = BATCH_BYTES_WHOLE_MAX + 1;
        assert!(reader(name(b"a\n"), size).is_err());
    }
}
