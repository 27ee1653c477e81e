//! Policies: the work that is due for a log, and when.

use std::time::Duration;

/// The work of a [`Keeper`](crate::keep::Keeper) for a log. By default it compacts, and removes
/// nothing: a retention has to be set.
///
/// Retentions remove what every one of them that is set allows to remove first: a log with 30 days
/// and 1,000,000 events keeps no event that is older, and no more than these. A trim leaves the
/// events that were sealed within `trim_every` after a retention has passed them, so that a log is
/// rewritten at its boundary once in that time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub(super) compact_batches: Option<u64>,
    pub(super) compact_age: Option<Duration>,
    pub(super) keep_age: Option<Duration>,
    pub(super) keep_events: Option<u64>,
    pub(super) keep_bytes: Option<u64>,
    pub(super) keep_unread: bool,
    pub(super) trim_every: Duration,
    pub(super) verify_every: Option<Duration>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            compact_batches: Some(Self::COMPACT_BATCHES_DEFAULT),
            compact_age: Some(Self::COMPACT_AGE_DEFAULT),
            keep_age: None,
            keep_events: None,
            keep_bytes: None,
            keep_unread: false,
            trim_every: Self::TRIM_EVERY_DEFAULT,
            verify_every: None,
        }
    }
}

impl Policy {
    /// The number of batches from which a log is compacted by default.
    pub const COMPACT_BATCHES_DEFAULT: u64 = 100;
    /// The age of the oldest batch from which a log is compacted by default.
    pub const COMPACT_AGE_DEFAULT: Duration = Duration::from_hours(24);
    /// The time between two trims of a log by default.
    pub const TRIM_EVERY_DEFAULT: Duration = Duration::from_hours(24);

    /// Creates a policy with all defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Compacts a log once it has this many batches, 2 or more. None: their number does not matter.
    #[must_use]
    pub fn compact_batches(mut self, batches: Option<u64>) -> Self {
        self.compact_batches = batches;
        self
    }

    /// Compacts a log once the oldest of two or more batches has this age. None: their age does not
    /// matter.
    #[must_use]
    pub fn compact_age(mut self, age: Option<Duration>) -> Self {
        self.compact_age = age;
        self
    }

    /// Permanently removes events that are older, by the times of their batches.
    #[must_use]
    pub fn keep_age(mut self, age: Duration) -> Self {
        self.keep_age = Some(age);
        self
    }

    /// Permanently removes the oldest events beyond this number, once a tenth more are there.
    #[must_use]
    pub fn keep_events(mut self, events: u64) -> Self {
        self.keep_events = Some(events);
        self
    }

    /// Permanently removes the oldest segments and batches, once a log has a tenth more bytes. The
    /// newest that have this many bytes together stay.
    #[must_use]
    pub fn keep_bytes(mut self, bytes: u64) -> Self {
        self.keep_bytes = Some(bytes);
        self
    }

    /// Removes no event that a named position of the log has not passed.
    #[must_use]
    pub fn keep_unread(mut self, keep: bool) -> Self {
        self.keep_unread = keep;
        self
    }

    /// Sets the time between two trims of a log by age.
    #[must_use]
    pub fn trim_every(mut self, interval: Duration) -> Self {
        self.trim_every = interval;
        self
    }

    /// Verifies every object of a log once in this time. Which part of it belongs to a log follows
    /// from its name, so that each sweep verifies a share of all logs.
    #[must_use]
    pub fn verify_every(mut self, interval: Duration) -> Self {
        self.verify_every = Some(interval);
        self
    }

    /// Returns whether the policy ever removes events.
    pub fn removes_events(&self) -> bool {
        self.keep_age.is_some() || self.keep_events.is_some() || self.keep_bytes.is_some()
    }
}
