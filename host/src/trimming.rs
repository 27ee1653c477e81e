//! Giving up the beginning of a log: up to where, and what that did.

use crate::sandbox::bindings::exports::stratalog::log::append_log as wit;

/// Up to where to trim. A trim takes a beginning of the log: it ends before the first event that is to
/// stay, and whatever stands behind that event stays, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrimPoint {
    /// Everything before this position, as [`Reader::position`](crate::Reader::position) gave it: what
    /// that reader had passed, up to the first event that it had not. A bare number is the position of
    /// the event of that number.
    Position(String),
    /// Events before the first one whose batch was sealed at this time or later, in microseconds
    /// since 1970, by the clock of its writer. Events that were sealed earlier and stand behind it stay.
    Time(u64),
    /// All but the last N events, those of live batches counted.
    KeepEvents(u64),
}

/// How to trim. What is not set takes its default, which the documentation of each method names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrimOptions {
    lazy: bool,
}

impl TrimOptions {
    /// All defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Leaves trimmed events in the segment at the boundary to the next compaction, which rewrites it
    /// without them. Until then no reader yields them, but whoever can read the store can. Default:
    /// false, the segment is rewritten now.
    #[must_use]
    pub fn lazy(mut self, lazy: bool) -> Self {
        self.lazy = lazy;
        self
    }

    pub(crate) fn to_wit(self) -> wit::TrimOptions {
        wit::TrimOptions { lazy: self.lazy }
    }
}

/// What a trim did or, of [`Host::plan_trim`](crate::Host::plan_trim), would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// Events that are no longer in the log; 0 when there was nothing to do.
    pub events: u64,
    /// Segments that were dropped whole, those not counted that the trim itself has made.
    pub segments: u64,
    /// Bytes that the log holds no longer: those of dropped segments, and those of trimmed events in
    /// the segment at the boundary.
    pub bytes: u64,
    /// Bytes of the new segment at the boundary: what is left of the one that was rewritten; 0 if none
    /// was.
    pub rewritten_bytes: u64,
    /// Live batches that were absorbed first, since the point covers them.
    pub absorbed_batches: u64,
    /// The first position that is left.
    pub first_position: u64,
    /// Live batches that the point names and that stay, since they stand behind an event that stays.
    pub live_batches: u64,
}

impl From<TrimPoint> for wit::TrimPoint {
    fn from(point: TrimPoint) -> Self {
        match point {
            TrimPoint::Position(position) => Self::Position(position),
            TrimPoint::Time(micros) => Self::Time(micros),
            TrimPoint::KeepEvents(events) => Self::KeepEvents(events),
        }
    }
}

impl From<wit::Trimmed> for Trimmed {
    fn from(done: wit::Trimmed) -> Self {
        let wit::Trimmed {
            events,
            segments,
            bytes,
            rewritten_bytes,
            absorbed_batches,
            first_position,
            live_batches,
        } = done;
        Self {
            events,
            segments,
            bytes,
            rewritten_bytes,
            absorbed_batches,
            first_position,
            live_batches,
        }
    }
}
