//! Reads the legible lines of a damaged index.

use super::Line;
use crate::format::batch::BatchRecord;
use crate::format::names::BatchName;

/// More batches than any index has.
pub(super) const BATCHES_MAX: usize = 1 << 17;

/// The records of an index, without a manifest's record to check them against.
pub(crate) fn batches_of(bytes: &[u8]) -> Option<Vec<BatchRecord>> {
    let lines = bytes.strip_suffix(b"\n")?.split(|&byte| byte == b'\n');
    lines.map(record).collect()
}

/// The names of the batches with events, in the legible lines of an index.
pub(crate) fn readable_batches(bytes: &[u8]) -> impl Iterator<Item = BatchName> {
    let records = bytes.split(|&byte| byte == b'\n').filter_map(record);
    records.filter(|record| record.events > 0).map(|record| record.name)
}

fn record(line: &[u8]) -> Option<BatchRecord> {
    serde_json::from_slice::<Line<'_>>(line).ok()?.record().ok()
}
