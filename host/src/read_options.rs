//! Options of a read.

use std::time::SystemTime;

use crate::times;
use crate::types::interface as wit;

/// Options of a read: its beginning, its end, and the events to leave out.
///
/// Without any option, a pass reads all stored events.
///
/// [`Host::read_with`](crate::Host::read_with) fails with [`Error::InvalidInput`](crate::Error) if
/// options cannot be combined, or if `start` is not a position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    start: Option<String>,
    last: Option<u64>,
    limit: Option<u64>,
    since: Option<SystemTime>,
    until: Option<SystemTime>,
    skip_damaged: bool,
}

impl ReadOptions {
    /// Creates options that read all stored events, from the beginning.
    pub fn new() -> Self {
        Self::default()
    }

    /// Resumes from this position, without repeating or skipping an event.
    ///
    /// It is the result of [`Reader::position`](crate::Reader::position). A number alone is the
    /// position of the event with that number. A position of another log is refused. A log that was
    /// removed and created again is another log.
    #[must_use]
    pub fn start(mut self, position: impl Into<String>) -> Self {
        self.start = Some(position.into());
        self
    }

    /// Returns only the last N readable events that are stored now, and later ones.
    ///
    /// Cannot be combined with `start`.
    #[must_use]
    pub fn last(mut self, events: u64) -> Self {
        self.last = Some(events);
        self
    }

    /// Ends the pass after this many events. The position is then right behind the last of them.
    #[must_use]
    pub fn limit(mut self, events: u64) -> Self {
        self.limit = Some(events);
        self
    }

    /// Leaves out events whose batch was sealed before this time.
    ///
    /// The position passes these events: a later pass from the position does not return them.
    #[must_use]
    pub fn since(mut self, time: SystemTime) -> Self {
        self.since = Some(time);
        self
    }

    /// Leaves out events whose batch was sealed at this time or later.
    ///
    /// The position passes these events, too.
    #[must_use]
    pub fn until(mut self, time: SystemTime) -> Self {
        self.until = Some(time);
        self
    }

    /// Leaves out damaged events instead of ending with [`Error::Damaged`](crate::Error::Damaged).
    ///
    /// Default: false. The reader leaves out a live batch, or a batch in a segment. If the index of
    /// a segment is damaged, it leaves out the rest of the segment. The position passes events that
    /// were left out, and [`Reader::take_skipped`](crate::Reader::take_skipped) returns the damage.
    ///
    /// A damaged manifest stays an error. So does a damaged index that is needed to exclude that a
    /// live batch is in the log twice.
    #[must_use]
    pub fn skip_damaged(mut self, skip: bool) -> Self {
        self.skip_damaged = skip;
        self
    }

    pub(crate) fn skips_damaged(&self) -> bool {
        self.skip_damaged
    }

    pub(crate) fn into_wit(self) -> wit::ReadOptions {
        let Self { start, last, limit, since, until, skip_damaged: _ } = self;
        let [since, until] = [since, until].map(|time| time.map(times::to_micros));
        wit::ReadOptions { start, last, limit, since, until, pending: None }
    }
}

/// Returns the options of a pass that reads the log as a handle sees it.
pub(crate) fn of_pending(pending: wit::Pending) -> wit::ReadOptions {
    wit::ReadOptions { pending: Some(pending), ..Default::default() }
}
