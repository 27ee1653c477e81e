//! Records of segments and batches that fit arbitrary bytes.

use arbitrary::{Result, Unstructured};

use crate::format::batch::BatchRecord;
use crate::format::manifest::SegmentRecord;
use crate::format::names::{
    BatchName, BatchTime, CommitId, Digest, Generation, Origin, SegmentName, Sequence, WriterId,
};

/// A number as 64 bits.
pub(super) fn wide(count: usize) -> u64 {
    count.try_into().unwrap()
}

/// The record of a segment with these batches. Sums beyond 64 bits wrap.
pub(super) fn segment_of(batches: &[BatchRecord], position: u64) -> SegmentRecord {
    let sum = |field: fn(&BatchRecord) -> u64| batches.iter().map(field).fold(0, u64::wrapping_add);
    let times = || batches.iter().map(|batch| batch.name.time);
    SegmentRecord {
        name: SegmentName { generation: Generation(1), commit_id: CommitId(0xa), part: 0 },
        position,
        batches: wide(batches.len()),
        events: sum(|batch| batch.events),
        lost: sum(BatchRecord::events_lost),
        bytes: sum(|batch| batch.bytes),
        first_time: times().min().unwrap_or_default(),
        last_time: times().max().unwrap_or_default(),
        index: None,
    }
}

/// Packed lines: a few short events.
pub(super) fn packed(u: &mut Unstructured<'_>, events_max: usize) -> Result<Vec<u8>> {
    let mut lines = Vec::new();
    for _ in 0..u.int_in_range(0..=events_max)? {
        for _ in 0..u.int_in_range(1..=6)? {
            let byte = u.arbitrary()?;
            lines.push(if byte == b'\n' { b' ' } else { byte });
        }
        lines.push(b'\n');
    }
    Ok(lines)
}

/// The events of packed lines.
pub(super) fn events_of(lines: &[u8]) -> u64 {
    wide(lines.iter().filter(|&&byte| byte == b'\n').count())
}

/// The name that a writer gives packed lines.
pub(super) fn sealed(
    time: u64,
    writer: u64,
    sequence: Option<Sequence>,
    lines: &[u8],
) -> BatchName {
    let (events, digest) = (events_of(lines), Digest::of(lines));
    let origin = Origin { writer: WriterId(writer), sequence, events, digest };
    BatchName { time: BatchTime::new(time).unwrap(), origin: Some(origin) }
}

/// The place of a batch of this time among those of its writer.
pub(super) fn sequence(u: &mut Unstructured<'_>, time: u64) -> Result<Sequence> {
    let number = if time == 0 { 0 } else { u.int_in_range(0..=12)? };
    let gap = if number == 0 { 0 } else { u.int_in_range(1..=time)? };
    Ok(Sequence { number, gap, waiting: u.int_in_range(0..=number)? })
}

/// A batch in a segment, and its bytes there: whole, legacy, trimmed, or lost.
pub(super) fn stored(u: &mut Unstructured<'_>, time: u64) -> Result<(BatchRecord, Vec<u8>)> {
    let mut lines = packed(u, 5)?;
    let sequence = match u.arbitrary()? {
        true => Some(sequence(u, time)?),
        false => None,
    };
    let name = sealed(time, u.int_in_range(0..=2)?, sequence, &lines);
    let whole = |name, lines: &[u8]| {
        BatchRecord::whole(name, events_of(lines), wide(lines.len()), Digest::of(lines))
    };
    let kind = u.int_in_range(0..=7)?;
    if kind == 0 || lines.is_empty() {
        return Ok((whole(BatchName { origin: None, ..name }, &lines), lines));
    }
    let record = match kind {
        1 => {
            lines.clear();
            let digest = Digest::of(b"");
            BatchRecord { lost: true, ..BatchRecord::whole(name, name.events(), 0, digest) }
        }
        2 if name.events() > 1 => {
            let end = lines.iter().position(|&byte| byte == b'\n').unwrap();
            lines.drain(..=end);
            BatchRecord { trimmed: 1, ..whole(name, &lines) }
        }
        _ => whole(name, &lines),
    };
    Ok((record, lines))
}

impl BatchName {
    fn events(&self) -> u64 {
        self.origin.map_or(0, |origin| origin.events)
    }
}
