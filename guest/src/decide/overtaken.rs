//! Counts the events that a reader has missed because a trim has overtaken it. No I/O: the caller
//! reads the indexes.
//!
//! 1. Missed are the trimmed events from the reader's position on, without those that were yielded
//!    while their batches were live.
//! 2. Of a writer of numbered batches, the position has the number of events yielded and not passed
//!    since. Those that are neither live nor in a segment were trimmed, whatever they were.
//! 3. Of other batches, each is looked up. One in no index was trimmed whole.

use crate::format::index::Index;
use crate::format::listed::ListedBatch;
use crate::format::manifest::SegmentRecord;
use crate::format::names::{BatchName, WriterId};
use crate::format::ordered::{Map, Set};
use crate::format::position::{Passed, Position, after};
use crate::mutants::{self, Mutant};

/// A count in progress.
#[derive(Debug)]
pub(crate) struct Overtaken {
    position: Position,
    /// The first position that is not trimmed.
    first: u64,
    /// Batches without a number that were yielded and are not live, with the number of events
    /// yielded. None means all of a batch whose name does not have their number.
    yielded: Map<BatchName, Option<u64>>,
    uncounted: Set<BatchName>,
    /// The yielded events of each writer that are left.
    left: Map<WriterId, u64>,
    seen: u64,
}

impl Overtaken {
    /// `live` are all listed batches that no index contains, in the order of their names.
    pub(crate) fn new<'a>(
        position: &Position,
        first: u64,
        live: impl Iterator<Item = &'a ListedBatch>,
    ) -> Self {
        let position = position.clone();
        let whole = position.yielded.iter();
        let whole = whole.map(|batch| (batch, batch.origin.map(|origin| origin.events)));
        let partial = position.partial.iter().map(|(batch, events)| (*batch, Some(*events)));
        let mut yielded: Map<_, _> = whole.chain(partial).collect();
        let mut left: Map<WriterId, u64> = Map::new();
        for ListedBatch { name, .. } in live {
            yielded.remove(name);
            if let (Some(id), Some(origin)) = (name.id(), name.origin) {
                let left = left.or_default(id.writer);
                *left = left.saturating_add(position.passed(name).count(origin.events));
            }
        }
        let uncounted = yielded.iter().filter(|(_, events)| events.is_none());
        let uncounted = uncounted.map(|(batch, _)| *batch).collect();
        Self { position, first, yielded, uncounted, left, seen: 0 }
    }

    /// Returns true if the index of a segment is needed. Of one that was trimmed whole, only
    /// batches whose names lack their number of events are looked up.
    pub(crate) fn needs(&self, segment: &SegmentRecord, is_retired: bool) -> bool {
        let from = BatchName::least(segment.first_time);
        let next = match is_retired {
            true => self.uncounted.range_from(&from).next(),
            false => self.yielded.range_from(&from).next().map(|(batch, _)| batch),
        };
        let mut writers = self.position.writers.values();
        next.is_some_and(|batch| segment.covers(batch.time))
            || (!is_retired && writers.any(|entry| segment.first_time <= entry.time))
    }

    /// Takes the index of a segment.
    pub(crate) fn take(&mut self, segment: &SegmentRecord, index: &Index, is_retired: bool) {
        for (batch, positions) in index.positions(segment) {
            let events = positions.end - positions.start;
            if let Some(id) = batch.name.id() {
                let passed = match is_retired {
                    true => Passed::None,
                    false => self.position.passed(&batch.name),
                };
                let left = self.left.or_default(id.writer);
                let more = after(positions.start, passed.count(events), self.first);
                *left = left.saturating_add(more);
                continue;
            }
            let Some(yielded) = self.yielded.remove(&batch.name) else { continue };
            self.uncounted.remove(&batch.name);
            let yielded = yielded.unwrap_or(events);
            let before = after(positions.start, yielded, self.position.next);
            let left = after(positions.start, yielded, self.first);
            self.seen = self.seen.saturating_add(before - left);
            if left == 0 {
                self.position.yielded.remove(&batch.name);
                self.position.partial.remove(&batch.name);
            }
        }
    }

    /// Moves a position to the first event that is left. Returns the number of missed events.
    pub(crate) fn end(self, position: &mut Position) -> u64 {
        let Self { position: mut moved, first, yielded, left, mut seen, .. } = self;
        for (batch, events) in yielded {
            seen = seen.saturating_add(events.unwrap_or(0));
            moved.yielded.remove(&batch);
            moved.partial.remove(&batch);
        }
        moved.writers.retain(|writer, entry| {
            let left = left.get(writer).copied().unwrap_or(0).min(entry.events);
            if !mutants::is(Mutant::MiscountYielded) {
                seen = seen.saturating_add(entry.events - left);
            }
            entry.events = left;
            left > 0
        });
        let missed = first.saturating_sub(moved.next).saturating_sub(seen);
        moved.next = moved.next.max(first);
        *position = moved;
        missed
    }
}

#[cfg(test)]
mod tests;
