//! Readers that wait for new events.

use crate::bindings::stratalog::log::append_log::read;
use crate::logs::{
    Case, Outcome, batch, cases, compacted, from, log_of, numbered, open, read_with, rest, same,
    whole,
};

pub(crate) const CASES: &[Case] = cases![
    follower_gets_events_that_come_later,
    follower_repeats_nothing_after_a_compaction,
    follower_next_to_a_writer_gets_each_event_once,
    position_at_the_end_waits_for_new_events,
];

fn follower_gets_events_that_come_later(log: &str) -> Outcome {
    let all = log_of(log, &[2])?;
    let reader = read(log, &whole())?;
    same(rest(&reader)?.0, &all[..])?;
    same(reader.next()?.is_none(), true)?;
    let writer = open(log)?;
    batch(&writer, &["later".to_owned()])?;
    same(rest(&reader)?.0, ["later"])
}

fn follower_repeats_nothing_after_a_compaction(log: &str) -> Outcome {
    let all = log_of(log, &[2, 2, 2])?;
    let reader = read(log, &whole())?;
    same(rest(&reader)?.0, &all[..])?;
    same(compacted(log)?.batches, 3)?;
    same(rest(&reader)?.0.len(), 0)?;
    let writer = open(log)?;
    batch(&writer, &["later".to_owned()])?;
    same(rest(&reader)?.0, ["later"])
}

fn follower_next_to_a_writer_gets_each_event_once(log: &str) -> Outcome {
    let (writer, reader) = (open(log)?, read(log, &whole())?);
    let all = numbered(24);
    let mut found = Vec::new();
    for (number, events) in all.chunks(3).enumerate() {
        batch(&writer, events)?;
        if number % 4 == 3 {
            compacted(log)?;
        }
        if number % 2 == 1 {
            found.extend(rest(&reader)?.0);
        }
    }
    // What is compacted during a poll comes with the next one.
    found.extend(rest(&reader)?.0);
    same(found, all)
}

fn position_at_the_end_waits_for_new_events(log: &str) -> Outcome {
    let all = log_of(log, &[2, 1])?;
    let reader = read(log, &whole())?;
    same(rest(&reader)?.0, all)?;
    let position = reader.position().unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_,+@".contains(c);
    same(position.chars().find(|c| !is_plain(*c)), None)?;
    same(read_with(log, from(&position))?.len(), 0)?;
    let writer = open(log)?;
    batch(&writer, &["later".to_owned()])?;
    same(read_with(log, from(&position))?, ["later"])
}
