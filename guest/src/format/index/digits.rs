//! Finds what the lines of an index leave open by the digest of all its bytes: illegible digits of
//! times and writers, one wrong digit, and what batches waited for. The rest of a line follows from
//! the segment.

use std::ops::Range;

use crate::format::batch::BatchRecord;
use crate::format::byte_search::HASHED_BYTES_MAX;
use crate::format::names::{Digest, Sequence};
use crate::limits::CREATES_MAX;

/// The beginning of a line.
pub(super) const BEGIN: &[u8] = br#"{"batch":""#;

/// The columns of the time in a line.
pub(super) const TIME: Range<usize> = 16..35;
/// The columns of the writer in the line of an unnumbered batch, and of a numbered one.
pub(super) const WRITER: Range<usize> = 36..44;
pub(super) const WRITER_NUMBERED: Range<usize> = 36..52;

/// A part of a line that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Open {
    /// The digit of a time or a writer in this column.
    Digit(usize),
    /// The number of batches that a numbered one waited for.
    Waiting,
}

/// Returns the bytes that have the digest: the given ones, or with other values in open parts, or
/// with one digit of an unsure line replaced. None if none match, or the search would take too
/// long.
pub(super) fn corrected(
    mut bytes: Vec<u8>,
    expected: Digest,
    batches: &[BatchRecord],
    unsure: &[usize],
    open: &[(usize, Open)],
) -> Option<Vec<u8>> {
    let starts: Vec<usize> =
        std::iter::once(0).chain(memchr::memchr_iter(b'\n', &bytes).map(|end| end + 1)).collect();
    let place = |line: usize, open: Open| {
        let batch = batches.get(line)?;
        Place::of(*starts.get(line)?, batch, open)
    };
    let mut open: Vec<_> = open.iter().filter_map(|(line, open)| place(*line, *open)).collect();
    // A change of length moves only what comes behind it, which was changed before.
    open.sort_unstable_by_key(|place| std::cmp::Reverse(place.at));
    for changes in 0..=open.len() {
        let mut search = Search::new(&bytes, expected);
        if search.with(&mut bytes, &open, changes) {
            return Some(bytes);
        }
        if search.left == 0 {
            break;
        }
    }
    let mut search = Search::new(&bytes, expected);
    for line in unsure {
        let sequence = batches.get(*line)?.name.origin.and_then(|origin| origin.sequence);
        let writer = if sequence.is_some() { WRITER_NUMBERED } else { WRITER };
        for column in TIME.chain(writer) {
            if search.with(&mut bytes, &[place(*line, Open::Digit(column))?], 1) {
                return Some(bytes);
            }
        }
    }
    None
}

/// A part of the bytes that may have other values.
struct Place {
    at: usize,
    length: usize,
    options: Vec<String>,
}

impl Place {
    fn of(start: usize, batch: &BatchRecord, open: Open) -> Option<Self> {
        match open {
            Open::Digit(column) => {
                let digits = if TIME.contains(&column) { "0123456789" } else { "0123456789abcdef" };
                let options = digits.chars().map(String::from).collect();
                Some(Self { at: start.checked_add(column)?, length: 1, options })
            }
            Open::Waiting => {
                let Sequence { number, gap, waiting } = batch.name.origin?.sequence?;
                let before = format!("_{number}_{gap}_").len();
                let at = start.checked_add(WRITER_NUMBERED.end)?.checked_add(before)?;
                let options = (0..CREATES_MAX.min(number.saturating_add(1))).map(|n| n.to_string());
                Some(Self { at, length: waiting.to_string().len(), options: options.collect() })
            }
        }
    }
}

struct Search {
    expected: Digest,
    /// The number of times that all bytes may still be hashed.
    left: usize,
}

impl Search {
    fn new(bytes: &[u8], expected: Digest) -> Self {
        Self { expected, left: HASHED_BYTES_MAX.checked_div(bytes.len()).unwrap_or(0) }
    }

    /// Tries all values of this many of the places. Restores them if none match.
    fn with(&mut self, bytes: &mut Vec<u8>, places: &[Place], changes: usize) -> bool {
        let Some(changes) = changes.checked_sub(1) else {
            let is_left = self.left > 0;
            self.left = self.left.saturating_sub(1);
            return is_left && Digest::of(bytes) == self.expected;
        };
        for (number, place) in places.iter().enumerate() {
            let Some(was) = bytes.get(place.at..place.at + place.length) else { return false };
            let was = was.to_vec();
            let rest = places.get(number + 1..).unwrap_or_default();
            for option in place.options.iter().filter(|option| option.as_bytes() != was) {
                if self.left == 0 || rest.len() < changes {
                    return false;
                }
                bytes.splice(place.at..place.at + place.length, option.bytes());
                if self.with(bytes, rest, changes) {
                    return true;
                }
                bytes.splice(place.at..place.at + option.len(), was.iter().copied());
            }
        }
        false
    }
}
