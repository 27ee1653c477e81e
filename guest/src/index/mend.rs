//! Finds again what bytes were of which one was changed, by a digest of them.

use super::Line;
use crate::batch::BatchRecord;
use crate::names::{BatchName, Digest};

/// Bytes that are hashed in search of what was changed: a few seconds.
pub(super) const HASHED_BYTES_MAX: usize = 1 << 30;

/// More batches than any index has.
pub(super) const BATCHES_MAX: usize = 1 << 17;

/// What an index says of its batches, without a record to check it against.
pub(crate) fn batches_of(bytes: &[u8]) -> Option<Vec<BatchRecord>> {
    let lines = bytes.strip_suffix(b"\n")?.split(|&byte| byte == b'\n');
    lines.map(record).collect()
}

/// The names of the batches that have events, in those lines of an index that can be read.
pub(crate) fn readable_batches(bytes: &[u8]) -> impl Iterator<Item = BatchName> {
    let records = bytes.split(|&byte| byte == b'\n').filter_map(record);
    records.filter(|record| record.events > 0).map(|record| record.name)
}

fn record(line: &[u8]) -> Option<BatchRecord> {
    serde_json::from_slice::<Line<'_>>(line).ok()?.record().ok()
}

/// The bytes with one of them changed back, whichever it is. None if that is not found, or takes too
/// long.
pub(crate) fn one_byte(bytes: &[u8], expected: Digest) -> Option<Vec<u8>> {
    let printable = b' '..=b'~';
    let tries = bytes.len().checked_mul(printable.len())?;
    if tries.checked_mul(bytes.len())? > HASHED_BYTES_MAX {
        return None;
    }
    let mut tried = bytes.to_vec();
    for at in 0..tried.len() {
        let was = *tried.get(at)?;
        for value in printable.clone().chain([b'\n']) {
            *tried.get_mut(at)? = value;
            if Digest::of(&tried) == expected {
                return Some(tried);
            }
        }
        *tried.get_mut(at)? = was;
    }
    None
}
