//! Reads the legible lines of a damaged index.

use super::Line;
use crate::format::batch::BatchRecord;

/// More batches than any index has.
pub(super) const BATCHES_MAX: usize = 1 << 17;

/// The records of an index, without a manifest's record to check them against.
pub(crate) fn batches_of(bytes: &[u8]) -> Option<Vec<BatchRecord>> {
    let lines = bytes.strip_suffix(b"\n")?.split(|&byte| byte == b'\n');
    lines.map(record).collect()
}

fn record(line: &[u8]) -> Option<BatchRecord> {
    serde_json::from_slice::<Line<'_>>(line).ok()?.record().ok()
}
