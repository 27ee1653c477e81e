//! Reads: order, windows, limits, pages, and events that are not flushed.

use crate::bindings::stratalog::log::append_log::read;
use crate::bindings::stratalog::log::types::ReadOptions;
use crate::logs::{
    Case, Outcome, batch, cases, holds, invalid, later, log_of, numbered, open, read_whole,
    read_with, rest, same, whole,
};

pub(crate) const CASES: &[Case] = cases![
    read_has_the_order_of_appends,
    limit_ends_a_pass,
    last_returns_the_newest_events,
    since_and_until_select_batches_by_time,
    pages_together_are_the_log,
    readers_are_independent,
    own_read_has_the_events_that_are_not_flushed,
    pending_of_a_handle_is_read_by_others,
    read_of_no_position_is_refused,
];

fn read_has_the_order_of_appends(log: &str) -> Outcome {
    let all = log_of(log, &[3, 1, 4, 2])?;
    same(read_whole(log)?, all)
}

fn limit_ends_a_pass(log: &str) -> Outcome {
    let all = log_of(log, &[4, 4])?;
    let reader = read(log, &ReadOptions { limit: Some(5), ..whole() })?;
    same(rest(&reader)?.0, &all[..5])?;
    let writer = open(log)?;
    batch(&writer, &["later".to_owned()])?;
    same(reader.next()?.is_none(), true)
}

fn last_returns_the_newest_events(log: &str) -> Outcome {
    let all = log_of(log, &[4, 4])?;
    for (count, expected) in [(0, &all[8..]), (3, &all[5..]), (6, &all[2..]), (100, &all[..])] {
        same(read_with(log, ReadOptions { last: Some(count), ..whole() })?, expected)?;
    }
    Ok(())
}

fn since_and_until_select_batches_by_time(log: &str) -> Outcome {
    let writer = open(log)?;
    let all = numbered(6);
    batch(&writer, &all[..2])?;
    let second = later()?;
    batch(&writer, &all[2..4])?;
    let third = later()?;
    batch(&writer, &all[4..])?;
    let window = |since, until| read_with(log, ReadOptions { since, until, ..whole() });
    same(window(Some(second), None)?, &all[2..])?;
    same(window(None, Some(third))?, &all[..4])?;
    same(window(Some(second), Some(third))?, &all[2..4])?;
    same(window(Some(later()?), None)?.len(), 0)
}

fn pages_together_are_the_log(log: &str) -> Outcome {
    let writer = open(log)?;
    let all: Vec<String> = (0..4_000).map(|number| format!("{number:0200}")).collect();
    for events in all.chunks(1_000) {
        let lines = events.join("\n") + "\n";
        same(writer.append_lines(lines.as_bytes())?, 1_000)?;
        writer.flush()?;
    }
    holds(read_whole(log)? == all, "the events differ")?;
    writer.compact(crate::logs::tiered())?;
    holds(read_whole(log)? == all, "the events differ once they are compacted")
}

fn readers_are_independent(log: &str) -> Outcome {
    let all = log_of(log, &[2, 2])?;
    let (one, two) = (read(log, &whole())?, read(log, &whole())?);
    same(rest(&one)?.0, &all[..])?;
    same(rest(&two)?.0, &all[..])?;
    same(rest(&one)?.0.len(), 0)
}

fn own_read_has_the_events_that_are_not_flushed(log: &str) -> Outcome {
    let writer = open(log)?;
    batch(&writer, &["stored".to_owned()])?;
    writer.append(b"pending")?;
    let reader = writer.read_all()?;
    writer.append(b"later")?;
    same(rest(&reader)?.0, ["stored", "pending"])?;
    same(reader.position(), None::<String>)?;
    same(read_whole(log)?, ["stored"])?;
    same(writer.flush()?.events, 3)
}

fn pending_of_a_handle_is_read_by_others(log: &str) -> Outcome {
    let writer = open(log)?;
    batch(&writer, &["stored".to_owned()])?;
    writer.append(b"pending")?;
    let pending = Some(writer.pending());
    writer.append(b"later")?;
    writer.flush()?;
    same(read_with(log, ReadOptions { pending, ..whole() })?, ["stored", "pending"])
}

fn read_of_no_position_is_refused(log: &str) -> Outcome {
    log_of(log, &[1])?;
    for wrong in ["", "here", "-1", "0 ", "99999999999999999999999"] {
        invalid(read(log, &ReadOptions { start: Some(wrong.to_owned()), ..whole() }), "position")?;
    }
    Ok(())
}
