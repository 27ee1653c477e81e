//! Finds again what an index was: from what is left of it, and from what its digest proves.

use super::{Index, Line};
use crate::batch::BatchRecord;
use crate::manifest::SegmentRecord;
use crate::names::{BatchName, Digest};

/// The largest index of which each single byte is tried: about 50 lines, and a second or two.
const TRIED_BYTES_MAX: usize = 8 * 1024;

/// The bytes of an index of which one byte, or one line, was changed. None if that is not found.
pub(crate) fn mended(segment: &SegmentRecord, bytes: &[u8]) -> Option<Vec<u8>> {
    let expected = segment.index?;
    let mended = one_line(segment, bytes).filter(|mended| Digest::of(mended) == expected);
    mended.or_else(|| one_byte(bytes, expected))
}

/// The names of the batches that an index lists, without a record to check them against.
pub(crate) fn batches_of(bytes: &[u8]) -> Option<Vec<BatchName>> {
    let lines = bytes.strip_suffix(b"\n")?.split(|&byte| byte == b'\n');
    lines.map(|line| record(line).map(|record| record.name)).collect()
}

fn record(line: &[u8]) -> Option<BatchRecord> {
    serde_json::from_slice::<Line<'_>>(line).ok()?.record().ok()
}

/// With the one line that cannot be read made anew: its batch's name tells events and digest, and the
/// other lines how many of the segment's bytes are left for it.
fn one_line(segment: &SegmentRecord, bytes: &[u8]) -> Option<Vec<u8>> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let lines: Vec<_> = bytes.split(|&byte| byte == b'\n').collect();
    let records: Vec<_> = lines.iter().map(|line| record(line)).collect();
    let mut unread = records.iter().enumerate().filter(|(_, record)| record.is_none());
    let (at, _) = unread.next().filter(|_| unread.next().is_none())?;
    let others = records.iter().flatten().try_fold(0_u64, |sum, r| sum.checked_add(r.bytes))?;
    let text = std::str::from_utf8(lines.get(at)?).ok()?;
    let start = text.find("batch_")?;
    let length = text.get(start..)?.find(".jsonl")?.checked_add(".jsonl".len())?;
    let name = BatchName::parse(text.get(start..start.checked_add(length)?)?)?;
    let origin = name.origin?;
    let left = segment.bytes.checked_sub(others)?;
    let line = BatchRecord::whole(name, origin.events, left, origin.digest);
    let batches = records.into_iter().map(|record| record.unwrap_or(line)).collect();
    Index::new(batches).encode().ok()
}

/// With one byte changed back, whichever it is.
fn one_byte(bytes: &[u8], expected: Digest) -> Option<Vec<u8>> {
    if bytes.len() > TRIED_BYTES_MAX {
        return None;
    }
    let mut tried = bytes.to_vec();
    for at in 0..tried.len() {
        let was = *tried.get(at)?;
        for value in b' '..=b'~' {
            *tried.get_mut(at)? = value;
            if Digest::of(&tried) == expected {
                return Some(tried);
            }
        }
        *tried.get_mut(at)? = was;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::seal;
    use crate::manifest::tests::segment_record;
    use crate::names::{BatchTime, WriterId};

    #[test]
    fn index_with_one_byte_changed_is_found_again() {
        let record = |time, lines: &[u8], events| {
            let name = seal(BatchTime::new(time).unwrap(), WriterId(9), &lines.to_vec());
            BatchRecord::whole(name, events, lines.len().try_into().unwrap(), Digest::of(lines))
        };
        let index = Index::new(vec![record(1, b"a\nb\n", 2), record(2, b"c\n", 1)]);
        let good = index.encode().unwrap();
        let segment = SegmentRecord { index: Some(Digest::of(&good)), ..segment_record(3, 6) };
        for at in (0..good.len()).step_by(7) {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert_eq!(mended(&segment, &bad), Some(good.clone()), "byte {at}");
        }
        let other = SegmentRecord { index: Some(Digest(0)), ..segment };
        assert_eq!(mended(&other, &good), None);
    }
}
