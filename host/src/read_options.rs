//! What a reading pass yields.

use crate::types::interface as wit;

/// What to read: where to begin, where to end and what to leave out. With nothing set a pass reads
/// everything stored.
///
/// What does not fit together, or is no position, is [`Error::InvalidInput`](crate::Error) of
/// [`Host::read_with`](crate::Host::read_with).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    start: Option<String>,
    last: Option<u64>,
    limit: Option<u64>,
    since: Option<u64>,
    until: Option<u64>,
    skip_damaged: bool,
}

impl ReadOptions {
    /// Everything stored, from the beginning.
    pub fn new() -> Self {
        Self::default()
    }

    /// Goes on from this position, as [`Reader::position`](crate::Reader::position) gave it, without
    /// repeating or skipping an event. A bare number is the position of the event of that number. A
    /// position of another log, or of one that was removed and made anew, is refused.
    #[must_use]
    pub fn start(mut self, position: impl Into<String>) -> Self {
        self.start = Some(position.into());
        self
    }

    /// Yields only the last so many events that are stored now, and what comes later. Not together
    /// with `start`.
    #[must_use]
    pub fn last(mut self, events: u64) -> Self {
        self.last = Some(events);
        self
    }

    /// Ends the pass after this many events. The position is right behind the last of them.
    #[must_use]
    pub fn limit(mut self, events: u64) -> Self {
        self.limit = Some(events);
        self
    }

    /// Leaves out events whose batch was sealed before this time, in microseconds since 1970. What
    /// is left out counts as passed: a later pass from the position does not yield it.
    #[must_use]
    pub fn since(mut self, micros: u64) -> Self {
        self.since = Some(micros);
        self
    }

    /// Leaves out events whose batch was sealed at this time or later, in microseconds since 1970.
    /// They count as passed, too.
    #[must_use]
    pub fn until(mut self, micros: u64) -> Self {
        self.until = Some(micros);
        self
    }

    /// Leaves out what is damaged instead of ending with [`Error::Damaged`](crate::Error::Damaged): a live
    /// batch, a batch in a segment, or, where a segment's index is damaged, what is left of the segment.
    /// [`Reader::take_skipped`](crate::Reader::take_skipped) says what was left out; it counts as passed by
    /// the position. A damaged manifest stays an error, and so does an index that says whether a live
    /// batch is in the log twice. Default: false.
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
        wit::ReadOptions { start, last, limit, since, until, pending: None }
    }
}

/// A pass that reads what a handle would read.
pub(crate) fn of_pending(pending: wit::Pending) -> wit::ReadOptions {
    wit::ReadOptions { pending: Some(pending), ..Default::default() }
}
