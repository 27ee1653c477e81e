//! All files of a command: collects batches of their lines, and knows how far each was read.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::batch::{Batch, Stop, cannot_read, events_again};
use super::source_file::{Next, SourceFile};
use super::state::{FileRecord, SealedBatch, State};
use super::tracked::{Tracked, found};
use crate::numbers::to_usize;

/// Paths are looked at for new files this often.
pub(super) const LOOK_INTERVAL: Duration = Duration::from_millis(250);

pub(super) struct Sources {
    tracked: Vec<Tracked>,
    /// The records of paths that are not among those of this run.
    others: Vec<FileRecord>,
    pub(super) next_number: u64,
    /// The path whose turn is next.
    turn: usize,
    looked_at: Option<Instant>,
}

impl Sources {
    /// Finds the files of a state again, and those of new paths.
    pub(super) fn restore(paths: &[PathBuf], state: &State) -> Self {
        let mut next_number = state.next_number;
        let restored = |path: &PathBuf| Tracked::restore(path, &state.files, &mut next_number);
        let tracked: Vec<_> = paths.iter().map(restored).collect();
        let is_other = |record: &&FileRecord| !paths.contains(&record.path);
        let others = state.files.iter().filter(is_other).cloned().collect();
        Self { tracked, others, next_number, turn: 0, looked_at: Some(Instant::now()) }
    }

    /// Adds lines to a batch until it is full, or until there are none. Each path gets its turn.
    /// Returns true if there may be more.
    pub(super) fn collect(&mut self, batch: &mut Batch) -> Result<bool, Stop> {
        if self.looked_at.is_none_or(|looked| looked.elapsed() >= LOOK_INTERVAL) {
            self.looked_at = Some(Instant::now());
            for tracked in &mut self.tracked {
                tracked.follow_path(&mut self.next_number);
            }
        }
        let mut idle = 0;
        while idle < self.tracked.len() {
            if batch.is_full() {
                return Ok(true);
            }
            self.turn = (self.turn + 1) % self.tracked.len().max(1);
            let Some(tracked) = self.tracked.get_mut(self.turn) else { break };
            idle = if take_some(tracked, batch, &mut self.next_number)? { 0 } else { idle + 1 };
        }
        Ok(batch.is_full())
    }

    /// Returns the records of all files. Of those that are complete, those of these batches stay.
    pub(super) fn records(&mut self, sealed: &[SealedBatch]) -> Vec<FileRecord> {
        let stretches = sealed.iter().flat_map(|batch| &batch.stretches);
        let needed: Vec<_> = stretches.map(|stretch| stretch.file).collect();
        let tracked = self.tracked.iter_mut().flat_map(|tracked| tracked.records(&needed));
        let records = self.others.iter().cloned().chain(tracked);
        records.collect()
    }

    /// Reads the events of a batch of an earlier run again. None if they are not there any more.
    pub(super) fn events_again(&self, batch: &SealedBatch, state: &State) -> Option<Vec<u8>> {
        let of_stretch = |number: u64| {
            let stretch = batch.stretches.get(to_usize(number))?;
            let is_it = |file: &&SourceFile| file.number == stretch.file;
            if let Some(file) = self.files().find(is_it) {
                return Some(file.stretch(stretch.from, stretch.to));
            }
            let record = state.files.iter().find(|record| record.number == stretch.file)?;
            Some(found(record)?.stretch(stretch.from, stretch.to))
        };
        match events_again(batch, of_stretch) {
            Ok(events) => events,
            Err(error) => {
                tracing::warn!("cannot read the events of {} again: {error}", batch.name);
                None
            }
        }
    }

    /// Returns the files that end with an incomplete line, and its length.
    pub(super) fn incomplete(&self) -> impl Iterator<Item = (&Path, u64)> {
        let open = self.files().filter(|file| file.open_bytes() > 0 && file.ahead().is_empty());
        open.map(|file| (file.place.as_path(), file.open_bytes()))
    }

    fn files(&self) -> impl Iterator<Item = &SourceFile> {
        self.tracked.iter().flat_map(|tracked| &tracked.files)
    }
}

/// Takes the next lines of a path. Returns false if there are none.
fn take_some(
    tracked: &mut Tracked,
    batch: &mut Batch,
    next_number: &mut u64,
) -> Result<bool, Stop> {
    let line_bytes_max = batch.line_bytes_max();
    // The newest first: see the rule of the module `tracked`.
    let newest_first = tracked.files.iter().rev();
    let mut sizes: Vec<_> = newest_first.map(|file| file.size().unwrap_or(u64::MAX)).collect();
    sizes.reverse();
    for (at, size) in sizes.into_iter().enumerate() {
        let Some(file) = tracked.files.get_mut(at) else { break };
        let mut next = file.read(line_bytes_max, size).map_err(|e| cannot_read(file, &e))?;
        if next == Next::Nothing {
            match file.end(line_bytes_max).map_err(|error| cannot_read(file, &error))? {
                None => continue,
                Some(Next::Nothing) => {
                    tracked.complete(at);
                    return Ok(true);
                }
                Some(last) => next = last,
            }
        }
        if next == Next::Truncated {
            let place = file.place.clone();
            if let Err(error) = tracked.restart(at, next_number) {
                tracing::debug!("cannot open {} again: {error}", place.display());
                return Ok(false);
            }
            return Ok(true);
        }
        if tracked.open_before(at, next_number) {
            return Ok(true);
        }
        let Some(file) = tracked.files.get_mut(at) else { break };
        batch.take(file, &next)?;
        return Ok(true);
    }
    Ok(false)
}
