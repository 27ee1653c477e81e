//! Trims.

use crate::bindings::stratalog::log::append_log::{plan_trim, stat, trim};
use crate::bindings::stratalog::log::types::{TrimOptions, TrimPoint};
use crate::logs::{
    Case, Outcome, batch, cases, compacted, later, log_of, numbered, open, position_behind,
    read_whole, same, verified,
};

const NOW: TrimOptions = TrimOptions { lazy: false, keep_unread: false };

pub(crate) const CASES: &[Case] = cases![
    trim_keeps_the_newest_events,
    trim_ends_at_a_position,
    trim_ends_at_a_time,
    trim_within_a_segment_may_be_lazy,
    trim_does_what_its_plan_says,
    trim_of_everything_leaves_a_log,
    trim_of_nothing_changes_nothing,
];

fn trim_keeps_the_newest_events(log: &str) -> Outcome {
    let all = log_of(log, &[4, 4, 4])?;
    let done = trim(log, &TrimPoint::KeepEvents(5), NOW)?;
    same((done.events, done.first_position), (7, 7))?;
    same(read_whole(log)?, &all[7..])?;
    same(stat(log)?.events, 5)
}

fn trim_ends_at_a_position(log: &str) -> Outcome {
    let all = log_of(log, &[4, 4])?;
    compacted(log)?;
    let point = TrimPoint::Position(position_behind(log, 3)?);
    same(trim(log, &point, NOW)?.events, 3)?;
    same(read_whole(log)?, &all[3..])?;
    same(trim(log, &point, NOW)?.events, 0)
}

fn trim_ends_at_a_time(log: &str) -> Outcome {
    let writer = open(log)?;
    let all = numbered(6);
    batch(&writer, &all[..2])?;
    let time = later()?;
    batch(&writer, &all[2..4])?;
    batch(&writer, &all[4..])?;
    let done = trim(log, &TrimPoint::Time(time), NOW)?;
    same(done.events, 2)?;
    same(read_whole(log)?, &all[2..])
}

fn trim_within_a_segment_may_be_lazy(log: &str) -> Outcome {
    let all = log_of(log, &[5, 5])?;
    compacted(log)?;
    let bytes = stat(log)?.bytes;
    let done =
        trim(log, &TrimPoint::KeepEvents(4), TrimOptions { lazy: true, keep_unread: false })?;
    same((done.events, done.rewritten_bytes), (6, 0))?;
    let stats = stat(log)?;
    same((stats.events, stats.trimmed_events, stats.bytes), (4, 6, bytes))?;
    same(read_whole(log)?, &all[6..])?;
    compacted(log)?;
    same((stat(log)?.trimmed_events, read_whole(log)?), (0, all[6..].to_vec()))
}

fn trim_does_what_its_plan_says(log: &str) -> Outcome {
    let all = log_of(log, &[5, 5])?;
    compacted(log)?;
    let point = TrimPoint::KeepEvents(4);
    let planned = plan_trim(log, &point, NOW)?;
    same((read_whole(log)?, stat(log)?.generation), (all, 1))?;
    let done = trim(log, &point, NOW)?;
    same((planned.events, planned.bytes), (done.events, done.bytes))?;
    same(plan_trim(log, &point, NOW)?.events, 0)
}

fn trim_of_everything_leaves_a_log(log: &str) -> Outcome {
    log_of(log, &[3, 3])?;
    same(trim(log, &TrimPoint::KeepEvents(0), NOW)?.events, 6)?;
    same((read_whole(log)?.len(), stat(log)?.first_position), (0, 6))?;
    let writer = open(log)?;
    batch(&writer, &["new".to_owned()])?;
    compacted(log)?;
    same((read_whole(log)?, stat(log)?.next_position), (vec!["new".to_owned()], 7))
}

fn trim_of_nothing_changes_nothing(log: &str) -> Outcome {
    let all = log_of(log, &[3, 3])?;
    let done = trim(log, &TrimPoint::KeepEvents(6), NOW)?;
    same((done.events, done.absorbed_batches), (0, 0))?;
    same((read_whole(log)?, stat(log)?.generation), (all, 0))?;
    same(verified(log)?.1.len(), 0)
}
