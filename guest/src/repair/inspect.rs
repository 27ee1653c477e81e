//! Finds what is damaged in the segments and live batches of a log, as little as can be told apart.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::Sources;
use crate::batch::BatchRecord;
use crate::error::{Damage, Error};
use crate::index::Index;
use crate::manifest::SegmentRecord;
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
            Some((Fault::Gone(_), _)) => return Ok(None),
        }
    }
    Ok(Some(inspected))
}

enum Fault {
    Damaged(Damage),
    Gone(ObjectName),
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
            Err(Interrupted::Gone(part)) => Fault::Gone(part.name()),
        };
        let (rest, _) = read.rest();
        return Ok(Some((fault, rest)));
    }
}

/// What of a segment cannot be read.
fn segment_loss<S: Store>(
    stored: &StoredLog<S>,
    segment: &SegmentRecord,
    index: &Rc<Index>,
) -> Result<Option<Loss>, Error> {
    let parts = vec![Part::Index(*segment), Part::Segment(*segment)];
    let damage = match first_fault(stored, parts)? {
        None => return Ok(None),
        Some((Fault::Damaged(damage), _)) => damage,
        Some((Fault::Gone(object), _)) => {
            let damage = Damage::new(object, "an object that the manifest names", "no such object");
            damage.with_key(&stored.name)
        }
    };
    // Batch by batch: what can be read is kept.
    let mut lost = Loss {
        object: ObjectName::Segment(segment.name),
        damage,
        batches: BTreeSet::new(),
        events: 0,
    };
    for slice in slices(segment, index, |batch| !batch.lost && batch.bytes > 0) {
        let Some(batch) = slice.batches.first().copied() else { continue };
        if first_fault(stored, vec![Part::Slice(slice)])?.is_some() {
            lost.batches.insert(batch.name);
            lost.events = lost.events.saturating_add(batch.events);
        }
    }
    Ok(Some(lost))
}

/// Each batch of a segment that is wanted, by itself.
fn slices<'a>(
    segment: &'a SegmentRecord,
    index: &'a Index,
    wanted: impl Fn(&BatchRecord) -> bool + 'a,
) -> impl Iterator<Item = Slice> + 'a {
    let (mut position, mut offset) = (segment.position, 0_u64);
    index.batches.iter().filter_map(move |batch| {
        let start = offset;
        let first = position;
        offset = offset.saturating_add(batch.bytes);
        position = position.saturating_add(batch.events);
        wanted(batch).then(|| Slice {
            segment: *segment,
            batches: vec![*batch],
            position: first,
            range: start..offset,
        })
    })
}

/// What is left of a batch whose bytes are lost.
fn record_of_lost(batch: &BatchRecord) -> BatchRecord {
    BatchRecord { bytes: 0, digest: Digest::of(b""), lost: true, ..*batch }
}

/// What a segment is copied from, without what cannot be read.
pub(super) fn sources_of(segment: &SegmentRecord, index: &Index, loss: &Loss) -> Sources {
    let is_lost = |batch: &BatchRecord| batch.lost || loss.batches.contains(&batch.name);
    let mut whole = slices(segment, index, |_| true);
    let sources = index.batches.iter().filter_map(|batch| {
        let slice = whole.next()?;
        if is_lost(batch) {
            return Some(Source::Lost(record_of_lost(batch)));
        }
        Some(if batch.bytes == 0 {
            Source::Lost(*batch)
        } else {
            Source::Parts(vec![Part::Slice(slice)])
        })
    });
    sources.collect()
}

/// What live batches are copied from, without those that cannot be read.
pub(super) fn sources_of_live(batches: &[ListedBatch], losses: &[Loss]) -> Sources {
    let lost: BTreeSet<_> = losses.iter().flat_map(|loss| &loss.batches).collect();
    let sources = batches.iter().map(|batch| match batch.name.origin {
        Some(origin) if lost.contains(&batch.name) => {
            let whole = BatchRecord::whole(batch.name, origin.events, 0, origin.digest);
            Source::Lost(record_of_lost(&whole))
        }
        _ => Source::Parts(vec![Part::Batch(*batch)]),
    });
    sources.collect()
}
