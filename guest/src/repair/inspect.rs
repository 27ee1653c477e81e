//! Finds what is damaged in the segments and live batches of a log, as little as can be told apart.
//!
//! 1. A segment is read once, in one piece, whatever is damaged in it: its index tells where each
//!    batch stands.
//! 2. Neighbouring batches that can be read are copied in one piece.

use std::collections::BTreeSet;

use super::Sources;
use super::measured::{Damaged, damaged_batches};
use crate::batch::BatchRecord;
use crate::error::{Damage, Error};
use crate::index::Index;
use crate::manifest::SegmentRecord;
use crate::mutants::{self, Mutant};
use crate::names::{BatchName, Digest, ObjectName};
use crate::part::{Part, Slice};
use crate::parts::{Interrupted, PartsRead};
use crate::ports::Store;
use crate::segment_writer::Source;
use crate::stored_log::StoredLog;
use crate::view::{ListedBatch, View};

/// A damaged object, and the batches in it that cannot be read.
pub(super) struct Loss {
    pub(super) object: ObjectName,
    pub(super) damage: Damage,
    pub(super) batches: BTreeSet<BatchName>,
    pub(super) events: u64,
}

/// What was found.
#[derive(Default)]
pub(super) struct Inspected {
    /// By the number of the segment in the manifest.
    pub(super) segments: Vec<(usize, Loss)>,
    /// In the order of their names.
    pub(super) live: Vec<Loss>,
}

/// Reads everything. None if an object has gone: somebody has compacted.
pub(super) fn inspect<S: Store>(
    stored: &mut StoredLog<S>,
    view: &View,
) -> Result<Option<Inspected>, Error> {
    let mut inspected = Inspected::default();
    for (number, segment) in view.segments().iter().enumerate() {
        let Some(index) = stored.index_of(segment)? else { return Ok(None) };
        if let Some(loss) = segment_loss(stored, segment, &index)? {
            inspected.segments.push((number, loss));
        }
    }
    let mut parts: Vec<_> = view.live.iter().map(|batch| Part::Batch(*batch)).collect();
    while !parts.is_empty() {
        match first_fault(stored, parts)? {
            None => break,
            Some((Fault::Damaged(damage), mut rest)) => {
                if let Some(Part::Batch(batch)) = rest.first() {
                    inspected.live.push(Loss {
                        object: ObjectName::Batch(batch.name),
                        damage,
                        batches: BTreeSet::from([batch.name]),
                        events: batch.name.origin.map_or(0, |origin| origin.events),
                    });
                }
                rest.drain(..rest.len().min(1));
                parts = rest;
            }
            Some((Fault::Gone, _)) => return Ok(None),
        }
    }
    Ok(Some(inspected))
}

enum Fault {
    Damaged(Damage),
    Gone,
}

/// Reads parts up to the first that cannot be read; returns it, with those behind it.
fn first_fault<S: Store>(
    stored: &StoredLog<S>,
    parts: Vec<Part>,
) -> Result<Option<(Fault, Vec<Part>)>, Error> {
    let mut read = PartsRead::new(stored.store.clone(), stored.name.clone(), parts);
    loop {
        let fault = match read.next() {
            Ok(Some(_)) => continue,
            Ok(None) => return Ok(None),
            Err(Interrupted::Failed(Error::Damaged(damage))) => Fault::Damaged(damage),
            Err(Interrupted::Failed(error)) => return Err(error),
            Err(Interrupted::Gone(_)) => Fault::Gone,
        };
        let (rest, _) = read.rest();
        return Ok(Some((fault, rest)));
    }
}

/// What of a segment cannot be read.
fn segment_loss<S: Store>(
    stored: &StoredLog<S>,
    segment: &SegmentRecord,
    index: &Index,
) -> Result<Option<Loss>, Error> {
    let damage = |expected: String, found: String| {
        Damage::new(segment.name, expected, found).with_key(&stored.name)
    };
    let Damaged { mut batches, first, size } = damaged_batches(stored, segment, index)?;
    let size_is_wrong = match size {
        None => {
            let expected = "an object that the manifest names".to_owned();
            Some(damage(expected, "no such object".to_owned()))
        }
        Some(size) if size != segment.bytes => {
            let expected = format!("{} bytes, as the manifest says", segment.bytes);
            Some(damage(expected, format!("{size} bytes")))
        }
        Some(_) => None,
    };
    let first = first.map(|found| found.with_key(&stored.name));
    let Some(damage) = size_is_wrong.or(first) else { return Ok(None) };
    if mutants::is(Mutant::LoseWhole) {
        batches.extend(index.batches.iter().map(|batch| batch.name));
    }
    let lost = index.batches.iter().filter(|batch| batches.contains(&batch.name));
    let events = lost.map(|batch| batch.events).fold(0, u64::saturating_add);
    let object = ObjectName::Segment(segment.name);
    Ok(Some(Loss { object, damage, batches, events }))
}

/// What is left of a batch whose bytes are lost.
fn record_of_lost(batch: &BatchRecord) -> BatchRecord {
    BatchRecord { bytes: 0, digest: Digest::of(b""), lost: true, ..*batch }
}

/// What a segment is copied from, without what cannot be read or was trimmed. The batch that the first
/// position cuts is cut as it is copied.
pub(super) fn sources_of(
    segment: &SegmentRecord,
    index: &Index,
    loss: &Loss,
    first_position: u64,
) -> Sources {
    let mut sources = Vec::new();
    let mut group: Option<Slice> = None;
    let (mut position, mut offset) = (segment.position, 0_u64);
    for batch in &index.batches {
        let end = offset.saturating_add(batch.bytes);
        let next_position = position.saturating_add(batch.events);
        let is_lost = loss.batches.contains(&batch.name);
        let is_trimmed = segment.position < first_position && next_position <= first_position;
        if is_trimmed && group.is_none() && sources.is_empty() {
            // Nothing of it is left.
        } else if is_lost || batch.bytes == 0 {
            sources.extend(group.take().map(slice));
            let trimmed = first_position.saturating_sub(position);
            let lost = if is_lost { record_of_lost(batch) } else { *batch };
            sources.push(Source::Lost(BatchRecord {
                events: lost.events.saturating_sub(trimmed),
                trimmed: lost.trimmed.saturating_add(trimmed),
                ..lost
            }));
        } else {
            let group = group.get_or_insert_with(|| Slice {
                segment: *segment,
                batches: Vec::new(),
                position,
                range: offset..offset,
            });
            group.batches.push(*batch);
            group.range.end = end;
        }
        offset = end;
        position = next_position;
    }
    sources.extend(group.map(slice));
    sources
}

fn slice(slice: Slice) -> Source {
    Source::Parts(vec![Part::Slice(slice)])
}

/// What live batches are copied from, without those that cannot be read.
pub(super) fn sources_of_live(batches: &[ListedBatch], losses: &[Loss]) -> Sources {
    let lost: BTreeSet<_> = losses.iter().flat_map(|loss| &loss.batches).collect();
    let mut sources = Vec::new();
    let mut group: Vec<Part> = Vec::new();
    for batch in batches {
        match batch.name.origin {
            Some(origin) if lost.contains(&batch.name) => {
                sources.push(Source::Parts(std::mem::take(&mut group)));
                let whole = BatchRecord::whole(batch.name, origin.events, 0, origin.digest);
                sources.push(Source::Lost(record_of_lost(&whole)));
            }
            _ => group.push(Part::Batch(*batch)),
        }
    }
    sources.push(Source::Parts(group));
    sources
}
