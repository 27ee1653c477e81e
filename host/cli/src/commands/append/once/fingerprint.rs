//! Recognizes a file by its content, wherever it was moved or copied to.
//!
//! 1. A file is the same one if the bytes at its beginning and those before the place where reading
//!    stopped are as they were. Of a file that was truncated and written again, they are not.

use std::fs::File;
use std::io;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::read_at::read_at;
use crate::numbers::to_u64;

/// The most bytes that are compared at each of the two places.
pub(super) const COMPARED_BYTES_MAX: u64 = 1024;

/// The content of a file up to an offset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fingerprint {
    /// The place at which reading stopped.
    pub(super) offset: u64,
    /// The SHA-256 of the first bytes before that, in hexadecimal digits; at most 1,024 bytes.
    head: String,
    /// The SHA-256 of the last bytes before that.
    tail: String,
}

/// The result of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Likeness {
    Same,
    /// The end is gone: a system that crashed has lost what it had not synced yet.
    Shorter,
    Other,
}

/// The bytes that are compared.
#[derive(Clone, Debug, Default)]
pub(super) struct Ends {
    pub(super) head: Vec<u8>,
    pub(super) tail: Vec<u8>,
}

impl Ends {
    /// Adds the bytes that were read next.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        let most = usize::try_from(COMPARED_BYTES_MAX).unwrap_or(usize::MAX);
        let missing = most.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(bytes.get(..missing).unwrap_or_default());
        self.tail.extend_from_slice(bytes);
        let surplus = self.tail.len().saturating_sub(most);
        self.tail.drain(..surplus);
    }

    pub(super) fn fingerprint(&self, offset: u64) -> Fingerprint {
        Fingerprint { offset, head: digest(&self.head), tail: digest(&self.tail) }
    }
}

impl Fingerprint {
    /// Returns the compared bytes of a file, and whether they are those of the fingerprint.
    pub(super) fn compare(&self, file: &File) -> io::Result<(Likeness, Ends)> {
        let bytes = self.offset.min(COMPARED_BYTES_MAX);
        let head = read_at(file, 0, bytes)?;
        let is_whole = to_u64(head.len()) == bytes && digest(&head) == self.head;
        if file.metadata()?.len() < self.offset {
            // A truncated file that was written again hardly begins with the same 1,024 bytes.
            let is_shorter = is_whole && bytes == COMPARED_BYTES_MAX;
            let likeness = if is_shorter { Likeness::Shorter } else { Likeness::Other };
            return Ok((likeness, Ends::default()));
        }
        let tail = read_at(file, self.offset - bytes, bytes)?;
        let is_same = is_whole && to_u64(tail.len()) == bytes && digest(&tail) == self.tail;
        let likeness = if is_same { Likeness::Same } else { Likeness::Other };
        Ok((likeness, Ends { head, tail }))
    }
}

fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn likeness(before: &[u8], offset: usize, after: &[u8]) -> Likeness {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut ends = Ends::default();
        for part in before[..offset].chunks(700) {
            ends.add(part);
        }
        let fingerprint = ends.fingerprint(to_u64(offset));
        fs::write(&path, after).unwrap();
        fingerprint.compare(&File::open(&path).unwrap()).unwrap().0
    }

    #[test]
    fn file_is_recognized_by_what_was_read_of_it() {
        let long: Vec<u8> = (0..5_000_u32).flat_map(|n| n.to_string().into_bytes()).collect();
        let grown = [&long[..], b"more"].concat();
        assert_eq!(likeness(&long, 9_000, &grown), Likeness::Same);
        assert_eq!(likeness(b"a\nb\n", 2, b"a\nc\n"), Likeness::Same, "behind the offset");
        assert_eq!(likeness(b"a\nb\n", 4, b"a\nc\nd\n"), Likeness::Other);
        assert_eq!(likeness(b"", 0, b"any"), Likeness::Same);
        let mut changed = long.clone();
        changed[8_990] = b'x';
        assert_eq!(likeness(&long, 9_000, &changed), Likeness::Other);
    }

    #[test]
    fn file_that_lost_its_end_is_no_other_file() {
        let long: Vec<u8> = (0..5_000_u32).flat_map(|n| n.to_string().into_bytes()).collect();
        assert_eq!(likeness(&long, 9_000, &long[..4_000]), Likeness::Shorter);
        assert_eq!(likeness(&long, 9_000, &long[..500]), Likeness::Other);
        assert_eq!(likeness(b"a\nb\n", 4, b"a\n"), Likeness::Other);
    }
}
