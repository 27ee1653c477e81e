//! Finds what is damaged in the segments and live batches of a log, as little as can be told apart.
//!
//! 1. A segment is read once, in one piece, whatever is damaged in it: its index tells where each
//!    batch stands.
//! 2. Neighbouring batches that can be read are copied in one piece.
//! 3. What a listing alone says is damaged is asked for, and looked at again.
//! 4. A batch counts as lost only if no whole copy of it is found anywhere.

use std::collections::{BTreeMap, BTreeSet};

use super::copies::Copies;
use super::doubt::{self, Extent};
use super::intruders::Intruders;
use super::measured::{Damaged, damaged_batches};
use super::{Action, Sources, Step, live};
use crate::batch::BatchRecord;
use crate::batch_copy::BatchCopy;
use crate::error::{Damage, Error};
use crate::index::Index;
use crate::manifest::SegmentRecord;
use crate::mutants::{self, Mutant};
use crate::names::{BatchName, Digest, Generation, ObjectName, SegmentName};
use crate::part::{Part, Slice};
use crate::ports::Store;
use crate::segment_writer::Source;
use crate::stored_log::StoredLog;
use crate::view::{ListedBatch, View};

/// A damaged object, and the batches in it that cannot be read.
pub(super) struct Loss {
    pub(super) object: ObjectName,
    pub(super) damage: Damage,
    pub(super) action: Action,
    /// As they are to stand in the log.
    pub(super) batches: BTreeMap<BatchName, BatchRecord>,
    /// Where those of them stand whole that are not lost.
    pub(super) copies: BTreeMap<BatchName, BatchCopy>,
}

/// What was found.
#[derive(Default)]
pub(super) struct Inspected {
    /// By the number of the segment in the manifest.
    pub(super) segments: Vec<(usize, Loss)>,
    /// Live batches that get positions, in the order of their names.
    pub(super) live: Vec<Loss>,
    /// Objects under the names of live batches that never were batches.
    pub(super) foreign: Vec<Loss>,
    /// What stays as it is.
    pub(super) left: Vec<Loss>,
    /// Listed objects that may be of use for what is lost.
    pub(super) holders: BTreeSet<ObjectName>,
}

impl Loss {
    /// Of an object of which nothing is needed.
    pub(super) fn of(object: ObjectName, damage: Damage, action: Action) -> Self {
        let (batches, copies) = (BTreeMap::new(), BTreeMap::new());
        Self { object, damage, action, batches, copies }
    }

    /// The batches of which there is no whole copy.
    fn lost(&self) -> impl Iterator<Item = &BatchRecord> {
        self.batches.values().filter(|batch| !self.copies.contains_key(&batch.name))
    }

    pub(super) fn step(&self) -> Step {
        let events = self.lost().map(|batch| batch.events);
        Step {
            damage: self.damage.clone(),
            action: self.action.clone(),
            events_lost: events.fold(0, u64::saturating_add),
        }
    }

    /// What a batch whose first event has this position is copied from, if it cannot be read in its
    /// place.
    fn source(&self, batch: &BatchName, position: Option<u64>) -> Option<Source> {
        let record = self.batches.get(batch)?;
        Some(match self.copies.get(batch) {
            Some(copy) => Source::Copy(BatchCopy { position, ..copy.clone() }),
            None => Source::Lost(record_of_lost(record)),
        })
    }
}

impl Inspected {
    /// All that was found.
    pub(super) fn losses(&self) -> impl Iterator<Item = &Loss> {
        let segments = self.segments.iter().map(|(_, loss)| loss);
        segments.chain(&self.foreign).chain(&self.live).chain(&self.left)
    }

    /// Looks for copies of what cannot be read.
    fn find_copies<S: Store>(&mut self, stored: &StoredLog<S>, view: &View) -> Result<(), Error> {
        let batches = self.losses().flat_map(|loss| loss.batches.keys().copied());
        let copies = Copies::of(stored, view, &batches.collect())?;
        let segments = self.segments.iter_mut().map(|(_, loss)| loss);
        for loss in segments.chain(&mut self.live) {
            for record in loss.batches.values() {
                if let Some(copy) = copies.of_batch(&stored.store, record)? {
                    loss.copies.insert(record.name, copy);
                }
            }
        }
        let lost = self.losses().flat_map(Loss::lost).map(|batch| batch.name);
        self.holders = copies.holders(&lost.collect());
        Ok(())
    }
}

