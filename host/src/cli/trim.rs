//! `stratalog trim`: gives up the beginning of a log.

use indicatif::HumanBytes;
use serde::Serialize;
use stratalog::store::Location;
use stratalog::{TrimPoint, Trimmed};

use super::arguments::{Shared, Trim};
use super::exit::{Code, Failure};
use super::progress::Progress;
use super::report::{count, print_json, print_line};
use super::session::Session;

#[derive(Serialize)]
struct TrimReport {
    events: u64,
    segments: u64,
    bytes: u64,
    first_position: u64,
    live_batches: u64,
}

/// A trim may end anywhere.
pub(super) async fn run(command: &Trim, shared: &Shared) -> Result<Code, Failure> {
    let until = match (&command.before, command.keep_events) {
        (Some(point), _) => point.clone(),
        (None, Some(events)) => TrimPoint::KeepEvents(events),
        // The command line is refused without either.
        (None, None) => return Err(Failure::input("give --before or --keep-events")),
    };
    let sole_compactor = command.sole.sole_compactor;
    let session = Session::open(&command.log, shared, sole_compactor)?;
    let Session { location, store, host } = &session;
    let progress = Progress::of_unknown(shared, &format!("trimming {location}"));
    let trimmed = host.trim(store, &location.name, until).await;
    drop(progress);
    match trimmed {
        Ok(trimmed) => report(shared, &trimmed, location).map(|()| Code::Done),
        Err(error) => Err(session.explain("trim", error)),
    }
}

fn report(shared: &Shared, trimmed: &Trimmed, location: &Location) -> Result<(), Failure> {
    let Trimmed { events, segments, bytes, first_position, live_batches } = *trimmed;
    if shared.json {
        let report = TrimReport { events, segments, bytes, first_position, live_batches };
        return print_json(&report);
    }
    // Without separators, so that it can be given as a position.
    let first = first_position;
    print_line(
        shared.quiet,
        &match events {
            0 => format!("nothing trimmed: {location} begins at position {first}"),
            _ => format!(
                "{} trimmed, {} deleted ({}); {location} begins at position {first}",
                count(events, "event", "events"),
                count(segments, "segment", "segments"),
                HumanBytes(bytes)
            ),
        },
    );
    if live_batches > 0 {
        let batches = count(live_batches, "batch", "batches");
        let line = format!(
            "{batches} before that point kept until compacted: run `stratalog compact`, then trim \
             again"
        );
        print_line(shared.quiet, &line);
    }
    Ok(())
}
