//! A batch's name, made of the digest of its bytes, and the record of it in an index.

use std::fmt::Display;

use crate::error::Damage;
use crate::error::quantities::{count, size};
use crate::format::names::{BatchName, BatchTime, Digest, Origin, Sequence, WriterId};
use crate::ports::{HostBytes, Summary};

/// Returns the name of a batch of these lines.
pub(crate) fn name_for<B: HostBytes>(
    time: BatchTime,
    writer: WriterId,
    sequence: Option<Sequence>,
    lines: &B,
) -> BatchName {
    let Summary { digest, line_feeds: events } = summarize(lines);
    let origin = Origin { writer, sequence, events, digest: Digest(digest) };
    BatchName { time, origin: Some(origin) }
}

/// The record of a batch, as an index has it.
///
/// 1. `events`, `bytes` and `digest` describe the part of the batch that is left.
/// 2. If the batch's name has its number of events, that is `trimmed + events`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchRecord {
    pub name: BatchName,
    pub events: u64,
    pub bytes: u64,
    pub digest: Digest,
    /// Events trimmed from the beginning of the batch. Their bytes are gone.
    pub trimmed: u64,
    /// True if a repair recorded the bytes as lost. The events keep their positions; `bytes` is 0
    /// and `digest` is that of no bytes.
    pub lost: bool,
}

impl BatchRecord {
    /// The record of a batch of which nothing was trimmed or lost.
    pub const fn whole(name: BatchName, events: u64, bytes: u64, digest: Digest) -> Self {
        Self { name, events, bytes, digest, trimmed: 0, lost: false }
    }

    /// The number of events that its bytes hold.
    pub fn events_stored(&self) -> u64 {
        if self.lost { 0 } else { self.events }
    }

    /// The number of its events that are lost.
    pub fn events_lost(&self) -> u64 {
        if self.lost { self.events } else { 0 }
    }

    /// Checks the batch's bytes in a segment.
    pub(crate) fn check(&self, segment: impl Display, found: Summary) -> Result<(), Damage> {
        if is(found, self.events_stored(), self.digest) {
            return Ok(());
        }
        let Self { name, bytes, digest, .. } = self;
        let events = self.events_stored();
        let expected = format!("{name} in {}", described(*bytes, events, *digest));
        Err(Damage::new(segment, expected, describe(*bytes, found)))
    }
}

pub(super) fn is(found: Summary, events: u64, digest: Digest) -> bool {
    found == Summary { digest: digest.0, line_feeds: events }
}

pub(super) fn describe(bytes: u64, found: Summary) -> String {
    described(bytes, found.line_feeds, Digest(found.digest))
}

/// Describes the bytes of a batch in an error.
pub(super) fn described(bytes: u64, events: u64, digest: Digest) -> String {
    format!("{}, {}, xxh3 {digest}", size(bytes), count(events, "event", "events"))
}

/// Summarizes all of the bytes.
pub(crate) fn summarize<B: HostBytes>(bytes: &B) -> Summary {
    let all = bytes.summarize(0, &[bytes.length()]);
    // The host may return fewer; then nothing matches.
    all.first().copied().unwrap_or(Summary { digest: 0, line_feeds: u64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_is_xxh3_64_of_the_bytes() {
        // From the reference implementation: XXH3_64bits of "" and of "a".
        assert_eq!(Digest::of(b"").to_string(), "2d06800538d394c2");
        assert_eq!(Digest::of(b"a").to_string(), "e6c632b61e964e1f");
    }
}
