//! Finds the digits of times and writers in an index by the digest of all its bytes. The rest of a
//! line follows from the segment.

use std::ops::Range;

use crate::format::byte_search::HASHED_BYTES_MAX;
use crate::format::names::Digest;

/// The columns of the time in a line.
pub(super) const TIME: Range<usize> = 16..35;
/// The columns of the writer in the line of an unnumbered batch, and of a numbered one.
pub(super) const WRITER: Range<usize> = 36..44;
pub(super) const WRITER_NUMBERED: Range<usize> = 36..52;

/// Returns the bytes that have the digest: the given ones, or with missing digits filled in, or
/// with one digit of an unsure line replaced. None if none match, or the search would take too
/// long.
pub(super) fn corrected(
    mut bytes: Vec<u8>,
    expected: Digest,
    unsure: &[usize],
    missing: &[(usize, usize)],
) -> Option<Vec<u8>> {
    if Digest::of(&bytes) == expected {
        return Some(bytes);
    }
    let starts: Vec<usize> =
        std::iter::once(0).chain(memchr::memchr_iter(b'\n', &bytes).map(|end| end + 1)).collect();
    let place = |line: usize, at: usize| Some((starts.get(line)?.checked_add(at)?, digits(at)));
    let mut search =
        Search { expected, left: HASHED_BYTES_MAX.checked_div(bytes.len()).unwrap_or(0) };
    if !missing.is_empty() {
        let places: Option<Vec<_>> = missing.iter().map(|(line, at)| place(*line, *at)).collect();
        return search.all(&mut bytes, &places?).then_some(bytes);
    }
    for line in unsure {
        let (end, _) = place(*line, WRITER.end)?;
        let writer = if bytes.get(end) == Some(&b'_') { WRITER } else { WRITER_NUMBERED };
        for at in TIME.chain(writer) {
            if search.all(&mut bytes, &[place(*line, at)?]) {
                return Some(bytes);
            }
        }
    }
    None
}

fn digits(at: usize) -> &'static [u8] {
    if TIME.contains(&at) { b"0123456789" } else { b"0123456789abcdef" }
}

struct Search {
    expected: Digest,
    /// The number of times that all bytes may still be hashed.
    left: usize,
}

impl Search {
    /// Tries all digits in all places. Restores them if none match.
    fn all(&mut self, bytes: &mut [u8], places: &[(usize, &[u8])]) -> bool {
        let Some(((at, digits), rest)) = places.split_first() else {
            self.left -= 1;
            return Digest::of(bytes) == self.expected;
        };
        let Some(was) = bytes.get(*at).copied() else { return false };
        for digit in *digits {
            if self.left == 0 {
                break;
            }
            if let Some(byte) = bytes.get_mut(*at) {
                *byte = *digit;
            }
            if self.all(bytes, rest) {
                return true;
            }
        }
        if let Some(byte) = bytes.get_mut(*at) {
            *byte = was;
        }
        false
    }
}
