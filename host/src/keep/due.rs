//! Decides what a log needs, by its policy, the names of its objects, and what was read of it
//! before.
//!
//! 1. Nothing is read here, and nothing is decided elsewhere.
//! 2. A mirror is verified and nothing else: only copies write it.
//! 3. What the names do not tell is needed for a retention alone. It is counted once, and again
//!    once the names change.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::policy::Policy;
use crate::log::NameCounts;

/// The part beyond a limit of events or bytes that starts a trim: one in this many.
const BEYOND_PARTS: u64 = 10;

/// The facts that are known of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// The time of the oldest batch, absorbed or live.
    pub(super) first_time: Option<SystemTime>,
    pub(super) events: u64,
    pub(super) bytes: u64,
}

impl Known {
    /// Returns what the names tell, if they tell all of it: of a log that was never compacted.
    pub(super) fn by_names(counts: &NameCounts) -> Option<Self> {
        let first_time = counts.first_batch_time;
        counts.events.map(|events| Self { first_time, events, bytes: counts.bytes })
    }
}

/// The work that is due, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) compaction: bool,
    /// Removes events from before this time.
    pub(super) before: Option<SystemTime>,
    /// Keeps this many events.
    pub(super) events: Option<u64>,
    /// Keeps the newest objects with this many bytes.
    pub(super) bytes: Option<u64>,
    pub(super) verification: bool,
}

/// The times of a sweep.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) now: SystemTime,
    /// The time between the sweep before and this one.
    pub(super) since_last: Duration,
}

impl Times {
    /// Returns whether a time is at least an age ago.
    fn is_past(&self, time: SystemTime, age: Duration) -> bool {
        self.now.duration_since(time).is_ok_and(|passed| passed >= age)
    }
}

impl Due {
    /// Returns what the names decide.
    pub(super) fn by_names(policy: &Policy, name: &str, counts: &NameCounts, at: Times) -> Self {
        let is_old =
            |age: Duration| counts.first_batch_time.is_some_and(|first| at.is_past(first, age));
        let are_many = policy.compact_batches.is_some_and(|many| counts.batches >= many.max(2));
        let are_old = policy.compact_age.is_some_and(is_old);
        // A killed compaction has left segments. The next one removes them.
        let has_unnamed = counts.uncommitted_segments > 0;
        let has_policy = policy.compact_batches.is_some() || policy.compact_age.is_some();
        let compacts = has_policy && !counts.mirror;
        Self {
            compaction: compacts && counts.batches >= 2 && (are_many || are_old || has_unnamed),
            verification: policy.verify_every.is_some_and(|every| is_turn(name, every, at)),
            ..Self::default()
        }
    }

    /// Adds what a retention decides.
    pub(super) fn with_retention(mut self, policy: &Policy, known: Known, at: Times) -> Self {
        let beyond = |limit: u64| limit.saturating_add((limit / BEYOND_PARTS).max(1));
        if let Some(age) = policy.keep_age {
            let late = age.saturating_add(policy.trim_every);
            let is_late = known.first_time.is_some_and(|first| at.is_past(first, late));
            self.before = is_late.then(|| at.now.checked_sub(age)).flatten();
        }
        self.events = policy.keep_events.filter(|events| known.events >= beyond(*events));
        self.bytes = policy.keep_bytes.filter(|bytes| known.bytes >= beyond(*bytes));
        self
    }
}

