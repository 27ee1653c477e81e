//! `stratalog compact`: merges small objects into large ones.

use std::convert::Infallible;
use std::time::Duration;

use serde::Serialize;
use stratalog::store::Location;
use stratalog::{CompactOptions, Compaction, CompactionPlan};

use crate::args::Shared;
use crate::args::commands::Compact;
use crate::process::exit::{Code, Failure};
use crate::progress::{APPEARS_AFTER, Progress};
use crate::report::{print_json, print_json_of_change, print_line};
use crate::target::Target;
use crate::terminal::human::{count, size};

/// The interval at which written bytes are polled.
const LOOK_EVERY: Duration = Duration::from_millis(100);

#[derive(Serialize)]
struct CompactReport<'a> {
    merged_files: u64,
    events: u64,
    new_segments: u64,
    new_key: Option<&'a str>,
    batches: u64,
    segments: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct PlanReport {
    batches: u64,
    segments: u64,
    bytes: u64,
    garbage_objects: u64,
    garbage_bytes: u64,
}

/// Runs the command. A compaction may be interrupted anywhere.
pub(crate) async fn run(command: &Compact, shared: &Shared) -> Result<Code, Failure> {
    let sole_compactor = command.sole.sole_compactor;
    let target = Target::open(&command.log, shared, sole_compactor)?;
    let Target { location, store, host } = &target;
    let options = options(command);
    if command.dry_run {
        return match host.plan_compaction(store, &location.name, &options).await {
            Ok(plan) => report_plan(shared, &plan, command, location).map(|()| Code::Done),
            Err(error) => Err(target.explain("examine", error).await),
        };
    }
    let progress = Progress::of_bytes(shared, &format!("compacting {location}"));
    let compacted = tokio::select! {
        biased;
        compacted = host.compact(store, &location.name, &options) => compacted,
        never = show(&progress, &target, &options) => match never {},
    };
    drop(progress);
    match compacted {
        Ok(compaction) => report(shared, &compaction, command, location).map(|()| Code::Done),
        Err(error) => Err(target.explain("compact", error).await),
    }
}

/// Shows the written bytes of the planned ones. The plan takes a few requests, so it is made only
/// if progress is shown. Without a plan, only the written bytes are shown.
async fn show(progress: &Progress, target: &Target, options: &CompactOptions) -> Infallible {
    let Target { location, store, host } = target;
    if !progress.is_shown() {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(APPEARS_AFTER).await;
    let planned = match host.plan_compaction(store, &location.name, options).await {
        Ok(plan) => plan.bytes,
        Err(error) => {
            tracing::info!("cannot predict the size of the compaction: {error}");
            0
        }
    };
    loop {
        let written = store.uploaded_bytes();
        progress.reached(written, planned.max(written));
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn options(command: &Compact) -> CompactOptions {
    let mut options = CompactOptions::new().full(command.full);
    if let Some(segments) = command.fan_in {
        options = options.fan_in(segments);
    }
    if let Some(bytes) = command.segment_bytes_max {
        options = options.segment_bytes_max(bytes);
    }
    options
}

/// Reports the effect of a compaction.
fn report(
    shared: &Shared,
    compaction: &Compaction,
    command: &Compact,
    location: &Location,
) -> Result<(), Failure> {
    let Compaction { merged_files, batches, segments, events, bytes, new_segments, new_key } =
        compaction.clone();
    let new_key = new_key.as_deref();
    if shared.json {
        let report =
            CompactReport { merged_files, events, new_segments, new_key, batches, segments, bytes };
        return print_json_of_change(&report, "the log is compacted");
    }
    let merged = objects(batches, segments);
    let events = count(events, "event", "events");
    print_line(
        shared.quiet,
        &match new_key {
            Some(key) => {
                let into = match new_segments {
                    1 => key.to_owned(),
                    _ => {
                        let segments = count(new_segments, "segment", "segments");
                        format!("{segments}, the first of them {key}")
                    }
                };
                format!("{merged} ({events}, {}) merged into {into}", size(bytes))
            }
            None if merged_files == 0 => nothing(command, location),
            None => format!("{merged} removed from {location}: they had no events"),
        },
    );
    Ok(())
}

/// Reports the effect of a planned compaction.
fn report_plan(
    shared: &Shared,
    plan: &CompactionPlan,
    command: &Compact,
    location: &Location,
) -> Result<(), Failure> {
    let CompactionPlan { batches, segments, bytes, garbage_objects, garbage_bytes } = *plan;
    if shared.json {
        let report = PlanReport { batches, segments, bytes, garbage_objects, garbage_bytes };
        return print_json(&report);
    }
    let mut line = match (batches, segments) {
        (0, 0) => nothing(command, location),
        _ => {
            let merged = objects(batches, segments);
            format!("would merge {merged} ({}) of {location}", size(bytes))
        }
    };
    if garbage_objects > 0 {
        let garbage = count(garbage_objects, "garbage object", "garbage objects");
        line.push_str(&format!("; would delete {garbage} ({})", size(garbage_bytes)));
    }
    print_line(shared.quiet, &line);
    Ok(())
}

/// Explains why there is nothing to compact, and when there would be.
fn nothing(command: &Compact, location: &Location) -> String {
    match command.full {
        true => format!("nothing to compact in {location}"),
        false => format!(
            "nothing to compact in {location}: a compaction needs two batches, or enough \
             segments of one size; --full compacts fewer, too"
        ),
    }
}

/// Formats `12 batches and 8 segments`, without a part that is zero.
fn objects(batches: u64, segments: u64) -> String {
    let batches_text = count(batches, "batch", "batches");
    let segments_text = count(segments, "segment", "segments");
    match (batches, segments) {
        (_, 0) => batches_text.to_string(),
        (0, _) => segments_text.to_string(),
        _ => format!("{batches_text} and {segments_text}"),
    }
}
