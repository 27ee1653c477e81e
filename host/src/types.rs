//! The data types of the log's interface, generated from `wit/types.wit`, which has their
//! documentation. The bindings of the log's component and those of plugins share them.

use crate::numbers::size;
use std::fmt;

#[allow(clippy::all, clippy::pedantic, clippy::restriction, missing_docs, reason = "generated")]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "data",
        additional_derives: [PartialEq, Eq],
    });
}

/// All generated types, for the other bindings.
pub use bindings::stratalog::log::types as interface;
pub use interface::{
    CompactOptions, Compaction, CompactionPlan, Damage, EventFault, Finding, Garbage,
    GarbageReason, InvalidEvent, NoLog, RepairAction, RepairStep, Skipped, Stats, StoreFailure,
    Stranded, Tier, TooLong, TrimOptions, TrimPoint, TrimResult, VerifyProgress, WriteFailure,
    WriteFate, Written,
};

impl Stats {
    /// Returns the average number of times that each byte was written so far, to hundredths.
    ///
    /// 1 before the first compaction; none for a log without a byte.
    pub fn write_amplification(&self) -> Option<f64> {
        let in_segments: u128 = self.tiers.iter().map(|tier| u128::from(tier.bytes)).sum();
        let live = u128::from(self.bytes).saturating_sub(in_segments);
        let once = live + u128::from(self.absorbed_bytes);
        let again = u128::from(self.compacted_bytes) * 100;
        let hundredths = (again + once / 2).checked_div(once)? + 100;
        Some(f64::from(u32::try_from(hundredths).unwrap_or(u32::MAX)) / 100.0)
    }
}

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
    TrimOptions { lazy }
    Written { batches, events, bytes }
    Compaction { merged_files, batches, segments, events, bytes, new_segments, new_key }
    TrimResult {
        events, segments, bytes, rewritten_bytes, absorbed_batches, first_position, live_batches
    }
    VerifyProgress { objects, objects_total, bytes, bytes_total, events, trimmed_events, findings }
    Stats {
        objects, batches, hidden_batches, segments, events, lost_events, uncounted_batches, bytes,
        trimmed_events, generation, identity, first_time, last_time, first_position, next_position,
        tiers, garbage_objects, garbage_bytes, unfinished_objects, unfinished_bytes,
        absorbed_bytes, compacted_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn write_amplification_counts_every_byte_once_and_rewrites_on_top() {
        let tier = |bytes| Tier { tier: 0, segments: 1, bytes };
        let table = [
            // Bytes, in segments, absorbed, compacted.
            (0, 0, 0, 0, None),
            (100, 0, 0, 0, Some(1.0)),
            (200, 100, 100, 100, Some(1.5)),
            (300, 300, 300, 400, Some(2.33)),
            // All trimmed: absorbed bytes still count.
            (0, 0, 600, 1_000, Some(2.67)),
            (1, 0, u64::MAX, u64::MAX, Some(2.0)),
            (0, 0, 1, u64::MAX, Some(42_949_672.95)),
        ];
        for (bytes, in_segments, absorbed_bytes, compacted_bytes, expected) in table {
            let tiers = vec![tier(in_segments)];
            let stats = Stats { bytes, tiers, absorbed_bytes, compacted_bytes, ..Stats::default() };
            assert_eq!(stats.write_amplification(), expected, "{stats:?}");
        }
    }
}
