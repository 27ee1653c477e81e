//! `stratalog stat`: prints the numbers of a log.

use std::fmt::Write as _;

use serde::Serialize;
use stratalog::store::Location;
use stratalog::{Mirror, Stats};

use crate::args::Shared;
use crate::args::commands::Stat;
use crate::process::exit::{Code, Failure, write_stdout};
use crate::report::print_json;
use crate::target::Target;
use crate::terminal::human::{count, exact_size, grouped, size, time, visible};

#[derive(Serialize)]
struct StatReport {
    events: u64,
    batches: u64,
    hidden_batches: u64,
    segments: u64,
    bytes: u64,
    lost_events: u64,
    trimmed_events: u64,
    objects: u64,
    generation: u64,
    identity: Option<String>,
    uncounted_batches: u64,
    first_time: Option<String>,
    last_time: Option<String>,
    first_position: u64,
    next_position: u64,
    tiers: Vec<TierReport>,
    garbage_objects: u64,
    garbage_bytes: u64,
    unfinished_objects: u64,
    unfinished_bytes: u64,
    absorbed_bytes: u64,
    compacted_bytes: u64,
    write_amplification: Option<f64>,
    mirror_of: Option<String>,
}

#[derive(Serialize)]
struct TierReport {
    tier: u32,
    segments: u64,
    bytes: u64,
}

pub(crate) async fn run(command: &Stat, shared: &Shared) -> Result<Code, Failure> {
    let target = Target::open(&command.log, shared, false)?;
    let Target { location, store, host } = &target;
    let counted = match host.stat(store, &location.name).await {
        Ok(stats) => host.mirror(store, &location.name).await.map(|mirror| (stats, mirror)),
        Err(error) => Err(error),
    };
    match counted {
        Ok((stats, mirror)) => {
            let mirror = mirror.filter(|mirror| !mirror.ended);
            if shared.json {
                return print_json(&report(&stats, mirror)).map(|()| Code::Done);
            }
            let table = table(&stats, mirror.as_ref(), location);
            write_stdout(table.as_bytes()).map(|_| Code::Done)
        }
        Err(error) => Err(target.explain("count", error).await),
    }
}

fn report(stats: &Stats, mirror: Option<Mirror>) -> StatReport {
    let tiers = stats.tiers.iter();
    let tiers = tiers.map(|tier| TierReport {
        tier: tier.tier,
        segments: tier.segments,
        bytes: tier.bytes,
    });
    StatReport {
        events: stats.events,
        batches: stats.batches,
        hidden_batches: stats.hidden_batches,
        segments: stats.segments,
        bytes: stats.bytes,
        lost_events: stats.lost_events,
        trimmed_events: stats.trimmed_events,
        objects: stats.objects,
        generation: stats.generation,
        identity: stats.identity.clone(),
        uncounted_batches: stats.uncounted_batches,
        first_time: stats.first_time.map(time),
        last_time: stats.last_time.map(time),
        first_position: stats.first_position,
        next_position: stats.next_position,
        tiers: tiers.collect(),
        garbage_objects: stats.garbage_objects,
        garbage_bytes: stats.garbage_bytes,
        unfinished_objects: stats.unfinished_objects,
        unfinished_bytes: stats.unfinished_bytes,
        absorbed_bytes: stats.absorbed_bytes,
        compacted_bytes: stats.compacted_bytes,
        write_amplification: stats.write_amplification(),
        mirror_of: mirror.map(|mirror| mirror.source),
    }
}

fn table(stats: &Stats, mirror: Option<&Mirror>, location: &Location) -> String {
    let number = |number: u64| grouped(number).to_string();
    let none = || "-".to_owned();
    let mut events = number(stats.events);
    if stats.uncounted_batches > 0 {
        let uncounted = count(stats.uncounted_batches, "batch", "batches");
        // Writing to a string does not fail.
        write!(events, ", and those of {uncounted} whose names have no count").ok();
    }
    if stats.trimmed_events > 0 {
        let trimmed = count(stats.trimmed_events, "trimmed one", "trimmed ones");
        write!(events, ", without {trimmed} that the next compaction removes").ok();
    }
    let garbage = count(stats.garbage_objects, "object", "objects");
    let mut rows = vec![
        ("log".to_owned(), location.to_string()),
        ("events".to_owned(), events),
        ("batches".to_owned(), number(stats.batches)),
        ("segments".to_owned(), number(stats.segments)),
    ];
    if stats.hidden_batches > 0 {
        rows.insert(3, ("hidden batches".to_owned(), number(stats.hidden_batches)));
    }
    if stats.lost_events > 0 {
        rows.insert(2, ("lost events".to_owned(), number(stats.lost_events)));
    }
    rows.extend(stats.tiers.iter().map(|tier| {
        let segments = count(tier.segments, "segment", "segments");
        (format!("  tier {}", tier.tier), format!("{segments}, {}", size(tier.bytes)))
    }));
    let amplification = stats.write_amplification().map(|factor| format!("{factor:.2}"));
    rows.extend([
        ("objects".to_owned(), number(stats.objects)),
        ("bytes".to_owned(), exact_size(stats.bytes)),
        ("garbage".to_owned(), format!("{garbage}, {}", size(stats.garbage_bytes))),
        (
            "unfinished".to_owned(),
            format!(
                "{}, {}",
                count(stats.unfinished_objects, "file", "files"),
                size(stats.unfinished_bytes)
            ),
        ),
        ("generation".to_owned(), number(stats.generation)),
        ("identity".to_owned(), stats.identity.clone().unwrap_or_else(none)),
        ("first position".to_owned(), number(stats.first_position)),
        ("next position".to_owned(), number(stats.next_position)),
        ("first time".to_owned(), stats.first_time.map_or_else(none, time)),
        ("last time".to_owned(), stats.last_time.map_or_else(none, time)),
        ("write amplification".to_owned(), amplification.unwrap_or_else(none)),
    ]);
    if let Some(mirror) = mirror {
        rows.insert(1, ("mirror of".to_owned(), visible(&mirror.source)));
    }
    let mut table = String::new();
    for (name, value) in rows {
        writeln!(table, "{name:<19}  {value}").ok();
    }
    table
}
