//! `stratalog ls`: lists the logs below a root, by the names of their objects.

use std::io::{self, IsTerminal as _};

use serde::Serialize;
use stratalog::store::{Location, Root};
use stratalog::{Error, ListOptions, ListedLog, Logs, NameCounts, StoreFailure};

use crate::args::Shared;
use crate::args::ls::Ls;
use crate::process::exit::{Code, Failure, print_error, write_stdout};
use crate::progress::Progress;
use crate::shell;
use crate::target::{host, open_store};
use crate::terminal::human::{count, grouped, size, time, visible};
use crate::terminal::live_lines;
use crate::terminal::stderr;

/// The columns of the table, and what is left of 80 for the name.
const HEADING: &str = "     EVENTS        SIZE  SEGMENTS  BATCHES  LAST BATCH         LOG";
const NAME_COLUMNS: usize = 17;

/// The bytes of a time up to its minutes.
const MINUTES: usize = "2026-01-31T12:00".len();

#[derive(Serialize)]
struct LogReport<'a> {
    log: String,
    name: &'a str,
    #[serde(flatten)]
    counts: Option<CountsReport>,
}

#[derive(Serialize)]
struct CountsReport {
    events: Option<u64>,
    bytes: u64,
    batches: u64,
    batch_events: u64,
    uncounted_batches: u64,
    batch_bytes: u64,
    segments: u64,
    segment_bytes: u64,
    uncommitted_segments: u64,
    generation: u64,
    first_batch_time: Option<String>,
    last_batch_time: Option<String>,
    mirror: bool,
    positions: u64,
    objects: u64,
    unfinished_objects: u64,
    foreign_objects: u64,
    misplaced_entries: u64,
}

/// The form of the output.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Table,
    Tabs,
}

