//! Reads a batch from its own object and checks it against its name.
//!
//! 1. A batch whose name has a digest yields no event before all of it has been checked.

use crate::error::Damage;
use crate::error::quantities;
use crate::format::batch::{BatchRecord, describe, is, summarize};
use crate::format::host_bytes;
use crate::format::names::{BatchName, Origin};
use crate::format::verified_chunk::{BatchSpan, VerifiedChunk};
use crate::limits::BATCH_BYTES_WHOLE_MAX;
use crate::ports::HostBytes;

/// Reads a sealed batch's own object, chunk by chunk.
pub(crate) struct BatchReader<B> {
    name: BatchName,
    origin: Origin,
    incomplete: Option<B>,
}

impl<B: HostBytes> BatchReader<B> {
    /// Makes a reader of an object with the listed size.
    pub(crate) fn new(name: BatchName, origin: Origin, size: u64) -> Result<Self, Damage> {
        if size > BATCH_BYTES_WHOLE_MAX {
            let expected = format!("at most {}", quantities::size(BATCH_BYTES_WHOLE_MAX));
            return Err(Damage::new(name, expected, quantities::size(size)));
        }
        Ok(Self { name, origin, incomplete: None })
    }

    /// Takes the next bytes. Returns the batch when it is complete.
    pub(crate) fn push(
        &mut self,
        bytes: B,
        last: bool,
    ) -> Result<Option<VerifiedChunk<B>>, Damage> {
        let lines = host_bytes::join(self.incomplete.take(), bytes);
        let bytes = lines.length();
        if bytes > BATCH_BYTES_WHOLE_MAX {
            let expected =
                format!("at most {}, as listed", quantities::size(BATCH_BYTES_WHOLE_MAX));
            return Err(Damage::new(self.name, expected, "more"));
        }
        if !last {
            self.incomplete = Some(lines);
            return Ok(None);
        }
        let Origin { events, digest, .. } = self.origin;
        let found = summarize(&lines);
        if !is(found, events, digest) {
            let expected =
                format!("{}, xxh3 {digest}", quantities::count(events, "event", "events"));
            return Err(Damage::new(self.name, expected, describe(bytes, found)));
        }
        let end = BatchRecord::whole(self.name, events, bytes, digest);
        Ok(Some(VerifiedChunk { spans: vec![BatchSpan::live(end)], lines }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::batch::name_for;
    use crate::format::names::{BatchTime, Digest, WriterId};

    fn name(lines: &[u8]) -> BatchName {
        name_for(BatchTime::new(7).unwrap(), WriterId(1), None, &lines.to_vec())
    }

    fn reader(name: BatchName, size: u64) -> Result<BatchReader<Vec<u8>>, Damage> {
        BatchReader::new(name, name.origin.unwrap(), size)
    }

    #[test]
    fn batch_in_pieces_is_yielded_whole_at_its_end() {
        let lines = b"one\ntwo\n";
        let mut reader = reader(name(lines), 8).unwrap();
        assert_eq!(reader.push(lines[..3].to_vec(), false), Ok(None));
        let chunk = reader.push(lines[3..].to_vec(), true).unwrap().unwrap();
        let end = BatchRecord::whole(name(lines), 2, 8, Digest::of(lines));
        assert_eq!((chunk.lines, chunk.spans), (lines.to_vec(), vec![BatchSpan::live(end)]));
    }

    #[test]
    fn truncated_or_changed_batch_is_damage_with_expected_and_found() {
        let lines = b"one\ntwo\n";
        for found in [&b"one\n"[..], b"one\ntwx\n", b"", b"one\ntwo\nx\n"] {
            let mut reader = reader(name(lines), 8).unwrap();
            let damage = reader.push(found.to_vec(), true).unwrap_err();
            assert_eq!(damage.object, name(lines).to_string());
            let found = quantities::size(found.len().try_into().unwrap());
            assert!(damage.found.starts_with(&found), "{damage}");
            assert!(damage.expected.starts_with("2 events, xxh3 "), "{damage}");
        }
    }

    #[test]
    fn batch_larger_than_any_writer_makes_is_damage() {
        let size = BATCH_BYTES_WHOLE_MAX + 1;
        assert!(reader(name(b"a\n"), size).is_err());
    }
}
