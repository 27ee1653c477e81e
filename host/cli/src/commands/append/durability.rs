//! Tracks the events that the log has accepted, and how many of them are known to be durable.
//!
//! 1. An event that is not known to be durable is counted as possibly missing, never the reverse.

use std::sync::{Mutex, MutexGuard, PoisonError};

use stratalog::Log;

use crate::terminal::human::{count, grouped};

/// The counts of one log. A signal reads them while the rest of the command may wait for the store.
pub(crate) struct Durability {
    log: Log,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    /// The events that the log has accepted.
    taken: u64,
    /// The events that wait for the log to accept them.
    offered: u64,
}

impl Durability {
    pub(crate) fn new(log: Log) -> Self {
        Self { log, counts: Mutex::default() }
    }

    /// Records that this many events are passed to the log.
    pub(crate) fn offers(&self, events: u64) {
        self.lock().offered = events;
    }

    /// Records that the log has accepted this many of them.
    pub(crate) fn took(&self, events: u64) {
        let mut counts = self.lock();
        counts.offered -= events;
        counts.taken += events;
    }

    /// Returns the number of events that the log has accepted.
    pub(crate) fn taken(&self) -> u64 {
        self.lock().taken
    }

    /// Returns the number of events that are known to be durable.
    pub(crate) fn durable(&self) -> u64 {
        self.log.durable_events()
    }

    /// Returns the number of whole events read, and how many of the last are not known to be
    /// durable.
    fn read_and_doubtful(&self) -> (u64, u64) {
        // Read first: it only grows, and may grow meanwhile.
        let durable = self.durable();
        let counts = self.lock();
        let read = counts.taken + counts.offered;
        (read, read.saturating_sub(durable))
    }

    /// Describes the events that the store had not confirmed when the process stopped waiting.
    pub(crate) fn last_words(&self) -> String {
        let ended = "ended without waiting for the store";
        let (read, doubtful) = self.read_and_doubtful();
        let read = count(read, "event", "events");
        match doubtful {
            0 => format!("{ended}: {read} read, all of them written"),
            _ => format!(
                "{ended}: the last {} of {read} read may not be written; read the log before \
                 appending them again; a longer --grace waits for the store",
                grouped(doubtful)
            ),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // No thread panics while it holds the lock.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
