//! Appends and flushes.

use std::time::{Duration, Instant};

use crate::bindings::stratalog::log::append_log::{Log, read, stat};
use crate::bindings::stratalog::log::types::{Error, Options};
use crate::logs::{
    Case, NEVER, Outcome, batch, by_hand, cases, defaults, holds, numbered, open, read_whole,
    refused, same, whole,
};

pub(crate) const CASES: &[Case] = cases![
    append_and_flush_make_events_durable,
    flush_of_nothing_creates_no_object,
    lines_of_one_call_keep_their_order,
    lines_of_an_empty_call_are_no_events,
    threshold_seals_batches_without_a_flush,
    age_seals_a_batch_by_ticks,
    pending_has_what_is_not_flushed,
    close_flushes_and_ends_the_handle,
    handle_opened_again_continues_the_log,
    bytes_of_events_stay_as_they_are,
    long_events_are_read_whole,
];

fn append_and_flush_make_events_durable(log: &str) -> Outcome {
    let writer = open(log)?;
    for event in ["a", "bc", "def"] {
        writer.append(event.as_bytes())?;
    }
    let written = writer.flush()?;
    same((written.batches, written.events, written.bytes), (1, 3, 9))?;
    same(read_whole(log)?, ["a", "bc", "def"])
}

fn flush_of_nothing_creates_no_object(log: &str) -> Outcome {
    let writer = open(log)?;
    same(writer.flush()?.batches, 0)?;
    same(writer.close()?.events, 0)?;
    holds(matches!(refused(stat(log))?, Error::NoLog(_)), "there is a log")
}

fn lines_of_one_call_keep_their_order(log: &str) -> Outcome {
    let writer = open(log)?;
    same(writer.append_lines(b"b\na\nc\n")?, 3)?;
    writer.append(b"0")?;
    same(writer.flush()?.events, 4)?;
    same(read_whole(log)?, ["b", "a", "c", "0"])
}

fn lines_of_an_empty_call_are_no_events(log: &str) -> Outcome {
    let writer = open(log)?;
    same(writer.append_lines(b"")?, 0)?;
    same(writer.pending().lines.len(), 0)?;
    same(writer.flush()?.batches, 0)
}

fn threshold_seals_batches_without_a_flush(log: &str) -> Outcome {
    let writer = Log::open(log, Options { flush_threshold: Some(10), ..by_hand() })?;
    let all = numbered(40);
    for event in &all {
        writer.append(event.as_bytes())?;
    }
    // Waits for the creates in flight.
    let stored = writer.file_count()?;
    holds((1..=4).contains(&stored), &format!("{stored} objects"))?;
    let found = read_whole(log)?;
    holds(!found.is_empty() && all.starts_with(&found), "the stored events are not the first")
}

fn age_seals_a_batch_by_ticks(log: &str) -> Outcome {
    let interval =
        Options { flush_interval_ms: Some(1), flush_threshold: Some(1_000), ..defaults() };
    let writer = Log::open(log, interval)?;
    writer.append(b"aged")?;
    let begun = Instant::now();
    while writer.tick() {
        holds(begun.elapsed() < NEVER, "the batch is never created")?;
        // The host makes progress while the program waits.
        std::thread::sleep(Duration::from_millis(1));
    }
    same(writer.pending().lines.len(), 0)?;
    same(read_whole(log)?, ["aged"])
}

fn pending_has_what_is_not_flushed(log: &str) -> Outcome {
    let writer = open(log)?;
    batch(&writer, &["stored".to_owned()])?;
    writer.append(b"a")?;
    writer.append(b"b")?;
    let pending = writer.pending();
    same((pending.sealed.len(), pending.lines), (0, b"a\nb\n".to_vec()))?;
    writer.flush()?;
    let pending = writer.pending();
    same((pending.sealed.len(), pending.lines.len()), (0, 0))
}

fn close_flushes_and_ends_the_handle(log: &str) -> Outcome {
    let writer = open(log)?;
    writer.append(b"a")?;
    same(writer.close()?.events, 1)?;
    holds(matches!(refused(writer.append(b"b"))?, Error::Closed), "it takes an event")?;
    holds(matches!(refused(writer.flush())?, Error::Closed), "it flushes")?;
    holds(matches!(refused(writer.read_all())?, Error::Closed), "it reads")?;
    same(read_whole(log)?, ["a"])
}

fn handle_opened_again_continues_the_log(log: &str) -> Outcome {
    let all = numbered(6);
    for events in all.chunks(2) {
        let writer = open(log)?;
        batch(&writer, events)?;
        same(writer.close()?.events, 2)?;
    }
    same(read_whole(log)?, all)
}

fn bytes_of_events_stay_as_they_are(log: &str) -> Outcome {
    let event: Vec<u8> = (0..=255).filter(|byte| *byte != b'\n').collect();
    let writer = open(log)?;
    writer.append(&event)?;
    writer.append(b"\r")?;
    writer.flush()?;
    let page = read(log, &whole())?.next()?;
    let expected = [&event[..], b"\n\r\n"].concat();
    same(page.map(|page| (page.lines == expected, page.events)), Some((true, 2)))
}

fn long_events_are_read_whole(log: &str) -> Outcome {
    let all: Vec<String> = ["x", "y", "z"].map(|letter| letter.repeat(100_000)).to_vec();
    let writer = open(log)?;
    batch(&writer, &all)?;
    holds(read_whole(log)? == all, "the events differ")
}
