//! Reads the lines of a damaged index that can still be read.

use super::Line;
use crate::format::batch::BatchRecord;
use crate::format::names::BatchName;

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
