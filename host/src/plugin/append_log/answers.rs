//! What the library answers, as a plugin gets it. Objects are named below the label.

use super::wit;
use crate::records::{Compaction, CompactionPlan, Page, Stats, Tier, Written};
use crate::sandbox::bindings::exports::stratalog::log::append_log as inner;
use crate::sandbox::imports::access::KeyScope;
use crate::trimming::Trimmed;
use crate::verifier::{Checked, Finding, LeftoverReason};

impl KeyScope {
    pub(super) fn compaction(&self, done: Compaction) -> wit::Compaction {
        let Compaction { merged_files, batches, segments, events, bytes, new_segments, new_key } =
            done;
        let new_key = new_key.map(|key| self.object(&key));
        wit::Compaction { merged_files, batches, segments, events, bytes, new_segments, new_key }
    }

    pub(super) fn checked(&self, checked: Checked) -> wit::Checked {
        let Checked {
            objects,
            objects_total,
            bytes,
            bytes_total,
            events,
            trimmed_events,
            findings,
        } = checked;
        let findings = findings.into_iter().map(|finding| self.finding(finding)).collect();
        wit::Checked {
            objects,
            objects_total,
            bytes,
            bytes_total,
            events,
            trimmed_events,
            findings,
        }
    }

    fn finding(&self, finding: Finding) -> wit::Finding {
        match finding {
            Finding::Damaged { object, expected, found } => {
                let object = self.object(&object);
                wit::Finding::Damaged(wit::Damage { object, expected, found })
            }
            Finding::Leftover { object, bytes, reason } => {
                let reason = match reason {
                    LeftoverReason::AbsorbedBatch => wit::LeftoverReason::AbsorbedBatch,
                    LeftoverReason::UnnamedSegment => wit::LeftoverReason::UnnamedSegment,
                    LeftoverReason::OldManifest => wit::LeftoverReason::OldManifest,
                    LeftoverReason::UnfinishedWrite => wit::LeftoverReason::UnfinishedWrite,
                };
                let object = self.object(&object);
                wit::Finding::Leftover(wit::Leftover { object, bytes, reason })
            }
        }
    }
}

impl From<Written> for wit::Written {
    fn from(written: Written) -> Self {
        let Written { batches, events, bytes } = written;
        Self { batches, events, bytes }
    }
}

impl From<Page> for wit::Page {
    fn from(page: Page) -> Self {
        let Page { lines, events, missed } = page;
        Self { lines: lines.into(), events, missed }
    }
}

impl From<CompactionPlan> for wit::CompactionPlan {
    fn from(plan: CompactionPlan) -> Self {
        let CompactionPlan { batches, segments, bytes, garbage_objects, garbage_bytes } = plan;
        Self { batches, segments, bytes, garbage_objects, garbage_bytes }
    }
}

impl From<Trimmed> for wit::Trimmed {
    fn from(done: Trimmed) -> Self {
        let Trimmed {
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

impl From<Stats> for wit::Stats {
    fn from(stats: Stats) -> Self {
        let Stats {
            objects,
            batches,
            segments,
            events,
            lost_events,
            uncounted_batches,
            bytes,
            trimmed_events,
            generation,
            identity,
            first_time,
            last_time,
            first_position,
            next_position,
            tiers,
            garbage_objects,
            garbage_bytes,
            unfinished_objects,
            unfinished_bytes,
            absorbed_bytes,
            compacted_bytes,
        } = stats;
        let tier = |Tier { tier, segments, bytes }| wit::Tier { tier, segments, bytes };
        let tiers = tiers.into_iter().map(tier).collect();
        Self {
            objects,
            batches,
            segments,
            events,
            lost_events,
            uncounted_batches,
            bytes,
            trimmed_events,
            generation,
            identity,
            first_time,
            last_time,
            first_position,
            next_position,
            tiers,
            garbage_objects,
            garbage_bytes,
            unfinished_objects,
            unfinished_bytes,
            absorbed_bytes,
            compacted_bytes,
        }
    }
}

impl From<inner::Pending> for wit::Pending {
    fn from(pending: inner::Pending) -> Self {
        let inner::Pending { writer, last_time, sealed, lines } = pending;
        let sealed = sealed.map(|batch| wit::SealedBatch { name: batch.name, lines: batch.lines });
        Self { writer, last_time, sealed, lines }
    }
}

/// What a log holds that was closed, or may not be asked.
pub(super) fn nothing_pending() -> wit::Pending {
    wit::Pending { writer: 0, last_time: 0, sealed: None, lines: Vec::new() }
}
