//! `stratalog trim`: permanently removes the oldest events of a log.

use serde::Serialize;
use stratalog::store::Location;
use stratalog::{TrimOptions, TrimPoint, TrimResult};

use crate::args::Shared;
use crate::args::trim::Trim;
use crate::process::exit::{Code, Failure};
use crate::progress::Progress;
use crate::report::{print_json_of_change, print_line};
use crate::target::Target;
use crate::terminal::human::{count, grouped, size};

#[derive(Serialize)]
struct TrimReport {
    events: u64,
    segments: u64,
    bytes: u64,
    rewritten_bytes: u64,
    absorbed_batches: u64,
    first_position: u64,
    live_batches: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    held_by: Option<String>,
}

/// Runs the command. A trim may be interrupted anywhere.
pub(crate) async fn run(command: &Trim, shared: &Shared) -> Result<Code, Failure> {
    let until = match (command.before, &command.before_position, command.keep_events) {
        (Some(time), ..) => TrimPoint::Time(time),
        (_, Some(position), _) => TrimPoint::Position(position.clone()),
        (_, _, Some(events)) => TrimPoint::KeepEvents(events),
        // clap refuses a command line without a point.
        (None, None, None) => {
            return Err(Failure::usage("give --before, --before-position or --keep-events"));
        }
    };
    let options = TrimOptions::new().lazy(command.lazy).keep_unread(command.keep_unread);
    let sole_compactor = command.sole.sole_compactor;
    let target = Target::open(&command.log, shared, sole_compactor)?;
    if let TrimPoint::Position(position) = &until {
        target.check_position("--before-position", position).await?;
    }
    let Target { location, store, host } = &target;
    if command.dry_run {
        return match host.plan_trim(store, &location.name, until, options).await {
            Ok(plan) => report(shared, &plan, command, location).map(|()| Code::Done),
            Err(error) => Err(target.explain("examine", error).await),
        };
    }
    let progress = Progress::of_unknown(shared, &format!("trimming {location}"));
    let trimmed = host.trim(store, &location.name, until, options).await;
    drop(progress);
    match trimmed {
        Ok(trimmed) => report(shared, &trimmed, command, location).map(|()| Code::Done),
        Err(error) => Err(target.explain("trim", error).await),
    }
}

/// Reports the effect of a trim, done or planned.
fn report(
    shared: &Shared,
    trimmed: &TrimResult,
    command: &Trim,
    location: &Location,
) -> Result<(), Failure> {
    if shared.json {
        let TrimResult {
            events,
            segments,
            bytes,
            rewritten_bytes,
            absorbed_batches,
            first_position,
            live_batches,
            held_by,
        } = trimmed.clone();
        let report = TrimReport {
            events,
            segments,
            bytes,
            rewritten_bytes,
            absorbed_batches,
            first_position,
            live_batches,
            held_by,
        };
        return print_json_of_change(&report, "the log is trimmed");
    }
    print_line(shared.quiet, &summary(trimmed, command, location));
    if let Some(name) = &trimmed.held_by {
        let line = format!("events from there on stay for the position named {name}");
        print_line(shared.quiet, &line);
    }
    if trimmed.live_batches > 0 {
        let batches = count(trimmed.live_batches, "batch", "batches");
        let stay = if trimmed.live_batches == 1 { "stays" } else { "stay" };
        let line = format!(
            "{batches} from before that point {stay}, since earlier events of the log stay"
        );
        print_line(shared.quiet, &line);
    }
    Ok(())
}

/// Formats the effect in one line.
fn summary(trimmed: &TrimResult, command: &Trim, location: &Location) -> String {
    let &TrimResult { events, segments, bytes, rewritten_bytes, absorbed_batches, .. } = trimmed;
    let dry_run = command.dry_run;
    let batches = count(absorbed_batches, "batch", "batches");
    let mut done = Vec::new();
    if absorbed_batches > 0 {
        done.push(format!("{batches} absorbed first"));
    }
    if events == 0 && rewritten_bytes == 0 {
        done.insert(0, format!("nothing {}", if dry_run { "to trim" } else { "trimmed" }));
    } else if events == 0 {
        // A lazy trim left them.
        let removed = match dry_run {
            true => "would remove events trimmed before",
            false => "events trimmed before are removed",
        };
        done.insert(0, format!("{removed} ({})", size(bytes)));
    } else {
        let events = count(events, "event", "events");
        let would = if dry_run { "would trim " } else { "" };
        let trimmed = if dry_run { "" } else { " trimmed" };
        // A lazy trim may leave all events where they are.
        let bytes = if bytes > 0 { format!(" ({})", size(bytes)) } else { String::new() };
        done.insert(0, format!("{would}{events}{trimmed}{bytes}"));
    }
    if segments > 0 {
        done.push(format!("{} deleted", count(segments, "segment", "segments")));
    }
    if rewritten_bytes > 0 {
        done.push(format!("1 segment rewritten ({} kept)", size(rewritten_bytes)));
    }
    let begins = if dry_run { "would begin" } else { "begins" };
    let (done, first) = (done.join(", "), grouped(trimmed.first_position));
    let left = match (events, segments) {
        _ if !command.lazy => "",
        (0, _) => "",
        (_, 0) => "; the next compaction removes their bytes from the store",
        _ => {
            "; the next compaction removes the bytes of those that share a segment with later ones"
        }
    };
    format!("{done}; {location} {begins} at position {first}{left}")
}
