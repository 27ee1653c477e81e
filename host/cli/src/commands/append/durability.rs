//! What the log has taken of the input, and how much of it is known to be durable.
//!
//! 1. What is not known to be durable is counted as perhaps missing, never the other way round.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::HumanCount;
use stratalog::Log;

use crate::terminal::human::count;

/// The most marks that are kept: so many takes can be told apart before they are durable.
const MARKS_MAX: usize = 10_000;

/// Counts for one log; a signal asks it when the rest of the command may be waiting for the store.
pub(crate) struct Ledger {
    log: Log,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    /// Events that the log has taken, and their bytes, line feeds included.
    taken: u64,
    bytes: u64,
    /// Events that wait for the log to take them.
    offered: u64,
    /// After each take the events and bytes taken until then, as far as not known to be durable.
    marks: VecDeque<Mark>,
    /// Events known to be durable.
    durable: u64,
}

struct Mark {
    events: u64,
    bytes: u64,
}

impl Ledger {
    pub(crate) fn new(log: Log) -> Self {
        Self { log, counts: Mutex::default() }
    }

    /// Notes that the log is asked to take so many events.
    pub(crate) fn offers(&self, events: u64) {
        self.lock().offered = events;
    }

    /// Notes that the log has taken so many of them.
    pub(crate) fn took(&self, events: u64, bytes: usize) {
        let mut counts = self.lock();
        counts.offered = counts.offered.saturating_sub(events);
        counts.taken = counts.taken.saturating_add(events);
        counts.bytes = counts.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        let mark = Mark { events: counts.taken, bytes: counts.bytes };
        if counts.marks.len() >= MARKS_MAX {
            // Then the last ones are confirmed together.
            counts.marks.pop_back();
        }
        counts.marks.push_back(mark);
        counts.confirm(self.log.durable_bytes());
    }

    /// Events that the log has taken.
    pub(crate) fn taken(&self) -> u64 {
        self.lock().taken
    }

    /// Events that were read whole, and how many of the last of them are not known to be durable.
    fn read_and_doubtful(&self) -> (u64, u64) {
        let mut counts = self.lock();
        counts.confirm(self.log.durable_bytes());
        let read = counts.taken.saturating_add(counts.offered);
        (read, read.saturating_sub(counts.durable))
    }

    /// What the store had not confirmed when nobody wanted to wait any longer.
    pub(crate) fn last_words(&self) -> String {
        let ended = "ended without waiting for the store";
        let (read, doubtful) = self.read_and_doubtful();
        let read = count(read, "event", "events");
        match doubtful {
            0 => format!("{ended}: {read} read, all of them written"),
            _ => format!(
                "{ended}: not known whether written: the last {} of {read} read; read the log before \
                 appending them again; a longer --grace waits for the store",
                HumanCount(doubtful)
            ),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // Nothing panics while it holds the lock.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn confirm(&mut self, durable_bytes: u64) {
        while let Some(mark) = self.marks.pop_front_if(|mark| mark.bytes <= durable_bytes) {
            self.durable = mark.events;
        }
    }
}
