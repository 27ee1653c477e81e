//! A batch in a segment that is larger than any writer makes, as a legacy one can be: it is read
//! into the logic and passed on line by line.

use xxhash_rust::xxh3::Xxh3;

use crate::error::Damage;
use crate::error::quantities::size;
use crate::format::batch::{BatchRecord, described};
use crate::format::lines;
use crate::format::names::{Digest, SegmentName};
use crate::format::numbers::to_u64;
use crate::limits::LEGACY_LINE_BYTES_MAX;

/// The batch in progress.
pub(crate) struct OversizedBatch {
    pub(crate) batch: BatchRecord,
    hasher: Box<Xxh3>,
    /// Bytes still to come.
    left: u64,
    /// Events passed on.
    events: u64,
    /// The beginning of an incomplete line.
    begun: Vec<u8>,
}

impl OversizedBatch {
    pub(crate) fn new(batch: BatchRecord) -> Self {
        let (hasher, left) = (Box::new(Xxh3::new()), batch.bytes);
        Self { batch, hasher, left, events: 0, begun: Vec::new() }
    }

    /// The number of bytes of the batch still to come.
    pub(crate) fn bytes_left(&self) -> u64 {
        self.left
    }

    /// Takes the next bytes, all of them the batch's own, and returns the complete lines. Checks
    /// the batch with its last bytes.
    pub(crate) fn push(&mut self, bytes: Vec<u8>, segment: SegmentName) -> Result<Vec<u8>, Damage> {
        self.left = self.left.saturating_sub(to_u64(bytes.len()));
        self.hasher.update(&bytes);
        let mut lines = std::mem::take(&mut self.begun);
        if lines.is_empty() {
            lines = bytes;
        } else {
            lines.extend_from_slice(&bytes);
        }
        self.begun = lines.split_off(memchr::memrchr(b'\n', &lines).map_or(0, |end| end + 1));
        if self.begun.len() > LEGACY_LINE_BYTES_MAX {
            let expected = format!("lines of at most {}", size(to_u64(LEGACY_LINE_BYTES_MAX)));
            return Err(Damage::new(segment, expected, "a longer line"));
        }
        self.events += lines::count(&lines);
        if self.left == 0 {
            self.check(segment)?;
        }
        Ok(lines)
    }

    fn check(&self, segment: SegmentName) -> Result<(), Damage> {
        let BatchRecord { name, events, bytes, digest, .. } = self.batch;
        let found = Digest(self.hasher.digest());
        if found == digest && self.events == events && self.begun.is_empty() {
            return Ok(());
        }
        Err(Damage::new(
            segment,
            format!("{name} in {}", described(bytes, events, digest)),
            described(bytes, self.events, found),
        ))
    }
}
