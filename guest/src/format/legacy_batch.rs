//! A batch of the legacy naming scheme. Its name has nothing to check. Its bytes are read into the
//! logic, because a missing final line feed and empty lines are corrected.

use xxhash_rust::xxh3::Xxh3;

use crate::error::Damage;
use crate::error::quantities::size;
use crate::format::batch::BatchRecord;
use crate::format::lines;
use crate::format::names::{BatchName, Digest};
use crate::format::numbers::to_u64;
use crate::format::verified_chunk::{BatchSpan, VerifiedChunk};
use crate::limits::{BATCH_BYTES_WHOLE_MAX, LEGACY_LINE_BYTES_MAX};
use crate::ports::HostBytes;

/// Reads a legacy batch's object, chunk by chunk.
pub(crate) struct LegacyBatchReader {
    name: BatchName,
    /// The listed size, which is allocated in advance. A batch that is too large for that is read
    /// line by line.
    size: u64,
    incomplete: Vec<u8>,
    /// Counts of the events and bytes returned so far.
    events: u64,
    bytes: u64,
    hasher: Box<Xxh3>,
}

impl LegacyBatchReader {
    pub(crate) fn new(name: BatchName, size: u64) -> Self {
        Self {
            name,
            size,
            incomplete: Vec::new(),
            events: 0,
            bytes: 0,
            hasher: Box::new(Xxh3::new()),
        }
    }

    /// Takes the next bytes. Returns the events that are complete.
    pub(crate) fn push<B: HostBytes>(
        &mut self,
        bytes: &B,
        last: bool,
    ) -> Result<Option<VerifiedChunk<B>>, Damage> {
        let streams = self.size > BATCH_BYTES_WHOLE_MAX;
        let bytes = bytes.read();
        if self.incomplete.is_empty() && (last || streams) {
            self.incomplete = bytes;
        } else {
            let size = usize::try_from(self.size).unwrap_or(0);
            let room = if streams { 0 } else { size.saturating_sub(self.incomplete.len()) };
            self.incomplete.reserve_exact(room.max(bytes.len()));
            self.incomplete.extend_from_slice(&bytes);
        }
        let incomplete_bytes = to_u64(self.incomplete.len());
        if !streams && incomplete_bytes > BATCH_BYTES_WHOLE_MAX {
            let expected = format!("at most {}, as listed", size(BATCH_BYTES_WHOLE_MAX));
            return Err(Damage::new(self.name, expected, "more"));
        }
        let complete = match last {
            true => self.incomplete.len(),
            false if streams => memchr::memrchr(b'\n', &self.incomplete).map_or(0, |end| end + 1),
            false => return Ok(None),
        };
        let rest = self.incomplete.split_off(complete);
        let lines = lines::pack_legacy_lines(std::mem::replace(&mut self.incomplete, rest));
        if self.incomplete.len() > LEGACY_LINE_BYTES_MAX {
            let expected = format!("lines of at most {}", size(to_u64(LEGACY_LINE_BYTES_MAX)));
            return Err(Damage::new(self.name, expected, "a longer line"));
        }
        let (events, bytes) = (lines::count(&lines), to_u64(lines.len()));
        self.events += events;
        self.bytes += bytes;
        self.hasher.update(&lines);
        let end = last.then(|| {
            let digest = Digest(self.hasher.digest());
            BatchRecord::whole(self.name, self.events, self.bytes, digest)
        });
        let batch = self.name;
        let span =
            BatchSpan { batch, segment: None, positions: None, trimmed: 0, bytes, events, end };
        Ok(Some(VerifiedChunk { spans: vec![span], lines: B::new(&lines) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::names::BatchTime;

    #[test]
    fn large_legacy_batch_is_streamed_like_a_small_one() {
        let legacy = BatchName { time: BatchTime::new(7).unwrap(), origin: None };
        let text = b"one\n\ntwo\nthree";
        let mut reader = LegacyBatchReader::new(legacy, 14);
        assert_eq!(reader.push(&text[..3].to_vec(), false), Ok(None));
        let whole = reader.push(&text[3..].to_vec(), true).unwrap().unwrap();
        for cut in 0..text.len() {
            let (first, second) = text.split_at(cut);
            let mut oversized = LegacyBatchReader::new(legacy, BATCH_BYTES_WHOLE_MAX + 1);
            let first = oversized.push(&first.to_vec(), false).unwrap().unwrap();
            let second = oversized.push(&second.to_vec(), true).unwrap().unwrap();
            let lines = [first.lines, second.lines].concat();
            assert_eq!(lines, whole.lines, "cut at {cut}");
            assert_eq!(second.spans[0].end, whole.spans[0].end, "cut at {cut}");
        }
    }
}
