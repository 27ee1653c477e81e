//! Summaries: for people, or with `--json` one object on stdout.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};

use chrono::{DateTime, SecondsFormat};
use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;
use stratalog::store::Location;
use stratalog::{Compaction, Stats, Written};

use super::arguments::Shared;
use super::exit::{Code, Failure, write_stdout};
use super::progress;

#[derive(Serialize)]
struct AppendReport {
    events: u64,
    batches: u64,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<u64>,
}

#[derive(Serialize)]
struct CompactReport<'a> {
    merged_files: u64,
    events: u64,
    new_key: Option<&'a str>,
}

#[derive(Serialize)]
struct StatReport {
    events: u64,
    batches: u64,
    segments: u64,
    bytes: u64,
    objects: u64,
    generation: u64,
    uncounted_batches: u64,
    first_time: Option<String>,
    last_time: Option<String>,
}

/// Says what was appended, and what was left out if that was allowed.
pub(super) fn appended(
    shared: &Shared,
    written: &Written,
    skipped: Option<u64>,
    location: &Location,
) -> Result<(), Failure> {
    let Written { batches, events, bytes } = *written;
    if shared.json {
        return print_json(&AppendReport { events, batches, bytes, skipped });
    }
    let mut line = if events == 0 {
        format!("no events: nothing appended to {location}")
    } else {
        format!(
            "{} in {} ({}) appended to {location}",
            count(events, "event", "events"),
            count(batches, "batch", "batches"),
            HumanBytes(bytes)
        )
    };
    if let Some(skipped) = skipped.filter(|skipped| *skipped > 0) {
        let skipped = count(skipped, "invalid line", "invalid lines");
        // Writing to a string does not fail.
        write!(line, "; {skipped} left out").ok();
    }
    print_line(shared.quiet, &line);
    Ok(())
}

/// Says what a compaction did.
pub(super) fn compacted(
    shared: &Shared,
    compaction: &Compaction,
    location: &Location,
) -> Result<(), Failure> {
    let Compaction { merged_files, events, new_key } = compaction;
    let (merged_files, events) = (*merged_files, *events);
    if shared.json {
        return print_json(&CompactReport { merged_files, events, new_key: new_key.as_deref() });
    }
    let batches = count(merged_files, "batch", "batches");
    print_line(
        shared.quiet,
        &match new_key {
            Some(key) => {
                format!("{batches} ({}) merged into {key}", count(events, "event", "events"))
            }
            None if merged_files == 0 => {
                format!("nothing to compact: fewer than two batches in {location}")
            }
            None => format!("{batches} removed from {location}: they had no events"),
        },
    );
    Ok(())
}

/// Prints a log in numbers.
pub(super) fn stats(shared: &Shared, stats: &Stats, location: &Location) -> Result<(), Failure> {
    let (first, last) = (stats.first_time.map(time), stats.last_time.map(time));
    if shared.json {
        return print_json(&StatReport {
            events: stats.events,
            batches: stats.batches,
            segments: stats.segments,
            bytes: stats.bytes,
            objects: stats.objects,
            generation: stats.generation,
            uncounted_batches: stats.uncounted_batches,
            first_time: first,
            last_time: last,
        });
    }
    let mut events = HumanCount(stats.events).to_string();
    if stats.uncounted_batches > 0 {
        let uncounted = count(stats.uncounted_batches, "batch", "batches");
        write!(events, ", and those of {uncounted} whose names do not tell").ok();
    }
    let none = || "-".to_owned();
    let rows = [
        ("log", location.to_string()),
        ("events", events),
        ("batches", HumanCount(stats.batches).to_string()),
        ("segments", HumanCount(stats.segments).to_string()),
        ("objects", HumanCount(stats.objects).to_string()),
        ("bytes", format!("{} ({})", HumanCount(stats.bytes), HumanBytes(stats.bytes))),
        ("generation", HumanCount(stats.generation).to_string()),
        ("first time", first.unwrap_or_else(none)),
        ("last time", last.unwrap_or_else(none)),
    ];
    let mut table = String::new();
    for (name, value) in rows {
        writeln!(table, "{name:<10}  {value}").ok();
    }
    write_stdout(&mut io::stdout(), table.as_bytes()).map(drop)
}

/// Prints a line for people, unless they want it quiet.
pub(super) fn print_line(quiet: bool, line: &str) {
    if !quiet {
        progress::aside(|| {
            // Who closed stderr does not want to know.
            writeln!(io::stderr(), "{line}").ok();
        });
    }
}

fn print_json(report: &impl Serialize) -> Result<(), Failure> {
    let mut line = serde_json::to_vec(report)
        .map_err(|error| Failure::new(Code::Failed, format!("cannot write JSON: {error}")))?;
    line.push(b'\n');
    write_stdout(&mut io::stdout(), &line).map(drop)
}

/// A number with its unit, such as `1 event` or `1,234 events`.
pub(super) fn count(number: u64, one: &str, many: &str) -> impl fmt::Display {
    let unit = if number == 1 { one } else { many };
    format!("{} {unit}", HumanCount(number))
}

/// Microseconds since 1970 as RFC 3339 in UTC; a time no calendar has is left a number.
fn time(micros: u64) -> String {
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
