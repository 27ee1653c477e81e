//! A batch's bytes: sealed with a name that tells their digest, checked against it when read.
//!
//! 1. A batch of the new naming scheme yields no event before all of it has been checked.
//! 2. A batch of the old scheme tells nothing to check; missing ends and empty lines are mended.

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::error::Damage;
use crate::events;
use crate::limits::{BATCH_BYTES_WHOLE_MAX, OLD_LINE_BYTES_MAX};
use crate::names::{BatchName, BatchTime, Digest, Origin, WriterId};

/// The digest that names use.
pub(crate) fn digest(bytes: &[u8]) -> Digest {
    Digest(xxh3_64(bytes))
}

/// Names packed lines.
pub(crate) fn seal(time: BatchTime, writer: WriterId, events: u64, lines: &[u8]) -> BatchName {
    BatchName { time, origin: Some(Origin { writer, events, digest: digest(lines) }) }
}

/// What is known of a batch's bytes once they have been read: what an index records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchRecord {
    pub name: BatchName,
    pub events: u64,
    pub bytes: u64,
    pub digest: Digest,
}

impl BatchRecord {
    /// Checks the batch's bytes where they stand in a segment.
    pub(crate) fn check(&self, segment: &str, lines: &[u8]) -> Result<(), Damage> {
        if matches(lines, self.events, self.digest) {
            return Ok(());
        }
        let Self { name, events, bytes, digest } = self;
        let expected = format!("{name} in {bytes} bytes, {events} events, xxh3 {digest}");
        Err(Damage::new(segment, expected, describe(lines)))
    }
}

fn matches(lines: &[u8], events: u64, expected: Digest) -> bool {
    digest(lines) == expected && events::count(lines) == events
}

fn describe(lines: &[u8]) -> String {
    let (bytes, events) = (lines.len(), events::count(lines));
    format!("{bytes} bytes, {events} events, xxh3 {}", digest(lines))
}

/// Checked events of a batch; the record comes with the last of them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    pub lines: Vec<u8>,
    pub events: u64,
    pub end: Option<BatchRecord>,
}

/// Reads a batch's own object, chunk by chunk.
pub(crate) struct BatchReader {
    name: BatchName,
    /// The listed size: room for as much is made at once.
    size: u64,
    held: Vec<u8>,
    /// Of what was yielded already: old batches too large to hold.
    events: u64,
    bytes: u64,
    hasher: Option<Box<Xxh3>>,
}

impl BatchReader {
    /// `size` is the listed one. Only an old batch may be too large to hold.
    pub(crate) fn new(name: BatchName, size: u64) -> Result<Self, Damage> {
        let large = size > BATCH_BYTES_WHOLE_MAX;
        if large && name.origin.is_some() {
            let expected = format!("at most {BATCH_BYTES_WHOLE_MAX} bytes");
            return Err(Damage::new(name, expected, format!("{size} bytes")));
        }
        let hasher = large.then(|| Box::new(Xxh3::new()));
        Ok(Self { name, size, held: Vec::new(), events: 0, bytes: 0, hasher })
    }

    pub(crate) fn name(&self) -> BatchName {
        self.name
    }

    /// Takes the next bytes and returns the events that are certain by now.
    pub(crate) fn push(&mut self, bytes: Vec<u8>, last: bool) -> Result<Option<Checked>, Damage> {
        let whole = self.hasher.is_none();
        if self.held.is_empty() && (last || !whole) {
            self.held = bytes;
        } else {
            let size = usize::try_from(self.size).unwrap_or(0);
            let room = if whole { size.saturating_sub(self.held.len()) } else { 0 };
            self.held.reserve_exact(room.max(bytes.len()));
            self.held.extend_from_slice(&bytes);
        }
        let held_max = usize::try_from(BATCH_BYTES_WHOLE_MAX).unwrap_or(usize::MAX);
        if self.hasher.is_some() {
            return self.stream(last);
        }
        if self.held.len() > held_max {
            let expected = format!("at most {BATCH_BYTES_WHOLE_MAX} bytes, as listed");
            return Err(Damage::new(self.name, expected, "more"));
        }
        if !last {
            return Ok(None);
        }
        let held = std::mem::take(&mut self.held);
        let (lines, record) = match self.name.origin {
            Some(Origin { events, digest, .. }) => {
                if !matches(&held, events, digest) {
                    let expected = format!("{events} events, xxh3 {digest}");
                    return Err(Damage::new(self.name, expected, describe(&held)));
                }
                let bytes = u64::try_from(held.len()).unwrap_or(u64::MAX);
                (held, BatchRecord { name: self.name, events, bytes, digest })
            }
            None => {
                let lines = events::pack_old_lines(held);
                let (events, digest) = (events::count(&lines), digest(&lines));
                let bytes = u64::try_from(lines.len()).unwrap_or(u64::MAX);
                (lines, BatchRecord { name: self.name, events, bytes, digest })
            }
        };
        Ok(Some(Checked { lines, events: record.events, end: Some(record) }))
    }