/// Reads everything, but for the segments that are left out. None if an object has gone: somebody has
/// compacted.
pub(super) fn inspect<S: Store>(
    stored: &mut StoredLog<S>,
    view: &View,
    left_out: &BTreeSet<SegmentName>,
    intruders: &Intruders,
) -> Result<Option<Inspected>, Error> {
    let mut inspected = Inspected::default();
    for (number, segment) in view.segments().iter().enumerate() {
        if left_out.contains(&segment.name) {
            continue;
        }
        let Some(index) = stored.index_of(segment)? else { return Ok(None) };
        match segment_loss(stored, view, segment, &index)? {
            Inspection::Whole => {}
            Inspection::Damaged(loss) => inspected.segments.push((number, *loss)),
            Inspection::Overtaken => return Ok(None),
        }
    }
    if !live::inspect(stored, view, intruders.first_batch(), &mut inspected)? {
        return Ok(None);
    }
    inspected.find_copies(stored, view)?;
    Ok(Some(inspected))
}

/// How it is with an object.
pub(super) enum Inspection {
    Whole,
    Damaged(Box<Loss>),
    /// The log has changed meanwhile.
    Overtaken,
}

/// The generation of the manifest that a view is of.
pub(super) fn base(view: &View) -> Generation {
    view.manifest.as_ref().map_or(Generation::default(), |manifest| manifest.generation)
}

/// What of a segment cannot be read.
fn segment_loss<S: Store>(
    stored: &mut StoredLog<S>,
    view: &View,
    segment: &SegmentRecord,
    index: &Index,
) -> Result<Inspection, Error> {
    let object = ObjectName::Segment(segment.name);
    let listed = view.others.iter().find(|other| other.name == object).map(|other| other.size);
    let Damaged { mut batches, first, extent } = damaged_batches(stored, segment, index)?;
    if !doubt::confirm(stored, base(view), object, extent, listed)? {
        return Ok(Inspection::Overtaken);
    }
    let damage = |expected: String| {
        Damage::new(segment.name, expected, extent.to_string()).with_key(&stored.name)
    };
    let wrong_size = match extent {
        Extent::Gone => Some(damage("an object that the manifest names".to_owned())),
        Extent::Whole(bytes) if bytes == segment.bytes => None,
        Extent::Whole(_) | Extent::Beyond(_) => {
            Some(damage(format!("{} bytes, as the manifest says", segment.bytes)))
        }
    };
    let first = first.map(|found| found.with_key(&stored.name));
    let Some(damage) = wrong_size.or(first) else { return Ok(Inspection::Whole) };
    if mutants::is(Mutant::LoseWhole) {
        batches.extend(index.batches.iter().map(|batch| batch.name));
    }
    let damaged = index.batches.iter().filter(|batch| batches.contains(&batch.name));
    let action = if extent == Extent::Gone { Action::Gone } else { Action::SetAside };
    let mut loss = Loss::of(object, damage, action);
    loss.batches = damaged.map(|batch| (batch.name, *batch)).collect();
    Ok(Inspection::Damaged(Box::new(loss)))
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
        let source = loss.source(&batch.name, Some(position));
        let is_trimmed = segment.position < first_position && next_position <= first_position;
        if is_trimmed && group.is_none() && sources.is_empty() {
            // Nothing of it is left.
        } else if source.is_some() || batch.bytes == 0 {
            sources.extend(group.take().map(slice));
            let trimmed = first_position.saturating_sub(position);
            sources.push(match source.unwrap_or(Source::Lost(*batch)) {
                Source::Lost(lost) => Source::Lost(BatchRecord {
                    events: lost.events.saturating_sub(trimmed),
                    trimmed: lost.trimmed.saturating_add(trimmed),
                    ..lost
                }),
                source => source,
            });
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
    let mut sources = Vec::new();
    let mut group: Vec<Part> = Vec::new();
    for batch in batches {
        match losses.iter().find_map(|loss| loss.source(&batch.name, None)) {
            Some(source) => {
                sources.push(Source::Parts(std::mem::take(&mut group)));
                sources.push(source);
            }
            None => group.push(Part::Batch(*batch)),
        }
    }
    sources.push(Source::Parts(group));
    sources
}
