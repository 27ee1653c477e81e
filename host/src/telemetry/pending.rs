//! The events that writers have taken and that are not durable yet, by the times of their taking.
//!
//! 1. Nothing is kept unless metrics are reported.
//! 2. Memory is bounded: of the newest events, those of several moments count from the first one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::table::Instruments;

/// The moments that a writer remembers.
const MOMENTS_MAX: usize = 1_024;

/// The oldest moment of each writer that has pending events.
static OLDEST: Mutex<BTreeMap<u64, Instant>> = Mutex::new(BTreeMap::new());

static WRITERS: AtomicU64 = AtomicU64::new(0);

/// The pending events of one writer.
pub(crate) struct PendingEvents {
    number: u64,
    /// The number of events taken up to a moment, and the moment. Oldest first.
    moments: VecDeque<(u64, Instant)>,
}

impl PendingEvents {
    pub(crate) fn new() -> Self {
        Self { number: WRITERS.fetch_add(1, Ordering::Relaxed), moments: VecDeque::new() }
    }

    /// Records that the writer has taken this many events in all.
    pub(crate) fn taken(&mut self, events: u64) {
        if super::installed().is_none() {
            return;
        }
        match self.moments.back_mut() {
            Some((up_to, _)) if *up_to >= events => return,
            _ => {}
        }
        if self.moments.len() >= MOMENTS_MAX {
            if let Some((up_to, _)) = self.moments.back_mut() {
                *up_to = events;
            }
            return;
        }
        self.moments.push_back((events, Instant::now()));
        self.publish();
    }

    /// Records that this many events in all are durable.
    pub(crate) fn durable(&mut self, events: u64) {
        let mut is_changed = false;
        while let Some((_, at)) = self.moments.pop_front_if(|(up_to, _)| *up_to <= events) {
            is_changed = true;
            let lag = at.elapsed();
            with_instruments(|it| it.durable_lag.record(lag.as_secs_f64(), []));
        }
        if is_changed {
            self.publish();
        }
    }

    fn publish(&self) {
        let mut oldest = lock();
        match self.moments.front() {
            Some((_, at)) => oldest.insert(self.number, *at),
            None => oldest.remove(&self.number),
        };
    }
}

impl Drop for PendingEvents {
    fn drop(&mut self) {
        if !self.moments.is_empty() {
            lock().remove(&self.number);
        }
    }
}

/// Returns the age of the oldest pending event of all writers; zero if there is none.
#[cfg_attr(not(feature = "metrics"), allow(dead_code, reason = "only a gauge asks for it"))]
pub(super) fn oldest_age() -> Duration {
    lock().values().min().map(Instant::elapsed).unwrap_or_default()
}

fn with_instruments(record: impl FnOnce(&Instruments)) {
    if let Some(instruments) = super::installed() {
        record(instruments);
    }
}

fn lock() -> MutexGuard<'static, BTreeMap<u64, Instant>> {
    OLDEST.lock().unwrap_or_else(PoisonError::into_inner)
}
