//! What operations answer: plain records.

use bytes::Bytes;

use crate::sandbox::bindings::exports::stratalog::log::append_log as wit;

/// What a handle has made durable since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Batches created, or confirmed as created by an earlier try.
    pub batches: u64,
    /// Events in them.
    pub events: u64,
    /// Bytes of them, an LF for each event included.
    pub bytes: u64,
}

/// Some events, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The events, each ended by LF; at most 64 MiB, usually half of one to three.
    pub lines: Bytes,
    /// How many.
    pub events: u64,
    /// How many events were trimmed before the reader came to them, right before this page: 0 unless
    /// it stood at a position that has been trimmed. Events whose bytes were lost, as a repair recorded,
    /// count, too: right before this page, between its events or right behind them. The position behind
    /// this page has passed them all, so a pass from there does not count them again. A page may tell just
    /// that and hold no events.
    pub missed: u64,
}

impl Page {
    /// The events without their LFs.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.lines.strip_suffix(b"\n").into_iter().flat_map(|lines| lines.split(|&b| b == b'\n'))
    }
}

/// What a compaction did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compaction {
    /// Batches absorbed and segments merged; 0 when nothing was to do.
    pub merged_files: u64,
    /// Batches among them.
    pub batches: u64,
    /// Segments among them.
    pub segments: u64,
    /// Events in the new segments.
    pub events: u64,
    /// Bytes of the new segments.
    pub bytes: u64,
    /// How many new segments there are.
    pub new_segments: u64,
    /// The first new segment, relative to the store's root; none when nothing was written.
    pub new_key: Option<String>,
}

/// What a compaction would do now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompactionPlan {
    /// Live batches that it would absorb.
    pub batches: u64,
    /// Segments that it would merge.
    pub segments: u64,
    /// Bytes that it would copy.
    pub bytes: u64,
    /// Objects that it would only delete: leftovers of crashed or lost compactions.
    pub garbage_objects: u64,
    /// Bytes of those.
    pub garbage_bytes: u64,
}

/// A log in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Objects of every kind that follow the naming scheme.
    pub objects: u64,
    /// Batches that no segment has absorbed.
    pub batches: u64,
    /// Segments.
    pub segments: u64,
    /// Events in segments and live batches that can be read: without trimmed and lost ones and those of
    /// `uncounted_batches`.
    pub events: u64,
    /// Events that a repair recorded as lost: they keep their positions, and readers count them as
    /// missed. They are not among `events`.
    pub lost_events: u64,
    /// Live batches of the old naming scheme: their names do not tell their number of events.
    pub uncounted_batches: u64,
    /// Bytes of segments and live batches.
    pub bytes: u64,
    /// Trimmed events that the first segment still holds, for the next compaction to remove: those of
    /// a lazy trim. They are not among `events`; their bytes are among `bytes`.
    pub trimmed_events: u64,
    /// Generation of the manifest in force; 0 before the first compaction.
    pub generation: u64,
    /// The identity of the log, 16 hexadecimal digits: random, made by its first compaction and kept
    /// for good. None before that.
    pub identity: Option<String>,
    /// Time of the oldest batch, absorbed or live, in microseconds since 1970.
    pub first_time: Option<u64>,
    /// Time of the newest batch, absorbed or live, in microseconds since 1970.
    pub last_time: Option<u64>,
    /// The position of the first event that is not trimmed.
    pub first_position: u64,
    /// The position that the next absorbed event gets.
    pub next_position: u64,
    /// Segments by size, smallest first, as a compaction with its defaults sees them.
    pub tiers: Vec<Tier>,
    /// Leftovers that the next compaction deletes: absorbed batches, segments and indexes that no
    /// manifest in force names, old manifests.
    pub garbage_objects: u64,
    /// Bytes of those.
    pub garbage_bytes: u64,
    /// Files of writes that are under way in a local folder, or were killed: the next write there
    /// removes those that nobody has written to for an hour.
    pub unfinished_objects: u64,
    /// Bytes of those.
    pub unfinished_bytes: u64,
    /// Bytes of all batches that were ever absorbed.
    pub absorbed_bytes: u64,
    /// Bytes of all segments that were ever committed.
    pub compacted_bytes: u64,
}

/// Segments of about one size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tier {
    /// A segment of tier t has at least 8^t bytes and fewer than 8^(t+1).
    pub tier: u32,
    /// How many.
    pub segments: u64,
    /// Bytes of them.
    pub bytes: u64,
}

impl Stats {
    /// How often each byte has been written so far, on the average: 1 before the first compaction,
    /// to hundredths. None for a log without a byte.
    pub fn write_amplification(&self) -> Option<f64> {
        let in_segments: u128 = self.tiers.iter().map(|tier| u128::from(tier.bytes)).sum();
        let live = u128::from(self.bytes).saturating_sub(in_segments);
        let once = live.saturating_add(self.absorbed_bytes.into());
        let again = u128::from(self.compacted_bytes).saturating_mul(100);
        let hundredths = again.saturating_add(once / 2).checked_div(once)?.saturating_add(100);
        Some(f64::from(u32::try_from(hundredths).unwrap_or(u32::MAX)) / 100.0)
    }
}

impl From<wit::Written> for Written {
    fn from(written: wit::Written) -> Self {
        let wit::Written { batches, events, bytes } = written;
        Self { batches, events, bytes }
    }
}

impl From<wit::Compaction> for Compaction {
    fn from(done: wit::Compaction) -> Self {
        let wit::Compaction {
            merged_files,
            batches,
            segments,
            events,
            bytes,
            new_segments,
            new_key,
        } = done;
        Self { merged_files, batches, segments, events, bytes, new_segments, new_key }
    }
}

impl From<wit::CompactionPlan> for CompactionPlan {
    fn from(plan: wit::CompactionPlan) -> Self {
        let wit::CompactionPlan { batches, segments, bytes, garbage_objects, garbage_bytes } = plan;
        Self { batches, segments, bytes, garbage_objects, garbage_bytes }
    }
}

impl From<wit::Tier> for Tier {
    fn from(tier: wit::Tier) -> Self {
        let wit::Tier { tier, segments, bytes } = tier;
        Self { tier, segments, bytes }
    }
}

impl From<wit::Stats> for Stats {
    fn from(stats: wit::Stats) -> Self {
        Self {
            objects: stats.objects,
            batches: stats.batches,
            segments: stats.segments,
            events: stats.events,
            lost_events: stats.lost_events,
            uncounted_batches: stats.uncounted_batches,
            bytes: stats.bytes,
            trimmed_events: stats.trimmed_events,
            generation: stats.generation,
            identity: stats.identity,
            first_time: stats.first_time,
            last_time: stats.last_time,
            first_position: stats.first_position,
            next_position: stats.next_position,
            tiers: stats.tiers.into_iter().map(Tier::from).collect(),
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
            // All trimmed: what was absorbed counts.
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
