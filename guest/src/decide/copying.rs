//! Decides what a copy of a log does next. No I/O.
//!
//! 1. A manifest comes after all objects that it names, and before the batches that it has not
//!    absorbed. So the target shows, of each writer, its events up to some point.
//! 2. Of each writer, the batches are copied in order: see `waits_for`.
//! 3. Named positions come after the events that they have passed, and the manifests below the
//!    current one after it: none of them may be the highest while a reader looks.
//! 4. Nothing is deleted before the manifest that replaces it is there.

use std::rc::Rc;

use crate::decide::log_state::{self, LogState};
use crate::format::listed::{ListedBatch, sizes};
use crate::format::manifest::{Manifest, SegmentRecord};
use crate::format::names::{
    BatchName, Generation, IndexName, ObjectName, PositionName, PositionObject,
};
use crate::format::numbers::to_u64;
use crate::format::ordered::{Map, Set};
use crate::limits::{COPY_BATCHES_MAX, COPY_BYTES_MAX};
use crate::mutants::{self, Mutant};

/// A step of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Copies a segment, its index before it.
    Segment(Box<SegmentRecord>),
    /// Copies the index of a trimmed segment.
    Index(Box<SegmentRecord>),
    /// Copies the current manifest: the commit.
    Commit(Rc<Manifest>),
    Batches(Vec<ListedBatch>),
    /// Copies a manifest below the current one.
    Older(Generation),
    Position(PositionObject),
    /// Deletes what the current manifest of the target makes superfluous.
    CleanUp,
}

/// A step, and the objects and bytes that it copies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub work: Work,
    pub objects: u64,
    pub bytes: u64,
}

/// Returns the steps from one state of the target to the state of the source. `positions` are the
/// newest of each name in both.
pub(crate) fn plan(
    source: &LogState,
    target: &LogState,
    positions: (&Map<PositionName, u64>, &Map<PositionName, u64>),
) -> Vec<Step> {
    let (there, here) = (sizes(&source.others), sizes(&target.others));
    let size = |name: ObjectName| there.get(&name).copied().unwrap_or_default();
    let mut steps = Vec::new();
    let generation = |state: &LogState| state.manifest.as_ref().map(|m| m.generation);
    let is_behind = generation(target) < generation(source);
    if let Some(manifest) = &source.manifest {
        let lacks = |name: IndexName| !here.contains_key(&ObjectName::Index(name));
        for segment in &manifest.segments {
            let (name, index) = (ObjectName::Segment(segment.name), segment.name.index());
            if here.get(&name) != Some(&segment.bytes) || lacks(index) {
                let bytes = segment.bytes.saturating_add(size(ObjectName::Index(index)));
                let work = Work::Segment(Box::new(*segment));
                steps.push(Step { work, objects: 2, bytes });
            }
        }
        for retired in &manifest.retired {
            let index = retired.segment.name.index();
            if lacks(index) {
                let work = Work::Index(Box::new(retired.segment));
                steps.push(Step { work, objects: 1, bytes: size(ObjectName::Index(index)) });
            }
        }
        if is_behind {
            let bytes = size(ObjectName::Manifest(manifest.generation));
            let commit = Step { work: Work::Commit(manifest.clone()), objects: 1, bytes };
            let first = mutants::is(Mutant::CopyManifestFirst);
            steps.insert(if first { 0 } else { steps.len() }, commit);
        }
    }
    let known: Set<BatchName> = target.listed().map(|batch| batch.name).collect();
    let new = source.live.iter().filter(|batch| !known.contains(&batch.name));
    steps.extend(in_parts(new.copied()).into_iter().map(|batches| Step {
        objects: to_u64(batches.len()),
        bytes: batches.iter().fold(0, |sum: u64, batch| sum.saturating_add(batch.size)),
        work: Work::Batches(batches),
    }));
    // What a compaction of the source could not delete, the clean-up of the target would delete.
    let garbage = source.manifest.iter().flat_map(|m| log_state::garbage(m, &source.others));
    let garbage: Set<ObjectName> = garbage.map(|other| other.name).collect();
    let older = log_state::manifests(&source.others).filter(|older| {
        let name = ObjectName::Manifest(*older);
        Some(*older) < generation(source) && !here.contains_key(&name) && !garbage.contains(&name)
    });
    let older: Set<Generation> = older.collect();
    steps.extend(older.into_iter().rev().map(|older| Step {
        work: Work::Older(older),
        objects: 1,
        bytes: size(ObjectName::Manifest(older)),
    }));
    let (source_positions, target_positions) = positions;
    for (name, number) in source_positions.iter() {
        if target_positions.get(name) < Some(number)
            && let Some(object) = name.object(*number)
        {
            steps.push(Step { work: Work::Position(object), objects: 1, bytes: 0 });
        }
    }
    let is_superfluous = |manifest: &Rc<Manifest>| {
        !target.absorbed.is_empty() || !log_state::garbage(manifest, &target.others).is_empty()
    };
    let moves = steps.iter().any(|step| matches!(step.work, Work::Position(_)));
    if is_behind || moves || target.manifest.as_ref().is_some_and(is_superfluous) {
        steps.push(Step { work: Work::CleanUp, objects: 0, bytes: 0 });
    }
    steps
}

/// Divides batches among steps, in their order.
fn in_parts(batches: impl Iterator<Item = ListedBatch>) -> Vec<Vec<ListedBatch>> {
    let mut parts: Vec<Vec<ListedBatch>> = Vec::new();
    let mut bytes = 0_u64;
    for batch in batches {
        bytes = bytes.saturating_add(batch.size);
        match parts.last_mut() {
            Some(part) if part.len() < COPY_BATCHES_MAX && bytes <= COPY_BYTES_MAX => {
                part.push(batch);
            }
            _ => {
                parts.push(vec![batch]);
                bytes = batch.size;
            }
        }
    }
    parts
}

/// Returns true if a batch may not be created before another one, of which the create is in flight,
/// is confirmed. The name of a numbered one says that those before it were confirmed, but for the
/// last it waits for: one of these that is missing would be damage. Without numbers, a gap would
/// not show.
pub(crate) fn waits_for(batch: &BatchName, earlier: &BatchName) -> bool {
    if batch.writer() != earlier.writer() {
        return false;
    }
    match earlier.id() {
        Some(earlier) => batch.shows_confirmed(&earlier),
        None => true,
    }
}

#[cfg(test)]
mod tests;