/// Returns whether the turn of a log is between the sweep before and this one. Every log has one
/// turn in each interval, at a time that follows from its name.
fn is_turn(name: &str, interval: Duration, at: Times) -> bool {
    let Some(period) = u64::try_from(interval.as_micros()).ok().filter(|it| *it > 0) else {
        return false;
    };
    let micros = |time: SystemTime| {
        let since_1970 = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since_1970.as_micros()).unwrap_or(u64::MAX)
    };
    let turn = twox_hash::XxHash3_64::oneshot(name.as_bytes()) % period;
    let turns_until = |time: SystemTime| micros(time).saturating_sub(turn) / period;
    let last = at.now.checked_sub(at.since_last).unwrap_or(UNIX_EPOCH);
    turns_until(last) < turns_until(at.now)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);
    const DAY: Duration = Duration::from_hours(24);

    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_700_000_000)
    }

    fn at() -> Times {
        Times { now: now(), since_last: HOUR }
    }

    fn counts(batches: u64, age: Duration) -> NameCounts {
        let first_batch_time = Some(now() - age);
        NameCounts { batches, batch_events: batches, first_batch_time, ..NameCounts::default() }
    }

    #[test]
    fn log_is_compacted_if_its_batches_are_many_or_aged() {
        let by_default = Policy::new();
        let by_age = Policy::new().compact_batches(None);
        let by_number = Policy::new().compact_age(None).compact_batches(Some(0));
        let never = Policy::new().compact_age(None).compact_batches(None);
        for (policy, batches, age, expected) in [
            (&by_default, 99, HOUR, false),
            (&by_default, 100, HOUR, true),
            (&by_default, 2, DAY, true),
            (&by_default, 2, DAY - HOUR, false),
            (&by_default, 1, 9 * DAY, false),
            (&by_age, 100_000, HOUR, false),
            (&by_age, 2, DAY, true),
            (&by_number, 1, 9 * DAY, false),
            (&by_number, 2, HOUR, true),
            (&never, 100_000, 9 * DAY, false),
        ] {
            let due = Due::by_names(policy, "a", &counts(batches, age), at());
            assert_eq!(due.compaction, expected, "{policy:?} {batches} {age:?}");
        }
        let left = NameCounts { uncommitted_segments: 1, ..counts(2, HOUR) };
        assert!(Due::by_names(&by_default, "a", &left, at()).compaction);
        assert!(!Due::by_names(&never, "a", &left, at()).compaction);
        let mirror = NameCounts { mirror: true, ..counts(100_000, 9 * DAY) };
        assert!(!Due::by_names(&by_default, "a", &mirror, at()).compaction);
    }

    #[test]
    fn retention_removes_only_what_is_named_and_late() {
        let known =
            |age: Duration, events, bytes| Known { first_time: Some(now() - age), events, bytes };
        let none = Due::default();
        let with = |policy: &Policy, known| none.with_retention(policy, known, at());
        assert_eq!(with(&Policy::new(), known(9_999 * DAY, u64::MAX, u64::MAX)), none);
        let by_age = Policy::new().keep_age(30 * DAY);
        assert_eq!(with(&by_age, known(31 * DAY - HOUR, 9, 9)), none);
        let due = with(&by_age, known(31 * DAY, 9, 9));
        assert_eq!(due, Due { before: Some(now() - 30 * DAY), ..none });
        let empty = Known { first_time: None, events: 0, bytes: 0 };
        assert_eq!(with(&by_age, empty), none);
        let often = by_age.trim_every(HOUR);
        assert_eq!(with(&often, known(30 * DAY + HOUR, 9, 9)).before, Some(now() - 30 * DAY));
        let by_events = Policy::new().keep_events(100);
        assert_eq!(with(&by_events, known(DAY, 109, 9)), none);
        assert_eq!(with(&by_events, known(DAY, 110, 9)), Due { events: Some(100), ..none });
        let by_bytes = Policy::new().keep_bytes(5);
        assert_eq!(with(&by_bytes, known(DAY, 9, 5)), none);
        assert_eq!(with(&by_bytes, known(DAY, 9, 6)), Due { bytes: Some(5), ..none });
    }

    #[test]
    fn turn_of_a_log_comes_once_in_each_interval() {
        let policy = Policy::new().verify_every(30 * DAY);
        for name in ["a", "app/errors", "0123456789"] {
            // Sweeps of odd lengths.
            let (mut time, mut turns) = (now(), 0);
            let mut step = 1;
            while time < now() + 300 * DAY {
                step = step * 7 % 31 + 1;
                let since_last = HOUR * step;
                time += since_last;
                let at = Times { now: time, since_last };
                let due = Due::by_names(&policy, name, &counts(1, HOUR), at);
                turns += u32::from(due.verification);
            }
            assert!((10..=11).contains(&turns), "{name}: {turns}");
        }
        // A share of the logs in each sweep.
        let due = (0..720).filter(|number| {
            Due::by_names(&policy, &format!("log{number}"), &counts(1, HOUR), at()).verification
        });
        assert!(due.count() <= 5);
    }
}
