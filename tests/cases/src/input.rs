//! Events that are none, and their errors.

use crate::bindings::stratalog::log::append_log::Log;
use crate::bindings::stratalog::log::types::{Error, EventFault, Options};
use crate::logs::{
    Case, Failure, Outcome, by_hand, cases, holds, invalid, open, read_whole, refused, same,
};

pub(crate) const CASES: &[Case] = cases![
    event_over_the_limit_is_refused_with_both_sizes,
    event_with_a_line_feed_is_refused,
    event_without_bytes_is_refused,
    lines_with_an_empty_line_are_refused_as_a_whole,
    lines_without_a_last_line_feed_are_refused,
    lines_larger_than_the_buffer_are_refused,
];

/// Returns the line and the reason of a refused event.
fn fault<T>(outcome: Result<T, Error>) -> Outcome<(u64, EventFault)> {
    match refused(outcome)? {
        Error::InvalidEvent(event) => Ok((event.line, event.fault)),
        other => Err(Failure(format!("{other:?} is no invalid event"))),
    }
}

fn event_over_the_limit_is_refused_with_both_sizes(log: &str) -> Outcome {
    let writer = Log::open(log, Options { event_bytes_max: Some(100), ..by_hand() })?;
    let (line, reason) = fault(writer.append(&[b'x'; 101]))?;
    let EventFault::TooLong(sizes) = reason else { return holds(false, "it is not too long") };
    same((line, sizes.bytes, sizes.bytes_max), (0, 101, 100))?;
    writer.append(&[b'x'; 100])?;
    same(writer.flush()?.bytes, 101)
}

fn event_with_a_line_feed_is_refused(log: &str) -> Outcome {
    let writer = open(log)?;
    let (line, reason) = fault(writer.append(b"a\nb"))?;
    holds(line == 0 && matches!(reason, EventFault::LineFeed), &format!("{reason:?}"))?;
    same(writer.flush()?.events, 0)
}

fn event_without_bytes_is_refused(log: &str) -> Outcome {
    let writer = open(log)?;
    let (line, reason) = fault(writer.append(b""))?;
    holds(line == 0 && matches!(reason, EventFault::Empty), &format!("{reason:?}"))
}

fn lines_with_an_empty_line_are_refused_as_a_whole(log: &str) -> Outcome {
    let writer = open(log)?;
    writer.append(b"before")?;
    let (line, reason) = fault(writer.append_lines(b"a\nb\n\nc\n"))?;
    holds(line == 2 && matches!(reason, EventFault::Empty), &format!("{line} {reason:?}"))?;
    writer.flush()?;
    same(read_whole(log)?, ["before"])
}

fn lines_without_a_last_line_feed_are_refused(log: &str) -> Outcome {
    let writer = open(log)?;
    let (line, reason) = fault(writer.append_lines(b"a\nb"))?;
    holds(line == 1 && matches!(reason, EventFault::Unterminated), &format!("{line} {reason:?}"))?;
    same(writer.pending().lines.len(), 0)
}

fn lines_larger_than_the_buffer_are_refused(log: &str) -> Outcome {
    let small = Options { event_bytes_max: Some(100), buffer_bytes_max: Some(1_000), ..by_hand() };
    let writer = Log::open(log, Options { flush_bytes: Some(1_000), ..small })?;
    invalid(writer.append_lines(&b"123456789\n".repeat(101)), "buffer_bytes_max")?;
    same(writer.append_lines(&b"123456789\n".repeat(100))?, 100)?;
    same(writer.flush()?.events, 100)
}
