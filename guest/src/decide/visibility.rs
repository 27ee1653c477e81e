//! Decides which of the listed batches are visible. No I/O: the caller reads the indexes.
//!
//! 1. A batch is visible if it is live and behind no gap. That is a property of the log, not of the
//!    listing: what was visible once is visible until it is absorbed.
//! 2. A listed batch without a number is visible if it is live, since the listing has a prefix of
//!    what its writer wrote.
//! 3. A numbered batch is visible if it is the first of its writer, or if the one before it is
//!    visible or in an index of the manifest, those of trimmed segments included. Nothing of a
//!    writer behind a hidden batch is visible.
//! 4. If the batch before it is not found although it was confirmed, as the name of a listed batch
//!    shows, that one is doubted. A load never decides a doubt of its own: it may have listed a
//!    batch after the one before was created, and missed that one.
//! 5. A batch that an earlier load doubted was absorbed, trimmed and forgotten if it is not newer
//!    than the horizon. Otherwise it is gone, which is damage.

use crate::format::listed::ListedBatch;
use crate::format::names::{BatchId, BatchName, BatchTime, WriterId};
use crate::format::ordered::{Map, Set};
use crate::mutants::{self, Mutant};

/// A confirmed batch that does not exist any more, and the first one hidden behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone {
    pub batch: BatchId,
    pub next: BatchName,
}

/// The findings of earlier loads, and what the caller has decided about them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Doubts {
    doubted: Set<BatchId>,
    passed: Set<BatchId>,
}

impl Doubts {
    /// Adds the doubts of a load that has ended.
    pub(crate) fn add(&mut self, doubted: Set<BatchId>) {
        self.doubted.extend(doubted);
    }

    /// Returns true if there are neither doubts nor decisions.
    pub(crate) fn is_empty(&self) -> bool {
        self.doubted.is_empty() && self.passed.is_empty()
    }

    /// Shows the batches behind one that is gone from now on.
    pub(crate) fn pass(&mut self, gone: BatchId) {
        self.passed.insert(gone);
    }
}

/// The listed batches, each in the order of names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sorted {
    pub visible: Vec<ListedBatch>,
    pub hidden: Vec<ListedBatch>,
    pub absorbed: Vec<ListedBatch>,
    /// Confirmed batches that this load does not find and that no earlier one has doubted.
    pub doubted: Set<BatchId>,
    pub gone: Vec<Gone>,
}

/// Returns the batches that are neither listed nor visible, and before a live one: those that only
/// an index may have. `batches` are all listed ones in the order of names.
pub(crate) fn sought(batches: &[ListedBatch], absorbed: &Set<BatchName>) -> Vec<BatchId> {
    let mut newest: Map<WriterId, BatchId> = Map::new();
    let mut sought = Vec::new();
    for ListedBatch { name, .. } in batches {
        let Some(id) = name.id() else { continue };
        let before = name.predecessor().filter(|_| !absorbed.contains(name));
        sought.extend(before.filter(|before| newest.get(&id.writer) != Some(before)));
        newest.insert(id.writer, id);
    }
    sought
}

/// Sorts the listed batches. They are in the order of names, each once; of two names of one batch
/// the one that waits for less. `is_held` looks a batch up in the indexes.
pub(crate) fn sort_out<E>(
    batches: Vec<ListedBatch>,
    absorbed: &Set<BatchName>,
    horizon: Option<BatchTime>,
    doubts: &Doubts,
    is_held: impl FnMut(&BatchId) -> Result<bool, E>,
) -> Result<Sorted, E> {
    let confirmed = confirmed(&batches);
    let mut sorting = Sorting {
        confirmed,
        horizon,
        doubts,
        is_held,
        settled: Map::new(),
        blocked: Set::new(),
        sorted: Sorted::default(),
    };
    for batch in batches {
        sorting.take(batch, absorbed.contains(&batch.name))?;
    }
    Ok(sorting.sorted)
}

/// The number of batches of each writer that the store has confirmed, as far as names show it.
fn confirmed(batches: &[ListedBatch]) -> Map<WriterId, u64> {
    let mut confirmed: Map<WriterId, u64> = Map::new();
    for origin in batches.iter().filter_map(|batch| batch.name.origin) {
        let Some(sequence) = origin.sequence else { continue };
        let count = confirmed.or_default(origin.writer);
        *count = sequence.confirmed().max(*count);
    }
    confirmed
}

struct Sorting<'a, H> {
    confirmed: Map<WriterId, u64>,
    horizon: Option<BatchTime>,
    doubts: &'a Doubts,
    is_held: H,
    /// The newest batch so far of each writer that is visible or absorbed.
    settled: Map<WriterId, BatchId>,
    /// The writers with a hidden batch.
    blocked: Set<WriterId>,
    sorted: Sorted,
}

impl<E, H: FnMut(&BatchId) -> Result<bool, E>> Sorting<'_, H> {
    fn take(&mut self, batch: ListedBatch, is_absorbed: bool) -> Result<(), E> {
        let id = batch.name.id();
        let is_settled = match (is_absorbed, id) {
            (true, _) | (_, None) => true,
            (false, Some(id)) => {
                let is_blocked = self.blocked.contains(&id.writer) && !mutants::is(Mutant::ShowGap);
                !is_blocked && self.follows(&batch.name)?
            }
        };
        if let Some(id) = id {
            if is_settled {
                self.settled.insert(id.writer, id);
            } else {
                self.blocked.insert(id.writer);
            }
        }
        match (is_absorbed, is_settled) {
            (true, _) => self.sorted.absorbed.push(batch),
            (false, true) => self.sorted.visible.push(batch),
            (false, false) => self.sorted.hidden.push(batch),
        }
        Ok(())
    }

    /// Returns true if no batch of the writer is missing before this one.
    fn follows(&mut self, batch: &BatchName) -> Result<bool, E> {
        let Some(before) = batch.predecessor() else { return Ok(true) };
        if mutants::is(Mutant::ShowGap) {
            return Ok(true);
        }
        if self.settled.get(&before.writer) == Some(&before)
            || self.doubts.passed.contains(&before)
            || mutants::is(Mutant::AbsentIsAbsorbed)
            || (self.is_held)(&before)?
        {
            return Ok(true);
        }
        let was_confirmed =
            self.confirmed.get(&before.writer).is_some_and(|count| before.number < *count);
        if !was_confirmed {
            return Ok(false);
        }
        let is_new = !self.doubts.doubted.contains(&before);
        if is_new && !mutants::is(Mutant::DecideByOneLoad) {
            self.sorted.doubted.insert(before);
            return Ok(false);
        }
        let was_forgotten = self.horizon.is_some_and(|horizon| before.time <= horizon);
        if !was_forgotten {
            self.sorted.gone.push(Gone { batch: before, next: *batch });
        }
        Ok(was_forgotten)
    }
}

#[cfg(test)]
mod tests;
