//! Verifications and numbers of logs that are not damaged.

use crate::bindings::stratalog::log::append_log::{stat, trim};
use crate::bindings::stratalog::log::types::{TrimOptions, TrimPoint};
use crate::logs::{
    Case, Outcome, batch, cases, compacted, holds, later, log_of, open, same, verified,
};

pub(crate) const CASES: &[Case] = cases![
    verification_counts_batches_and_segments,
    verification_counts_trimmed_events_apart,
    numbers_of_live_batches_are_exact,
];

fn verification_counts_batches_and_segments(log: &str) -> Outcome {
    log_of(log, &[2, 2])?;
    compacted(log)?;
    let writer = open(log)?;
    batch(&writer, &["live".to_owned()])?;
    let (counts, findings) = verified(log)?;
    same(findings.len(), 0)?;
    // A manifest, a segment, its index and a batch.
    same((counts.objects, counts.objects_total), (4, 4))?;
    same((counts.events, counts.bytes), (5, counts.bytes_total))
}

fn verification_counts_trimmed_events_apart(log: &str) -> Outcome {
    log_of(log, &[5, 5])?;
    compacted(log)?;
    trim(log, &TrimPoint::KeepEvents(7), TrimOptions { lazy: true, keep_unread: false })?;
    let (counts, findings) = verified(log)?;
    same((counts.events, counts.trimmed_events, findings.len()), (7, 3, 0))
}

fn numbers_of_live_batches_are_exact(log: &str) -> Outcome {
    let before = later()?;
    let all = log_of(log, &[2, 3])?;
    let after = later()?;
    let stats = stat(log)?;
    same((stats.objects, stats.batches, stats.segments, stats.hidden_batches), (2, 2, 0, 0))?;
    let bytes = all.iter().map(|event| event.len() + 1).sum::<usize>();
    same((stats.events, u64::try_from(bytes)), (5, Ok(stats.bytes)))?;
    same((stats.generation, stats.identity, stats.garbage_objects), (0, None, 0))?;
    let (Some(first), Some(last)) = (stats.first_time, stats.last_time) else {
        return holds(false, "there are no times");
    };
    holds(before <= first && first < last && last <= after, "the times are not those of writes")
}
