//! The numbers of a log.

use std::time::SystemTime;

use crate::times;
use crate::types::{Tier, interface as wit};

/// The numbers of a log, from its listing, its manifest and at most its indexes. Returned by
/// [`Host::stat`](crate::Host::stat).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Stats {
    /// The number of batches, manifests, segments and indexes in the log's folder.
    pub objects: u64,
    /// The number of live batches that readers are shown.
    pub batches: u64,
    /// The number of live batches that no reader is shown, since an earlier batch of the same
    /// writer is not in the store.
    ///
    /// They were not acknowledged. Only `objects` counts them, too.
    pub hidden_batches: u64,
    /// The number of segments that the current manifest names.
    pub segments: u64,
    /// The number of readable events in segments and live batches.
    ///
    /// Trimmed events, lost events and those of `uncounted_batches` do not count.
    pub events: u64,
    /// The number of events that a repair recorded as lost; `events` does not include them.
    ///
    /// They keep their positions, and readers count them as missed.
    pub lost_events: u64,
    /// The number of live batches whose names do not contain their number of events
    /// (`batch_TIME.jsonl`).
    pub uncounted_batches: u64,
    /// The bytes of segments and live batches.
    pub bytes: u64,
    /// The number of events that a lazy trim left in the first segment.
    ///
    /// The next compaction removes them. `events` does not include them; `bytes` includes their
    /// bytes.
    pub trimmed_events: u64,
    /// The generation of the current manifest; 0 before the first compaction.
    pub generation: u64,
    /// The identity of the log, 16 hexadecimal digits; none before the first compaction.
    ///
    /// It is random. The first compaction creates it, and it never changes.
    pub identity: Option<String>,
    /// The time of the oldest batch, absorbed or live.
    pub first_time: Option<SystemTime>,
    /// The time of the newest batch, absorbed or live.
    pub last_time: Option<SystemTime>,
    /// The position of the first event that is not trimmed.
    pub first_position: u64,
    /// The position that the next absorbed event gets.
    pub next_position: u64,
    /// The segments by size, smallest first, in the tiers of
    /// [`Host::compact`](crate::Host::compact) with its defaults.
    pub tiers: Vec<Tier>,
    /// The number of garbage objects, which the next compaction deletes.
    ///
    /// They are absorbed batches, segments and indexes that the current manifest does not name, and
    /// old manifests.
    pub garbage_objects: u64,
    /// The bytes of the garbage.
    pub garbage_bytes: u64,
    /// The number of files of writes that are in flight or were killed.
    ///
    /// A later write removes files of killed writes. Only a folder has such files.
    pub unfinished_objects: u64,
    /// The bytes of these files.
    pub unfinished_bytes: u64,
    /// The bytes of all batches that were ever absorbed.
    pub absorbed_bytes: u64,
    /// The bytes of all segments that were ever committed.
    ///
    /// The write amplification so far is 1 + `compacted_bytes` / (`absorbed_bytes` + bytes of live
    /// batches).
    pub compacted_bytes: u64,
}

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

impl From<wit::Stats> for Stats {
    fn from(stats: wit::Stats) -> Self {
        Self {
            objects: stats.objects,
            batches: stats.batches,
            hidden_batches: stats.hidden_batches,
            segments: stats.segments,
            events: stats.events,
            lost_events: stats.lost_events,
            uncounted_batches: stats.uncounted_batches,
            bytes: stats.bytes,
            trimmed_events: stats.trimmed_events,
            generation: stats.generation,
            identity: stats.identity,
            first_time: stats.first_time.and_then(times::of_micros),
            last_time: stats.last_time.and_then(times::of_micros),
            first_position: stats.first_position,
            next_position: stats.next_position,
            tiers: stats.tiers,
            garbage_objects: stats.garbage_objects,
            garbage_bytes: stats.garbage_bytes,
            unfinished_objects: stats.unfinished_objects,
            unfinished_bytes: stats.unfinished_bytes,
            absorbed_bytes: stats.absorbed_bytes,
            compacted_bytes: stats.compacted_bytes,
        }
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