    /// Passes on the complete lines of an old batch too large to hold.
    fn stream(&mut self, last: bool) -> Result<Option<Checked>, Damage> {
        let whole = if last {
            self.held.len()
        } else {
            memchr::memrchr(b'\n', &self.held).map_or(0, |end| end + 1)
        };
        let rest = self.held.split_off(whole);
        let lines = events::pack_old_lines(std::mem::replace(&mut self.held, rest));
        if self.held.len() > OLD_LINE_BYTES_MAX {
            let expected = format!("lines of at most {OLD_LINE_BYTES_MAX} bytes");
            return Err(Damage::new(self.name, expected, "a longer one"));
        }
        let events = events::count(&lines);
        self.events += events;
        self.bytes += u64::try_from(lines.len()).unwrap_or(u64::MAX);
        let mut end = None;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&lines);
            end = last.then(|| BatchRecord {
                name: self.name,
                events: self.events,
                bytes: self.bytes,
                digest: Digest(hasher.digest()),
            });
        }
        Ok(Some(Checked { lines, events, end }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(lines: &[u8]) -> BatchName {
        seal(BatchTime::new(7).unwrap(), WriterId(1), events::count(lines), lines)
    }

    #[test]
    fn digest_is_xxh3_64_of_the_bytes() {
        // From the reference implementation: XXH3_64bits of "" and of "a".
        assert_eq!(digest(b"").to_string(), "2d06800538d394c2");
        assert_eq!(digest(b"a").to_string(), "e6c632b61e964e1f");
    }

    #[test]
    fn a_batch_in_pieces_is_yielded_whole_at_its_end() {
        let lines = b"one\ntwo\n".to_vec();
        let mut reader = BatchReader::new(name(&lines), 8).unwrap();
        assert_eq!(reader.push(lines[..3].to_vec(), false), Ok(None));
        let checked = reader.push(lines[3..].to_vec(), true).unwrap().unwrap();
        assert_eq!((checked.lines, checked.events), (lines, 2));
        assert_eq!(checked.end.map(|record| record.bytes), Some(8));
    }

    #[test]
    fn a_truncated_or_changed_batch_is_damage_with_expected_and_found() {
        let lines = b"one\ntwo\n".to_vec();
        for found in [&b"one\n"[..], b"one\ntwx\n", b"", b"one\ntwo\nx\n"] {
            let mut reader = BatchReader::new(name(&lines), 8).unwrap();
            let damage = reader.push(found.to_vec(), true).unwrap_err();
            assert_eq!(damage.object, name(&lines).to_string());
            let found = format!("{} bytes", found.len());
            assert!(damage.found.starts_with(&found), "{damage}");
            assert!(damage.expected.starts_with("2 events, xxh3 "), "{damage}");
        }
    }

    #[test]
    fn a_large_old_batch_is_streamed_as_if_it_were_held() {
        let old = BatchName { time: BatchTime::new(7).unwrap(), origin: None };
        let text = b"one\n\ntwo\nthree".to_vec();
        let mut held = BatchReader::new(old, 14).unwrap();
        let whole = held.push(text.clone(), true).unwrap().unwrap();
        for cut in 0..text.len() {
            let mut streamed = BatchReader::new(old, BATCH_BYTES_WHOLE_MAX + 1).unwrap();
            let first = streamed.push(text[..cut].to_vec(), false).unwrap().unwrap();
            let second = streamed.push(text[cut..].to_vec(), true).unwrap().unwrap();
            assert_eq!([first.lines, second.lines].concat(), whole.lines, "cut at {cut}");
            assert_eq!(second.end, whole.end, "cut at {cut}");
        }
    }

    #[test]
    fn a_new_batch_larger_than_any_writer_makes_is_damage() {
        let size = BATCH_BYTES_WHOLE_MAX + 1;
        assert!(BatchReader::new(name(b"a\n"), size).is_err());
    }
}