/// Runs the command. It changes nothing, so it may be interrupted anywhere.
pub(crate) async fn run(command: &Ls, shared: &Shared) -> Result<Code, Failure> {
    let root = Root::parse(&command.root).map_err(Error::from)?;
    if let Some(path) = root.as_folder()
        && path.metadata().is_ok_and(|found| !found.is_dir())
    {
        return Err(Failure::input(format!("{root} is a file; name a folder with logs")));
    }
    let store = open_store(&root, shared, false)?;
    let host = host(shared)?;
    let form = match shared.json {
        true => Form::Json,
        false if io::stdout().is_terminal() => Form::Table,
        false => Form::Tabs,
    };
    let options = ListOptions::new().shallow(command.shallow).skip_denied(true);
    let what = format!("cannot list the logs below {root}");
    let in_context = |error: Error| Failure::from(error).context(what.clone());
    let mut logs = host.logs(&store, "", options).await.map_err(in_context)?;
    let progress = Progress::of_unknown(shared, "listing");
    let (mut found, mut denied) = (0_u64, 0_u64);
    let ended = loop {
        let next = logs.next().await;
        denied += report_denied(logs.take_denied());
        match next {
            Ok(Some(log)) => {
                if !print(&log, &root, form, found == 0)? {
                    return Ok(Code::Done);
                }
                found += 1;
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    drop(progress);
    let logs_found = count(found, "log", "logs");
    if let Err(error) = ended {
        let failure = in_context(error);
        return Err(match found {
            0 => failure,
            _ => failure.with_hint(format!("{logs_found} printed, and more may follow")),
        });
    }
    if denied > 0 {
        let folders = count(denied, "folder", "folders");
        let message = format!("{what}: {folders} may not be listed; {logs_found} printed");
        let hint = "allow listing them, or list another root".to_owned();
        return Err(Failure::new(Code::Store, message).with_hint(hint));
    }
    finish(&logs, &root, found)
}

/// Ends a listing that is complete.
fn finish(logs: &Logs, root: &Root, found: u64) -> Result<Code, Failure> {
    let word = shell::word(root.to_string().as_ref());
    match (found, logs.is_log()) {
        (0, true) => Err(Failure::input(format!(
            "there is no log below {root}, which is itself a log: `stratalog stat {word}` counts it"
        ))),
        (0, false) => Err(Failure::input(format!(
            "there is no log below {root}; check the name, or create a log with `stratalog append`"
        ))),
        (_, true) => {
            stderr::say(&format!(
                "warning: {root} is itself a log, too, which is not listed: `stratalog stat \
                 {word}` counts it"
            ));
            Ok(Code::Done)
        }
        (_, false) => Ok(Code::Done),
    }
}

/// Reports folders that may not be listed. Returns their number.
fn report_denied(denied: Vec<StoreFailure>) -> u64 {
    let mut number = 0;
    for StoreFailure { message, .. } in denied {
        print_error(&message);
        number += 1;
    }
    number
}

/// Prints a log. False: the reader has closed the output.
fn print(log: &ListedLog, root: &Root, form: Form, is_first: bool) -> Result<bool, Failure> {
    let location = Location { root: root.clone(), name: log.name.clone() }.to_string();
    if let Some(counts) = log.counts.as_ref().filter(|counts| counts.misplaced_entries > 0) {
        let entries = count(counts.misplaced_entries, "entry", "entries");
        let word = shell::word(location.as_ref());
        stderr::say(&format!(
            "warning: {location} has {entries} under the name of an object that are none: \
             `stratalog verify {word}` describes the damage"
        ));
    }
    let mut text = String::new();
    if form == Form::Table && is_first && log.counts.is_some() {
        text.push_str(HEADING);
        text.push('\n');
    }
    match form {
        Form::Json => {
            let counts = log.counts.as_ref().map(CountsReport::from);
            let report = LogReport { log: location, name: &log.name, counts };
            let line = serde_json::to_string(&report)
                .map_err(|error| Failure::new(Code::Failed, format!("cannot write JSON: {error}")));
            text.push_str(&line?);
        }
        Form::Tabs => text.push_str(&tabs(&location, log.counts.as_ref())),
        Form::Table => text.push_str(&row(&log.name, log.counts.as_ref())),
    }
    text.push('\n');
    live_lines::suspend(|| write_stdout(text.as_bytes()))
}

/// Formats the numbers of a log, without grouping, behind its location.
fn tabs(location: &str, counts: Option<&NameCounts>) -> String {
    let Some(counts) = counts else { return visible(location) };
    let last = counts.last_batch_time.map_or_else(|| "-".to_owned(), time);
    let events = match counts.events {
        Some(events) => events.to_string(),
        None => "-".to_owned(),
    };
    let NameCounts { bytes, segments, batches, .. } = counts;
    format!("{}\t{events}\t{bytes}\t{segments}\t{batches}\t{last}", visible(location))
}

/// Formats a row of the table. A name that is too long for the row has a line of its own.
fn row(name: &str, counts: Option<&NameCounts>) -> String {
    let name = visible(name);
    let Some(counts) = counts else { return name };
    let events = match (counts.events, counts.batch_events) {
        (Some(events), _) => grouped(events).to_string(),
        (None, 0) => "?".to_owned(),
        (None, events) => format!("{}+", grouped(events)),
    };
    // Minutes are enough for people.
    let last = counts.last_batch_time.map(time).map_or_else(
        || "-".to_owned(),
        |time| time.get(..MINUTES).map_or(time.clone(), |minutes| format!("{minutes}Z")),
    );
    let name = match counts.mirror {
        true => format!("{name} (mirror)"),
        false => name,
    };
    let row = format!(
        "{events:>11}  {:>10}  {:>8}  {:>7}  {last:<17}",
        size(counts.bytes).to_string(),
        grouped(counts.segments).to_string(),
        grouped(counts.batches).to_string(),
    );
    match name.chars().count() <= NAME_COLUMNS {
        true => format!("{row}  {name}"),
        false => format!("{row}\n  {name}"),
    }
}

impl From<&NameCounts> for CountsReport {
    fn from(counts: &NameCounts) -> Self {
        Self {
            events: counts.events,
            bytes: counts.bytes,
            batches: counts.batches,
            batch_events: counts.batch_events,
            uncounted_batches: counts.uncounted_batches,
            batch_bytes: counts.batch_bytes,
            segments: counts.segments,
            segment_bytes: counts.segment_bytes,
            uncommitted_segments: counts.uncommitted_segments,
            generation: counts.generation,
            first_batch_time: counts.first_batch_time.map(time),
            last_batch_time: counts.last_batch_time.map(time),
            mirror: counts.mirror,
            positions: counts.positions,
            objects: counts.objects,
            unfinished_objects: counts.unfinished_objects,
            foreign_objects: counts.foreign_objects,
            misplaced_entries: counts.misplaced_entries,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn row_fits_80_columns_or_has_its_name_below() {
        // The type is non-exhaustive, so its fields are set one by one.
        let mut counts = NameCounts::default();
        counts.batch_events = 99_999_999;
        counts.bytes = u64::from(u32::MAX);
        counts.segments = 1_234;
        counts.batches = 12_345;
        counts.last_batch_time = Some(UNIX_EPOCH + Duration::from_micros(1_738_324_800_000_001));
        let short = row("errors", Some(&counts));
        assert!(short.ends_with("2025-01-31T12:00Z  errors"), "{short}");
        assert_eq!(HEADING.find("LOG"), short.find("errors"));
        let long = row(&"x".repeat(NAME_COLUMNS), Some(&counts));
        assert!(long.chars().count() <= 80, "{long}");
        let longer = row(&"x".repeat(NAME_COLUMNS + 1), Some(&counts));
        assert!(longer.lines().all(|line| line.chars().count() <= 80), "{longer}");
        assert!(longer.ends_with(&format!("\n  {}", "x".repeat(NAME_COLUMNS + 1))), "{longer}");
        assert_eq!(row("errors", None), "errors");
    }
}
