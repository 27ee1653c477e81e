//! Compactions.

use crate::bindings::stratalog::log::append_log::{compact, plan_compaction, stat};
use crate::bindings::stratalog::log::types::CompactOptions;
use crate::logs::{
    Case, Outcome, cases, compacted, holds, log_of, numbered, open, read_whole, same, tiered,
    verified,
};

pub(crate) const CASES: &[Case] = cases![
    compaction_makes_one_segment_of_batches,
    compaction_again_has_nothing_to_do,
    compaction_of_one_batch_needs_to_be_full,
    compaction_does_what_its_plan_says,
    compaction_splits_segments_by_size,
    compaction_absorbs_the_oldest_batches_first,
    compaction_merges_neighbours_of_a_tier,
    handle_compacts_its_own_log,
];

fn compaction_makes_one_segment_of_batches(log: &str) -> Outcome {
    let all = log_of(log, &[2, 3, 4])?;
    let done = compact(log, tiered())?;
    same((done.batches, done.segments, done.events, done.new_segments), (3, 0, 9, 1))?;
    let prefix = format!("{log}/segment_0000000000000000001_");
    holds(done.new_key.is_some_and(|key| key.starts_with(&prefix)), "the key differs")?;
    let stats = stat(log)?;
    same((stats.batches, stats.segments, stats.events, stats.generation), (0, 1, 9, 1))?;
    same(stats.identity.map(|identity| identity.len()), Some(16))?;
    same(read_whole(log)?, all)
}

fn compaction_again_has_nothing_to_do(log: &str) -> Outcome {
    log_of(log, &[2, 2])?;
    same(compact(log, tiered())?.merged_files, 2)?;
    for options in [tiered(), CompactOptions { full: true, ..tiered() }] {
        let done = compact(log, options)?;
        same((done.merged_files, done.new_segments), (0, 0))?;
    }
    same(stat(log)?.generation, 1)
}

fn compaction_of_one_batch_needs_to_be_full(log: &str) -> Outcome {
    let all = log_of(log, &[3])?;
    same(compact(log, tiered())?.merged_files, 0)?;
    same(compacted(log)?.batches, 1)?;
    same(read_whole(log)?, all)
}

fn compaction_does_what_its_plan_says(log: &str) -> Outcome {
    log_of(log, &[2, 2, 2])?;
    let planned = plan_compaction(log, tiered())?;
    same((stat(log)?.batches, stat(log)?.generation), (3, 0))?;
    let done = compact(log, tiered())?;
    same((planned.batches, planned.segments, planned.bytes), (3, 0, done.bytes))?;
    let planned = plan_compaction(log, tiered())?;
    same((planned.batches, planned.segments, planned.bytes), (0, 0, 0))
}

fn compaction_splits_segments_by_size(log: &str) -> Outcome {
    let all = log_of(log, &[10, 10, 10, 10])?;
    let small = CompactOptions { full: true, segment_bytes_max: Some(200), ..tiered() };
    same(compact(log, small)?.new_segments, 2)?;
    same(read_whole(log)?, &all[..])?;
    same(compacted(log)?.segments, 2)?;
    same((stat(log)?.segments, read_whole(log)?), (1, all))
}

fn compaction_absorbs_the_oldest_batches_first(log: &str) -> Outcome {
    let all = log_of(log, &[1, 1, 1, 1, 1])?;
    let few = CompactOptions { batches_max: Some(2), ..tiered() };
    same(compact(log, few)?.batches, 2)?;
    let stats = stat(log)?;
    same((stats.next_position, stats.batches, stats.events), (2, 3, 5))?;
    same(read_whole(log)?, all)
}

fn compaction_merges_neighbours_of_a_tier(log: &str) -> Outcome {
    let writer = open(log)?;
    let pairs = CompactOptions { fan_in: Some(2), ..tiered() };
    for events in numbered(16).chunks(2) {
        for event in events {
            writer.append(event.as_bytes())?;
            writer.flush()?;
        }
        compact(log, pairs)?;
    }
    let stats = stat(log)?;
    holds(stats.segments <= 4, &format!("{} segments", stats.segments))?;
    same((stats.batches, read_whole(log)?), (0, numbered(16)))?;
    same(verified(log)?.1.len(), 0)
}

fn handle_compacts_its_own_log(log: &str) -> Outcome {
    let writer = open(log)?;
    same(writer.compact(tiered())?.merged_files, 0)?;
    for event in ["a", "b"] {
        writer.append(event.as_bytes())?;
        writer.flush()?;
    }
    writer.append(b"pending")?;
    same((writer.file_count()?, writer.compact(tiered())?.batches), (2, 2))?;
    same(writer.file_count()?, 1)?;
    same(writer.close()?.events, 3)?;
    same(read_whole(log)?, ["a", "b", "pending"])
}
