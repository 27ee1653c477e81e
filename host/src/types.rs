//! The data types of the log's interface, generated from `wit/types.wit`, which has their
//! documentation. The bindings of the log's component and those of plugins share them.

use std::fmt;
use std::time::SystemTime;

use crate::numbers::size;
use crate::times;

#[allow(clippy::all, clippy::pedantic, clippy::restriction, missing_docs, reason = "generated")]
mod bindings {
    #[cfg(not(feature = "serde"))]
    wit_bindings! {
        world: "data",
        additional_derives: [PartialEq, Eq],
    }
    #[cfg(feature = "serde")]
    wit_bindings! {
        world: "data",
        additional_derives: [PartialEq, Eq, serde::Serialize],
    }
}

/// All generated types, for the other bindings.
#[cfg_attr(
    not(feature = "plugins"),
    allow(unreachable_pub, reason = "of the bindings of plugins")
)]
pub use bindings::stratalog::log::types as interface;
pub use interface::{
    CompactOptions, Compaction, CompactionPlan, Damage, EventFault, Finding, Garbage,
    GarbageReason, InvalidEvent, NoLog, RepairAction, RepairStep, Skipped, StoreFailure, Stranded,
    Tier, TooLong, TrimOptions, TrimResult, VerifyProgress, WriteFailure, WriteFate, Written,
};

impl CompactOptions {
    /// The default `fan_in`.
    pub const FAN_IN_DEFAULT: u32 = 8;
    /// The smallest `fan_in`.
    pub const FAN_IN_MIN: u32 = 2;
    /// The largest `fan_in`.
    pub const FAN_IN_MAX: u32 = 64;
    /// The default `segment_bytes_max`.
    pub const SEGMENT_BYTES_DEFAULT: u64 = 128 * 1024 * 1024;
    /// The largest `segment_bytes_max`.
    pub const SEGMENT_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;

    /// Creates options with all defaults: absorbs live batches and merges segments by tiers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Absorbs every live batch and merges all segments: see the field `full`.
    #[must_use]
    pub fn full(mut self, full: bool) -> Self {
        self.full = full;
        self
    }

    /// Sets the number of segments merged into one: see the field `fan_in`.
    #[must_use]
    pub fn fan_in(mut self, segments: u32) -> Self {
        self.fan_in = Some(segments);
        self
    }

    /// Sets the maximum size of a new segment: see the field `segment_bytes_max`.
    #[must_use]
    pub fn segment_bytes_max(mut self, bytes: u64) -> Self {
        self.segment_bytes_max = Some(bytes);
        self
    }

    /// Sets the maximum number of batches absorbed: see the field `batches_max`.
    #[must_use]
    pub fn batches_max(mut self, batches: u32) -> Self {
        self.batches_max = Some(batches);
        self
    }
}

/// The end of a trim. A trim removes the oldest events. It ends before the first event that is to
/// stay, and all events behind that one stay, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrimPoint {
    /// Removes the events before this position, as [`Reader::position`](crate::Reader::position) or
    /// [`Event::position`](crate::Event::position) returned it.
    ///
    /// These are all events that the reader had passed, up to the first that it had not. A number
    /// alone is the position of the event with that number. The trim fails with
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) if the position is beyond the end of the
    /// log, or belongs to another log.
    Position(String),
    /// Removes the events before the first whose batch was sealed at this time or later, by the
    /// clock of the batch's writer.
    ///
    /// Events behind that one stay even if they were sealed earlier, for example by a writer with a
    /// slow clock.
    Time(SystemTime),
    /// Keeps only the last N readable events, including those in live batches.
    KeepEvents(u64),
}

impl From<TrimPoint> for interface::TrimPoint {
    fn from(point: TrimPoint) -> Self {
        match point {
            TrimPoint::Position(position) => Self::Position(position),
            TrimPoint::Time(time) => Self::Time(times::to_micros(time)),
            TrimPoint::KeepEvents(events) => Self::KeepEvents(events),
        }
    }
}

impl TrimOptions {
    /// Creates options with all defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Leaves the rewrite to the next compaction: see the field `lazy`.
    #[must_use]
    pub fn lazy(mut self, lazy: bool) -> Self {
        self.lazy = lazy;
        self
    }

    /// Removes no event that a named position has not passed: see the field `keep_unread`.
    #[must_use]
    pub fn keep_unread(mut self, keep: bool) -> Self {
        self.keep_unread = keep;
        self
    }
}

impl RepairStep {
    /// Returns whether `events_lost` is only the least number of lost events. That is so for a
    /// batch that is gone: nothing records how many events it had.
    pub fn is_events_lost_minimum(&self) -> bool {
        let name = self.damage.object.rsplit('/').next().unwrap_or_default();
        self.action == RepairAction::Gone && name.starts_with("batch_")
    }
}

impl fmt::Display for EventFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the event is empty: an event has at least one byte"),
            Self::LineFeed => f.write_str("the event has a line feed inside: an event is one line"),
            Self::TooLong(TooLong { bytes, bytes_max }) => {
                write!(f, "the event has {}, more than event_bytes_max = {bytes_max}", size(*bytes))
            }
            Self::Unterminated => f.write_str("the last line does not end with a line feed"),
        }
    }
}

impl fmt::Display for WriteFate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Durable => "the object is durable",
            Self::NotWritten => "the object was not written",
            Self::Unknown => "the object may have been written",
        })
    }
}

impl fmt::Display for GarbageReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AbsorbedBatch => "a batch that a segment contains",
            Self::UnnamedSegment => "a segment or index that the manifest does not name",
            Self::OldManifest => "an old manifest",
            Self::UnfinishedWrite => "a write that is in flight or was killed",
            Self::OldPosition => "an old commit of a named position",
        })
    }
}

/// Implements `Default` for records by the defaults of their fields. The bindings cannot derive it,
/// since variants have no default.
macro_rules! default_fields {
    ($($record:ty { $($field:ident),* })*) => {
        $(impl Default for $record {
            fn default() -> Self {
                Self { $($field: Default::default()),* }
            }
        })*
    };
}

default_fields! {
    interface::Options {
        flush_threshold, flush_bytes, flush_interval_ms, event_bytes_max, buffer_bytes_max,
        creates_max
    }
    interface::ReadOptions { start, last, limit, since, until, pending }
    interface::Pending { writer, last_time, sealed, lines }
    CompactOptions { full, fan_in, segment_bytes_max, batches_max }
    TrimOptions { lazy, keep_unread }
    Written { batches, events, bytes }
    Compaction { merged_files, batches, segments, events, bytes, new_segments, new_key }
    TrimResult {
        events, segments, bytes, rewritten_bytes, absorbed_batches, first_position, live_batches,
        held_by
    }
    VerifyProgress { objects, objects_total, bytes, bytes_total, events, trimmed_events, findings }
}
