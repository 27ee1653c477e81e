//! Summaries: for people, or with `--json` one object on stdout.

use std::fmt::{self, Write as _};

use chrono::{DateTime, SecondsFormat};
use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;
use stratalog::Written;

use super::arguments::Shared;
use super::exit::{Code, Failure, write_stdout};
use super::stderr;

#[derive(Serialize)]
struct AppendReport {
    events: u64,
    batches: u64,
    bytes: u64,
    blank_lines: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<u64>,
}

/// Lines of the input that are no events.
#[derive(Clone, Copy)]
pub(super) struct LeftOut {
    pub(super) blank_lines: u64,
    /// Invalid ones, if leaving them out was asked for.
    pub(super) skipped: Option<u64>,
}

/// Says what was appended, and what was left out.
pub(super) fn appended(
    shared: &Shared,
    written: &Written,
    left_out: LeftOut,
    log: &str,
) -> Result<(), Failure> {
    let LeftOut { blank_lines, skipped } = left_out;
    let Written { batches, events, bytes } = *written;
    if shared.json {
        return print_json(&AppendReport { events, batches, bytes, blank_lines, skipped });
    }
    let mut line = if events == 0 {
        format!("no events: nothing appended to {log}")
    } else {
        format!(
            "{} in {} ({}) appended to {log}",
            count(events, "event", "events"),
            count(batches, "batch", "batches"),
            HumanBytes(bytes)
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

/// Prints a line for people, unless they want it quiet.
pub(super) fn print_line(quiet: bool, line: &str) {
    if !quiet {
        stderr::say(line);
    }
}

/// Prints the report of a command as one JSON object on stdout.
pub(super) fn print_json(report: &impl Serialize) -> Result<(), Failure> {
    let mut line = serde_json::to_vec(report)
        .map_err(|error| Failure::new(Code::Failed, format!("cannot write JSON: {error}")))?;
    line.push(b'\n');
    write_stdout(&line).map(drop)
}

/// A number with its unit, such as `1 event` or `1,234 events`.
pub(super) fn count(number: u64, one: &str, many: &str) -> impl fmt::Display {
    let unit = if number == 1 { one } else { many };
    format!("{} {unit}", HumanCount(number))
}

/// Microseconds since 1970 as RFC 3339 in UTC; a time no calendar has is left a number.
pub(super) fn time(micros: u64) -> String {
    let calendar = i64::try_from(micros).ok().and_then(DateTime::from_timestamp_micros);
    match calendar {
        Some(time) => time.to_rfc3339_opts(SecondsFormat::Micros, true),
        None => format!("{micros} microseconds after 1970"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_rfc_3339_in_utc_with_microseconds() {
        assert_eq!(time(1_738_324_800_000_001), "2025-01-31T12:00:00.000001Z");
        assert_eq!(time(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(time(u64::MAX), "18446744073709551615 microseconds after 1970");
    }

    #[test]
    fn a_count_has_the_unit_that_fits() {
        assert_eq!(count(1, "event", "events").to_string(), "1 event");
        assert_eq!(count(1_234, "event", "events").to_string(), "1,234 events");
    }
}
