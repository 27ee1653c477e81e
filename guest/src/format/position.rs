//! The place of a reader in a log.
//!
//! 1. Live batches without a number are known by their exact names: a new one may sort before one
//!    that was yielded.
//! 2. The numbered batches of a writer are yielded in order without gaps, so one entry stands for
//!    all of them. It goes with the batch that it names.
//! 3. A position with the identity of a log is refused by any other log. One without it is of a log
//!    that has, or had, the batches that it names.

use crate::error::Error;
use crate::format::batch_set::BatchSet;
use crate::format::manifest::SegmentRecord;
use crate::format::names::{BatchId, BatchName, BatchTime, LogId, LogName, WriterId};
use crate::format::ordered::Map;
use crate::mutants::{self, Mutant};

mod text;

/// The place of a reader in a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// The log it is of. None before the first manifest, and for a log of format 1.
    pub log: Option<LogId>,
    /// The next sequenced position to yield.
    pub next: u64,
    /// Live batches without a number that were yielded and not yet met in a segment.
    pub yielded: BatchSet,
    /// Those that were yielded in part, with the number of events yielded.
    pub partial: Map<BatchName, u64>,
    /// The numbered batches that were yielded while they were live and not yet met in a segment.
    pub writers: Map<WriterId, Entry>,
}

/// The live batches of a writer that were yielded: all up to the newest of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The newest one.
    pub time: BatchTime,
    pub number: u64,
    /// The events that were yielded and have no position before the next one, at least one.
    pub events: u64,
    /// The number of events of the newest one that were yielded. None if all were.
    pub partial: Option<u64>,
}

/// The events of a batch that were yielded while it was live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passed {
    None,
    /// The first ones, at least one.
    Some(u64),
    All,
}

impl Passed {
    /// The number of events, if the batch has this many.
    pub(crate) fn count(self, events: u64) -> u64 {
        match self {
            Self::None => 0,
            Self::Some(passed) => passed.min(events),
            Self::All => events,
        }
    }
}

/// The number of events of a batch that begins at `start` that a position has not passed, counting
/// its first ones.
pub(crate) fn after(start: u64, events: u64, position: u64) -> u64 {
    start.saturating_add(events).saturating_sub(start.max(position))
}

impl Position {
    /// Returns the events of a batch that were yielded while it was live, and that it was not met
    /// with since.
    pub(crate) fn passed(&self, batch: &BatchName) -> Passed {
        let Some(id) = batch.id() else {
            return match self.partial.get(batch) {
                _ if self.yielded.contains(batch) => Passed::All,
                Some(events) => Passed::Some(*events),
                None => Passed::None,
            };
        };
        match self.writers.get(&id.writer) {
            Some(entry) if id.number == entry.number => match entry.partial {
                Some(_) if mutants::is(Mutant::ForgetPartlyYielded) => Passed::None,
                partial => partial.map_or(Passed::All, Passed::Some),
            },
            Some(entry) if id.number < entry.number => Passed::All,
            _ => Passed::None,
        }
    }

    /// Records that the first events of a live batch were yielded, or all of them.
    pub(crate) fn yield_live(&mut self, batch: BatchName, events: Option<u64>) {
        let (Some(id), Some(origin)) = (batch.id(), batch.origin) else {
            return match events {
                Some(0) => {}
                Some(events) => _ = self.partial.insert(batch, events),
                None => {
                    self.partial.remove(&batch);
                    self.yielded.insert(batch);
                }
            };
        };
        let before = self.passed_events(&batch);
        let reached = events.unwrap_or(origin.events);
        if reached <= before {
            return;
        }
        let counted = self.writers.get(&id.writer).map_or(0, |entry| entry.events);
        let entry = Entry {
            time: id.time,
            number: id.number,
            events: counted.saturating_add(reached - before),
            partial: Some(reached).filter(|reached| *reached < origin.events),
        };
        self.writers.insert(id.writer, entry);
    }

    /// Records that all of these live batches were yielded, oldest first.
    pub(crate) fn yield_all_live(&mut self, batches: Vec<BatchName>) {
        let is_numbered = |batch: &BatchName| batch.id().is_some();
        let (numbered, others): (Vec<_>, Vec<_>) = batches.into_iter().partition(is_numbered);
        if !others.is_empty() {
            self.yielded.insert_all(others);
        }
        numbered.into_iter().for_each(|batch| self.yield_live(batch, None));
    }

