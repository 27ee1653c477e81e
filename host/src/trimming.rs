//! Giving up the beginning of a log: up to where, and what that did.

use crate::bindings::exports::stratalog::log::append_log as wit;

/// Up to where to trim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrimPoint {
    /// Everything before this position, as [`Reader::position`](crate::Reader::position) gave it. A
    /// bare number is the position of the event of that number.
    Position(String),
    /// Events before the first one whose batch was sealed at this time or later, in microseconds
    /// since 1970.
    Time(u64),
    /// All but the last so many events, those of live batches counted.
    KeepEvents(u64),
}

/// What a trim did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// Events that are no longer in the log; 0 when nothing was to do.
    pub events: u64,
    /// Segments that were dropped whole: their bytes are free.
    pub segments: u64,
    /// Bytes of those.
    pub bytes: u64,
    /// The first position that is left.
    pub first_position: u64,
    /// Live batches before the point: they stay until a compaction has absorbed them.
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
        let wit::Trimmed { events, segments, bytes, first_position, live_batches } = done;
        Self { events, segments, bytes, first_position, live_batches }
    }
}
