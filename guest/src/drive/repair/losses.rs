//! The damage found in the segments and live batches of a log, and the inputs that replace it.

use super::copies::Copies;
use super::{Action, Inputs, Step};
use crate::decide::log_state::LogState;
use crate::decide::source::Source;
use crate::drive::batch_copy::BatchCopy;
use crate::drive::catalog::Catalog;
use crate::drive::segment_writer::Input;
use crate::error::{Damage, Error};
use crate::format::batch::BatchRecord;
use crate::format::index::Index;
use crate::format::listed::ListedBatch;
use crate::format::manifest::SegmentRecord;
use crate::format::names::{BatchName, Digest, Generation, ObjectName};
use crate::format::ordered::{Map, Set};
use crate::format::segment::SegmentRange;
use crate::ports::Store;

/// A damaged object, and the batches in it that cannot be read.
pub(super) struct Loss {
    pub(super) object: ObjectName,
    pub(super) damage: Damage,
    pub(super) action: Action,
    /// Their records in the repaired log.
    pub(super) batches: Map<BatchName, BatchRecord>,
    /// The numbers of their events that were trimmed and left in the segment.
    pub(super) trimmed: Map<BatchName, u64>,
    /// Whole copies of those that are not lost.
    pub(super) copies: Map<BatchName, BatchCopy>,
}

/// The result of an inspection.
#[derive(Default)]
pub(super) struct Inspected {
    /// By the number of the segment in the manifest.
    pub(super) segments: Vec<(usize, Loss)>,
    /// Live batches that get positions, in the order of their names.
    pub(super) live: Vec<Loss>,
    /// Objects under the names of live batches that never were batches.
    pub(super) foreign: Vec<Loss>,
    /// Objects that stay as they are.
    pub(super) left: Vec<Loss>,
    /// Listed objects that may help to recover lost batches.
    pub(super) holders: Set<ObjectName>,
}

impl Loss {
    /// A damaged object without batches to recover.
    pub(super) fn of(object: ObjectName, damage: Damage, action: Action) -> Self {
        let (batches, trimmed, copies) = (Map::new(), Map::new(), Map::new());
        Self { object, damage, action, batches, trimmed, copies }
    }

    /// The batches without a whole copy.
    fn lost(&self) -> impl Iterator<Item = &BatchRecord> {
        self.batches.values().filter(|batch| !self.copies.contains_key(&batch.name))
    }

    pub(super) fn step(&self) -> Step {
        let trimmed = |batch: &BatchRecord| self.trimmed.get(&batch.name).copied().unwrap_or(0);
        let events = self.lost().map(|batch| batch.events.saturating_sub(trimmed(batch)));
        Step { damage: self.damage.clone(), action: self.action.clone(), events_lost: events.sum() }
    }

    /// The input for a batch that cannot be read in its place. Its first event has this position.
    fn input(&self, batch: &BatchName, position: Option<u64>) -> Option<Input> {
        let record = self.batches.get(batch)?;
        Some(match self.copies.get(batch) {
            Some(copy) => Input::Copy(BatchCopy { position, ..copy.clone() }),
            None => Input::Lost(record_of_lost(record)),
        })
    }
}

impl Inspected {
    /// All losses.
    pub(super) fn losses(&self) -> impl Iterator<Item = &Loss> {
        let segments = self.segments.iter().map(|(_, loss)| loss);
        segments.chain(&self.foreign).chain(&self.live).chain(&self.left)
    }

    /// Finds copies of the batches that cannot be read.
    pub(super) fn find_copies<S: Store>(
        &mut self,
        catalog: &Catalog<S>,
        state: &LogState,
    ) -> Result<(), Error> {
        let batches = self.losses().flat_map(|loss| loss.batches.keys().copied());
        let copies = Copies::of(catalog, state, &batches.collect())?;
        let segments = self.segments.iter_mut().map(|(_, loss)| loss);
        for loss in segments.chain(&mut self.live) {
            for record in loss.batches.values() {
                if let Some(copy) = copies.of_batch(&catalog.store, record)? {
                    loss.copies.insert(record.name, copy);
                }
            }
        }
        let lost = self.losses().flat_map(Loss::lost).map(|batch| batch.name);
        self.holders = copies.holders(&lost.collect());
        Ok(())
    }

