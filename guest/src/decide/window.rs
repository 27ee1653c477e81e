//! The batches that a writer has sealed and not acknowledged. Decides when another may be sealed,
//! what its name says about the others, and when one is acknowledged. No I/O.
//!
//! 1. Several creates are in flight, and may end in any order. A batch is acknowledged once it and
//!    all before it are stored.
//! 2. The batches that are not acknowledged are limited in number, and in bytes together with the
//!    open buffer. One may always be sealed if there is no other.
//! 3. While a create has failed, no batch is sealed but on demand: after a crash, fewer stored
//!    batches are behind one that is not.
//! 4. The name says how many batches before it may not be stored yet when its create starts. A
//!    retry says it as it is then: one before may have been stored since, absorbed and forgotten.

use std::collections::VecDeque;

use crate::decide::options::Options;
use crate::format::names::{BatchTime, Sequence};
use crate::mutants::{self, Mutant};

/// The stage of a batch between its seal and its acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Its create is not started: see `feed`.
    Held,
    InFlight,
    Failed,
    Stored,
}

/// A batch between its seal and its acknowledgement.
pub(crate) trait SealedBatch {
    fn number(&self) -> u64;
    fn bytes(&self) -> u64;
    fn events(&self) -> u64;
    fn stage(&self) -> Stage;
}

/// The sealed batches of a writer, oldest first.
pub(crate) struct Window<B> {
    batches: VecDeque<B>,
    /// The number of the next batch.
    next: u64,
    /// The time of the last one.
    last_time: Option<BatchTime>,
}

impl<B> Default for Window<B> {
    fn default() -> Self {
        Self { batches: VecDeque::new(), next: 0, last_time: None }
    }
}

impl<B> Window<B> {
    /// The window of a writer that has sealed this many batches, all of them acknowledged. The last
    /// one has this time.
    pub(crate) fn after(batches: u64, last_time: BatchTime) -> Self {
        let last_time = (batches > 0).then_some(last_time);
        Self { batches: VecDeque::new(), next: batches, last_time }
    }

    /// The number of batches that were sealed.
    pub(crate) fn sealed(&self) -> u64 {
        self.next
    }
}

impl<B: SealedBatch> Window<B> {
    pub(crate) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &B> {
        self.batches.iter()
    }

    /// Events that are not acknowledged.
    pub(crate) fn events(&self) -> u64 {
        self.batches.iter().map(SealedBatch::events).sum()
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.batches.iter().any(|batch| batch.stage() == Stage::Failed)
    }

    /// Returns true if a batch of this many bytes may be sealed on demand.
    pub(crate) fn has_room(&self, bytes: u64, options: &Options) -> bool {
        let sealed: u64 = self.batches.iter().map(SealedBatch::bytes).sum();
        self.batches.is_empty()
            || self.batches.len() < options.creates_max
                && sealed.saturating_add(bytes) <= options.buffer_bytes_max
    }

    /// Returns the place of the next batch among those of its writer, if it gets this time.
    pub(crate) fn place(&self, time: BatchTime) -> Sequence {
        let gap = self.last_time.map_or(0, |last| time.micros() - last.micros());
        Sequence { number: self.next, gap, waiting: self.waiting(self.next) }
    }

    /// Returns the number of batches before this one from the first on that is not stored.
    fn waiting(&self, number: u64) -> u64 {
        let mut open = self.batches.iter().filter(|batch| batch.stage() != Stage::Stored);
        number - open.next().map_or(number, |first| first.number().min(number))
    }

    /// Adds the next batch, which has this time.
    pub(crate) fn push(&mut self, batch: B, time: BatchTime) {
        self.batches.push_back(batch);
        self.next += 1;
        self.last_time = Some(time);
    }

    /// Passes each failed batch to `retry`, with what it waits for now.
    pub(crate) fn retry_failed(&mut self, retry: impl FnMut(&mut B, u64)) {
        self.start_those(Stage::Failed, retry);
    }

    /// Passes each batch that has no create to `start`, with what it waits for now.
    pub(crate) fn start_held(&mut self, start: impl FnMut(&mut B, u64)) {
        self.start_those(Stage::Held, start);
    }

    fn start_those(&mut self, stage: Stage, mut start: impl FnMut(&mut B, u64)) {
        for place in 0..self.batches.len() {
            let number = self.batches.get(place).map_or(0, SealedBatch::number);
            let waiting = self.waiting(number);
            if let Some(batch) = self.batches.get_mut(place)
                && batch.stage() == stage
            {
                start(batch, waiting);
            }
        }
    }

    /// The batch with this number.
    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut B> {
        self.batches.iter_mut().find(|batch| batch.number() == number)
    }

    /// The oldest batch.
    pub(crate) fn front(&self) -> Option<&B> {
        self.batches.front()
    }

    /// The oldest batch.
    pub(crate) fn front_mut(&mut self) -> Option<&mut B> {
        self.batches.front_mut()
    }

    /// Takes the oldest batch, if it is stored.
    pub(crate) fn acknowledge(&mut self) -> Option<B> {
        let is_stored = |batch: &B| batch.stage() == Stage::Stored;
        if mutants::is(Mutant::AcknowledgeEarly) {
            let stored = self.batches.iter().position(is_stored)?;
            return self.batches.remove(stored);
        }
        self.batches.pop_front_if(|batch| is_stored(batch))
    }
}

#[cfg(test)]
mod tests;
