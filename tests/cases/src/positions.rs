//! Positions: resumed readers repeat nothing and skip nothing.

use crate::bindings::stratalog::log::append_log::{Log, read, trim};
use crate::bindings::stratalog::log::types::{TrimOptions, TrimPoint};
use crate::logs::{
    Case, Outcome, batch, by_hand, cases, compacted, from, holds, invalid, log_of, open,
    position_behind, read_with, rest, same,
};

pub(crate) const CASES: &[Case] = cases![
    position_within_a_batch_resumes_behind_it,
    position_of_live_batches_resumes_after_a_compaction,
    position_within_a_segment_resumes_behind_it,
    positions_inside_a_page_are_those_of_its_events,
    position_of_another_log_is_refused,
    position_that_was_trimmed_reports_the_missed_events,
];

fn position_within_a_batch_resumes_behind_it(log: &str) -> Outcome {
    let all = log_of(log, &[5, 5])?;
    for passed in [0, 1, 4, 5, 7, 10] {
        let position = position_behind(log, passed)?;
        let behind = usize::try_from(passed).map_err(|error| error.to_string())?;
        same(read_with(log, from(&position))?, all.get(behind..).unwrap_or_default())?;
    }
    Ok(())
}

fn position_of_live_batches_resumes_after_a_compaction(log: &str) -> Outcome {
    let all = log_of(log, &[2, 2, 2])?;
    let position = position_behind(log, 3)?;
    same(compacted(log)?.batches, 3)?;
    same(read_with(log, from(&position))?, &all[3..])?;
    let writer = open(log)?;
    batch(&writer, &["later".to_owned()])?;
    compacted(log)?;
    same(read_with(log, from(&position))?.len(), 4)
}

fn position_within_a_segment_resumes_behind_it(log: &str) -> Outcome {
    let all = log_of(log, &[5, 5])?;
    compacted(log)?;
    for passed in [1, 6, 10] {
        let position = position_behind(log, passed)?;
        let behind = usize::try_from(passed).map_err(|error| error.to_string())?;
        same(read_with(log, from(&position))?, all.get(behind..).unwrap_or_default())?;
    }
    // A number alone is a position.
    same(read_with(log, from("7"))?, &all[7..])
}

fn positions_inside_a_page_are_those_of_its_events(log: &str) -> Outcome {
    let mut all = log_of(log, &[3, 3])?;
    compacted(log)?;
    all.extend(log_of(log, &[2])?);
    let reader = read(log, &from("1"))?;
    let mut passed = 1;
    while let Some(page) = reader.next()? {
        let batches = reader.batches();
        holds(batches.iter().all(|batch| batch.time.is_some()), "a stored batch has no time")?;
        same(batches.iter().map(|batch| batch.events).sum::<u64>(), page.events)?;
        for event in 0..page.events {
            passed += 1;
            let positions =
                reader.positions(event).ok_or_else(|| "the pass has no positions".to_owned())?;
            let position =
                positions.lines().next().ok_or_else(|| "an event has no position".to_owned())?;
            same(read_with(log, from(position))?, &all[passed..])?;
        }
        same(reader.positions(page.events), Some(String::new()))?;
    }
    same(passed, all.len())
}

fn position_of_another_log_is_refused(log: &str) -> Outcome {
    let other = format!("{log}.other");
    for name in [log, &other] {
        let writer = Log::open(name, by_hand())?;
        batch(&writer, &["a".to_owned(), "b".to_owned()])?;
        writer.close()?;
        compacted(name)?;
    }
    let position = position_behind(log, 1)?;
    same(read_with(log, from(&position))?, ["b"])?;
    let reader = read(&other, &from(&position))?;
    invalid(reader.next(), "the position belongs to the log")
}

fn position_that_was_trimmed_reports_the_missed_events(log: &str) -> Outcome {
    let all = log_of(log, &[5, 5])?;
    compacted(log)?;
    let position = position_behind(log, 2)?;
    trim(log, &TrimPoint::KeepEvents(3), TrimOptions { lazy: false, keep_unread: false })?;
    let found = rest(&read(log, &from(&position))?)?;
    same(found, (all[7..].to_vec(), 5))
}
