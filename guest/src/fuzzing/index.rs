//! Indexes: one is accepted exactly when its lines fit the manifest's record, and is then written
//! back as it was read.

use std::collections::BTreeSet;

use super::objects::{segment_of, wide};
use crate::format::batch::BatchRecord;
use crate::format::index::{Index, batches_of};
use crate::format::manifest::SegmentRecord;
use crate::format::names::{BatchTime, Digest};

/// Takes a byte that says how the segment's record differs from the lines, then an index.
pub fn index(data: &[u8]) {
    let Some((&mode, text)) = data.split_first() else { return };
    let batches = batches_of(text);
    let record = record_for(mode, text, batches.as_deref().unwrap_or_default());
    let expected = match &batches {
        Some(batches) if record.index.is_none_or(|digest| digest == Digest::of(text)) => {
            fits(&record, batches)
        }
        _ => false,
    };
    let decoded = match Index::decode(&record, text) {
        Ok(decoded) => decoded,
        Err(damage) => {
            assert!(!expected, "{damage}");
            return assert_eq!(damage.object, record.name.index().to_string());
        }
    };
    assert!(expected, "{record:?}");
    assert_eq!(Some(&decoded.batches), batches.as_ref());
    check_accepted(&record, &decoded);
    check_change(mode, &record, text);
}

/// The record of the segment with these batches, with one field changed if the byte says so.
fn record_for(mode: u8, text: &[u8], batches: &[BatchRecord]) -> SegmentRecord {
    let trimmed = batches.iter().map(|batch| batch.trimmed).max();
    let fitting = segment_of(batches, trimmed.unwrap_or(0));
    let index = match mode % 4 {
        0 => None,
        1 | 2 => Some(Digest::of(text)),
        _ => Some(Digest(7)),
    };
    let fitting = SegmentRecord { index, ..fitting };
    let later = |time: BatchTime| time.next(0).unwrap_or_default();
    match mode / 4 % 16 {
        1 => SegmentRecord { events: fitting.events.wrapping_add(1), ..fitting },
        2 => SegmentRecord { bytes: fitting.bytes.wrapping_sub(1), ..fitting },
        3 => SegmentRecord { lost: fitting.lost.wrapping_add(1), ..fitting },
        4 => SegmentRecord { batches: fitting.batches.wrapping_add(1), ..fitting },
        5 => SegmentRecord { first_time: later(fitting.first_time), ..fitting },
        6 => SegmentRecord { last_time: later(fitting.last_time), ..fitting },
        7 => SegmentRecord { position: 0, ..fitting },
        8 => SegmentRecord { position: u64::MAX - fitting.events, ..fitting },
        9 => SegmentRecord { position: u64::MAX, ..fitting },
        _ => fitting,
    }
}

/// Returns true if the batches are those of the record.
fn fits(record: &SegmentRecord, batches: &[BatchRecord]) -> bool {
    let sum = |field: fn(&BatchRecord) -> u64| batches.iter().map(|b| u128::from(field(b))).sum();
    let sums: [u128; 3] = [sum(|b| b.events), sum(|b| b.bytes), sum(BatchRecord::events_lost)];
    let times = || batches.iter().map(|batch| batch.name.time);
    let names: BTreeSet<String> = batches.iter().map(|batch| batch.name.to_string()).collect();
    let mut position = u128::from(record.position);
    let trimmed_fit = batches.iter().all(|batch| {
        let fits = u128::from(batch.trimmed) <= position;
        position += u128::from(batch.events);
        fits
    });
    sums == [record.events, record.bytes, record.lost].map(u128::from)
        && wide(batches.len()) == record.batches
        && times().min() == Some(record.first_time)
        && times().max() == Some(record.last_time)
        && names.len() == batches.len()
        && trimmed_fit
        && position <= u128::from(u64::MAX)
}

fn check_accepted(record: &SegmentRecord, decoded: &Index) {
    assert!(decoded.batches.iter().all(|batch| decoded.contains(&batch.name)));
    let mut next = record.position;
    for (batch, positions) in decoded.positions(record) {
        assert_eq!(next.checked_sub(batch.trimmed), Some(positions.start));
        next = positions.end;
    }
    assert_eq!(next, record.end());
    let bytes = decoded.encode().unwrap();
    let written = SegmentRecord { index: Some(Digest::of(&bytes)), ..*record };
    let again = Index::decode(&written, &bytes).unwrap();
    assert_eq!(&again, decoded);
    assert_eq!(again.encode().unwrap(), bytes);
}

/// One changed byte is refused where the record has the digest.
fn check_change(mode: u8, record: &SegmentRecord, text: &[u8]) {
    let mut changed = text.to_vec();
    let at = text.len() * usize::from(mode) / 256;
    changed[at] ^= 1 << (mode % 8);
    assert!(record.index.is_none() || Index::decode(record, &changed).is_err());
}
