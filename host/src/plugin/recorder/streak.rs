//! A streak: equal successful calls in a row, counted without a lock.
//!
//! 1. The plugin's thread alone counts. The task of the record reads the counts at any time, by a
//!    sequence lock (Boehm, "Can seqlocks get along with programming language memory models?",
//!    2012), so it waits and the plugin does not.
//! 2. Each look at the counts ends the streak. The next call begins another one under the lock of
//!    the record. What was counted after the last look is taken then, or by the next look.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::time::{Duration, Instant};

use super::calls::{Amount, Group, Key};

/// The sums of the calls of a streak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) count: u64,
    pub(super) events: u64,
    pub(super) bytes: u64,
    /// The time at which the last call began, in nanoseconds since the run did.
    pub(super) last: u64,
}

/// The counts of the current streak, where the task of the record finds them.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Odd while the counts are written.
    version: AtomicU64,
    count: AtomicU64,
    events: AtomicU64,
    bytes: AtomicU64,
    last: AtomicU64,
    is_over: AtomicBool,
}

impl Counters {
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Publishes the first call of a streak.
    pub(super) fn begin(&self, counted: Counted) {
        self.write(counted);
        self.is_over.store(false, Ordering::Relaxed);
    }

    /// Publishes counts. Called by the plugin's thread only.
    pub(super) fn write(&self, counted: Counted) {
        let version = self.version.load(Ordering::Relaxed);
        self.version.store(version.wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release);
        self.count.store(counted.count, Ordering::Relaxed);
        self.events.store(counted.events, Ordering::Relaxed);
        self.bytes.store(counted.bytes, Ordering::Relaxed);
        self.last.store(counted.last, Ordering::Relaxed);
        self.version.store(version.wrapping_add(2), Ordering::Release);
    }

    fn read(&self) -> Counted {
        loop {
            let version = self.version.load(Ordering::Acquire);
            let counted = Counted {
                count: self.count.load(Ordering::Relaxed),
                events: self.events.load(Ordering::Relaxed),
                bytes: self.bytes.load(Ordering::Relaxed),
                last: self.last.load(Ordering::Relaxed),
            };
            fence(Ordering::Acquire);
            if version.is_multiple_of(2) && self.version.load(Ordering::Relaxed) == version {
                return counted;
            }
            // The plugin's thread may have been interrupted between two stores.
            std::thread::yield_now();
        }
    }
}

/// The streak as the record knows it.
pub(super) struct Taken {
    key: Key,
    /// The number and the time of its first call.
    first: (u64, Instant),
    counted: Counted,
}

impl Taken {
    /// Makes one whose first call has this number.
    pub(super) fn new(key: Key, first: (u64, Instant)) -> Self {
        Self { key, first, counted: Counted::default() }
    }

    /// Ends the streak; returns the calls that were counted since the last look.
    pub(super) fn look(&mut self, counters: &Counters, begun: Instant) -> Option<Group> {
        counters.is_over.store(true, Ordering::Relaxed);
        let (before, seen) = (self.counted, counters.read());
        if seen.count == before.count {
            return None;
        }
        self.counted = seen;
        let (number, at) = self.first;
        let time = |counted: Counted| begun + Duration::from_nanos(counted.last);
        let first = if before.count == 0 { at } else { time(before) };
        Some(Group {
            key: self.key.clone(),
            count: seen.count - before.count,
            amount: Amount {
                events: seen.events.saturating_sub(before.events),
                bytes: seen.bytes.saturating_sub(before.bytes),
            },
            first: (number + before.count, first),
            last: (number + seen.count - 1, time(seen)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::usage::Call;
    use super::super::calls::CallOutcome;
    use super::*;

    /// The plugin's thread may count a call after a look has ended the streak.
    #[test]
    fn each_look_takes_what_was_counted_since_the_one_before() {
        let (counters, begun) = (Counters::default(), Instant::now());
        let at = |nanoseconds| begun + Duration::from_nanos(nanoseconds);
        let (label, outcome) = ("errors".into(), CallOutcome::Succeeded);
        let key = Key { call: Call::Append, label, handle: Some(1), outcome };
        let mut taken = Taken::new(key, (7, at(3)));
        counters.begin(Counted { count: 1, events: 1, bytes: 10, last: 4 });
        counters.write(Counted { count: 3, events: 5, bytes: 30, last: 20 });
        let mut look = || {
            let group = taken.look(&counters, begun)?;
            let amount = (group.amount.events, group.amount.bytes);
            Some((group.count, amount, group.first, group.last))
        };
        assert_eq!(look(), Some((3, (5, 30), (7, at(3)), (9, at(20)))));
        assert_eq!(look(), None);
        counters.write(Counted { count: 4, events: 6, bytes: 45, last: 50 });
        // Its own time is not known, and is not before the last call that was taken.
        assert_eq!(look(), Some((1, (1, 15), (10, at(20)), (10, at(50)))));
        assert!(counters.is_over());
    }

    #[test]
    fn counts_that_are_read_while_they_are_written_are_of_one_moment() {
        let counters = Counters::default();
        const LAST: u64 = 2_000_000;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for n in 1..=LAST {
                    counters.write(Counted { count: n, events: 2 * n, bytes: 3 * n, last: 4 * n });
                }
            });
            let mut before = 0;
            while before < LAST {
                let n = counters.read().count;
                assert!(n >= before);
                before = n;
                let Counted { count, events, bytes, last } = counters.read();
                assert_eq!((events, bytes, last), (2 * count, 3 * count, 4 * count));
            }
        });
    }
}