    /// Moves to a position in a batch or at its end, which is in a segment. `start` is the position
    /// of its first event, trimmed or not.
    pub(crate) fn pass_sequenced(&mut self, batch: &BatchName, start: u64, to: u64) {
        let left = after(start, self.passed_events(batch), self.next);
        self.next = self.next.max(to);
        let Some(id) = batch.id() else {
            self.yielded.remove(batch);
            self.partial.remove(batch);
            return;
        };
        match self.writers.get_mut(&id.writer) {
            Some(entry) if id.number < entry.number => {
                // The newest one has events that are left.
                entry.events = entry.events.saturating_sub(left).max(1);
            }
            _ if mutants::is(Mutant::KeepPassedWriter) => {}
            // It is the newest one. Or it is later: a repair has gone past one that was lost.
            _ => _ = self.writers.remove(&id.writer),
        }
    }

    /// The number of events of a batch that were yielded while it was live, if its name has them.
    fn passed_events(&self, batch: &BatchName) -> u64 {
        batch.origin.map_or(0, |origin| self.passed(batch).count(origin.events))
    }

    /// Returns true if the segment may contain a batch that was yielded while it was live.
    pub(crate) fn has_yielded_of(&self, segment: &SegmentRecord) -> bool {
        let from = BatchName::least(segment.first_time);
        let covered = |batch: Option<BatchName>| batch.is_some_and(|b| segment.covers(b.time));
        covered(self.yielded.first_from(from))
            || covered(self.partial.range_from(&from).next().map(|(batch, _)| *batch))
            || self.writers.values().any(|entry| segment.first_time <= entry.time)
    }

    /// Returns true if it names no batch: it is a number alone, perhaps with an identity.
    pub(crate) fn is_bare(&self) -> bool {
        self.yielded.is_empty() && self.partial.is_empty() && self.writers.is_empty()
    }

    /// Returns true if it names the batch.
    pub(crate) fn names(&self, batch: &BatchName) -> bool {
        let is_entry = |id: BatchId| self.entry_names().any(|named| named == id);
        batch.id().map_or_else(
            || self.yielded.contains(batch) || self.partial.contains_key(batch),
            is_entry,
        )
    }

    /// Returns true if it names a batch that certainly had events. A log keeps those, live or
    /// absorbed, until they are trimmed. (A legacy batch may be empty, and then be deleted.)
    pub(crate) fn names_certain_batches(&self) -> bool {
        self.certain_names().next().is_some()
    }

    fn certain_names(&self) -> impl Iterator<Item = String> {
        let whole = self.yielded.iter().filter(|batch| batch.origin.is_some());
        let unnumbered = whole.chain(self.partial.keys().copied());
        unnumbered
            .map(|batch| batch.to_string())
            .chain(self.entry_names().map(|batch| batch.to_string()))
    }

    fn entry_names(&self) -> impl Iterator<Item = BatchId> {
        self.writers.iter().map(|(writer, entry)| {
            let Entry { time, number, .. } = *entry;
            BatchId { time, writer: *writer, number }
        })
    }

    /// Refuses a position of another log than the one with this identity.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] that names both.
    pub(crate) fn check_log(&self, name: &LogName, log: Option<LogId>) -> Result<(), Error> {
        let Some(of) = self.log.filter(|of| Some(*of) != log) else { return Ok(()) };
        Err(another(&format!("the position belongs to the log {of}"), name, log))
    }

    /// The error of a position with batches that the log with this identity does not have.
    pub(crate) fn of_another(&self, name: &LogName, log: Option<LogId>) -> Error {
        let batch =
            self.certain_names().min().map_or_else(String::new, |first| format!(" {first}"));
        let of = format!(
            "the position belongs to a log with the batch{batch}, which this log does not have"
        );
        another(&of, name, log)
    }
}

fn another(of: &str, name: &LogName, log: Option<LogId>) -> Error {
    let is = match log {
        Some(log) => format!("has the identity {log}"),
        None => "has no identity, as before its first compaction".to_owned(),
    };
    Error::InvalidInput(format!(
        "{of}, and the log {name} {is}; start without a position",
        name = name.as_str()
    ))
}

#[cfg(test)]
mod tests;
