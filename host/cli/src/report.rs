//! Prints summaries: for people, or with `--json` as one object on stdout.

use std::fmt::Write as _;

use serde::Serialize;
use stratalog::Written;

use crate::args::Shared;
use crate::process::exit::{Code, Failure, write_stdout};
use crate::terminal::human::{count, size};
use crate::terminal::stderr;

#[derive(Serialize)]
struct AppendReport {
    events: u64,
    batches: u64,
    bytes: u64,
    blank_lines: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<u64>,
}

/// The input lines that are not events.
#[derive(Clone, Copy)]
pub(crate) struct LeftOut {
    pub(crate) blank_lines: u64,
    /// The invalid lines, if --skip-invalid was given.
    pub(crate) skipped: Option<u64>,
}

/// Prints the number of appended events and skipped lines.
pub(crate) fn appended(
    shared: &Shared,
    written: &Written,
    left_out: LeftOut,
    log: &str,
) -> Result<(), Failure> {
    let LeftOut { blank_lines, skipped } = left_out;
    let Written { batches, events, bytes } = *written;
    if shared.json {
        let report = AppendReport { events, batches, bytes, blank_lines, skipped };
        let done = format!("the events are stored: {}", count(events, "event", "events"));
        return print_json_of_change(&report, &done);
    }
    let mut line = if events == 0 {
        format!("no events: nothing appended to {log}")
    } else {
        format!(
            "{} in {} ({}) appended to {log}",
            count(events, "event", "events"),
            count(batches, "batch", "batches"),
            size(bytes)
        )
    };
    // Writing to a string does not fail.
    if blank_lines > 0 {
        let blank = count(blank_lines, "blank line", "blank lines");
        write!(line, "; {blank} left out").ok();
    }
    if let Some(skipped) = skipped.filter(|skipped| *skipped > 0) {
        let skipped = count(skipped, "invalid line", "invalid lines");
        write!(line, "; {skipped} left out").ok();
    }
    print_line(shared.quiet, &line);
    Ok(())
}

/// Prints a line for people, unless `quiet`.
pub(crate) fn print_line(quiet: bool, line: &str) {
    if !quiet {
        stderr::say(line);
    }
}

/// Prints the report of a change as one JSON object on stdout. An error says that the change
/// `done` was made, so that nobody makes it again.
pub(crate) fn print_json_of_change(report: &impl Serialize, done: &str) -> Result<(), Failure> {
    print_json(report).map_err(|failure| failure.with_hint(done.to_owned()))
}

/// Prints a command's report as one JSON object on stdout.
pub(crate) fn print_json(report: &impl Serialize) -> Result<(), Failure> {
    let mut line = serde_json::to_vec(report)
        .map_err(|error| Failure::new(Code::Failed, format!("cannot write JSON: {error}")))?;
    line.push(b'\n');
    write_stdout(&line).map(drop)
}