    /// An object with a batch that counts as lost and is whole after all: the set-aside copies are
    /// read for that.
    pub(super) fn lost_and_whole<S: Store>(
        &self,
        catalog: &Catalog<S>,
        state: &LogState,
    ) -> Result<Option<ObjectName>, Error> {
        let lost = || self.losses().flat_map(|loss| loss.lost().map(move |lost| (loss, lost)));
        let copies = Copies::of(catalog, state, &lost().map(|(_, lost)| lost.name).collect())?;
        for (loss, record) in lost() {
            if copies.of_batch(&catalog.store, record)?.is_some() {
                return Ok(Some(loss.object));
            }
        }
        Ok(None)
    }
}

/// The condition of an object.
pub(super) enum Inspection {
    Whole,
    Damaged(Box<Loss>),
    /// The log has changed in the meantime.
    Overtaken,
}

/// The generation of the state's manifest.
pub(super) fn base(state: &LogState) -> Generation {
    state.manifest.as_ref().map_or(Generation::default(), |manifest| manifest.generation)
}

/// The record of a batch whose bytes are lost.
fn record_of_lost(batch: &BatchRecord) -> BatchRecord {
    BatchRecord { bytes: 0, digest: Digest::of(b""), lost: true, ..*batch }
}

/// The inputs for a segment, without the batches that cannot be read or were trimmed. The batch
/// that the first position cuts is cut as it is copied.
pub(super) fn inputs_of(
    segment: &SegmentRecord,
    index: &Index,
    loss: &Loss,
    first_position: u64,
) -> Inputs {
    let mut inputs = Vec::new();
    let mut group: Option<SegmentRange> = None;
    let (mut position, mut offset) = (segment.position, 0_u64);
    for batch in &index.batches {
        let end = offset + batch.bytes;
        let next_position = position + batch.events;
        let input = loss.input(&batch.name, Some(position));
        let is_trimmed = segment.position < first_position && next_position <= first_position;
        if is_trimmed && group.is_none() && inputs.is_empty() {
            // None of it is kept.
        } else if input.is_some() || batch.bytes == 0 {
            inputs.extend(group.take().map(range));
            let trimmed = first_position.saturating_sub(position);
            inputs.push(match input.unwrap_or(Input::Lost(*batch)) {
                Input::Lost(lost) => Input::Lost(BatchRecord {
                    events: lost.events.saturating_sub(trimmed),
                    trimmed: lost.trimmed.saturating_add(trimmed),
                    ..lost
                }),
                input => input,
            });
        } else {
            let group = group.get_or_insert_with(|| SegmentRange {
                segment: *segment,
                batches: Vec::new(),
                position,
                bytes: offset..offset,
            });
            group.batches.push(*batch);
            group.bytes.end = end;
        }
        offset = end;
        position = next_position;
    }
    inputs.extend(group.map(range));
    inputs
}

fn range(range: SegmentRange) -> Input {
    Input::Sources(vec![Source::range(range)])
}

/// The inputs for live batches, without those that cannot be read.
pub(super) fn inputs_of_live(batches: &[ListedBatch], losses: &[Loss]) -> Inputs {
    let mut inputs = Vec::new();
    let mut group: Vec<Source> = Vec::new();
    let by_batch = losses.iter().flat_map(|loss| loss.batches.keys().map(move |b| (*b, loss)));
    let by_batch: Map<BatchName, &Loss> = by_batch.collect();
    for batch in batches {
        match by_batch.get(&batch.name).and_then(|loss| loss.input(&batch.name, None)) {
            Some(input) => {
                inputs.push(Input::Sources(std::mem::take(&mut group)));
                inputs.push(input);
            }
            None => group.push(Source::Batch(*batch)),
        }
    }
    inputs.push(Input::Sources(group));
    inputs
}
