//! `stratalog doctor`: what a store can do, and what that means for a log.
//!
//! 1. However it ends, what was written is removed, or named.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;
use stratalog::Error;
use stratalog::store::Location;
use stratalog::store::doctor::{Doctor, Found, Use, Verdict};

use super::arguments::{Doctor as Arguments, Shared};
use super::exit::{Code, Failure, complain, write_stdout};
use super::progress::Progress;
use super::report::{print_json, print_line};
use super::session::open_store;
use super::signals::Signals;

#[derive(Serialize)]
struct Report<'a> {
    store: &'a str,
    #[serde(rename = "use")]
    usable: &'static str,
    abilities: Vec<AbilityReport<'a>>,
    latencies: Vec<LatencyReport>,
    clock_ahead_ms_min: Option<i64>,
    clock_ahead_ms_max: Option<i64>,
}

#[derive(Serialize)]
struct AbilityReport<'a> {
    ability: &'static str,
    verdict: &'static str,
    detail: &'a str,
}

#[derive(Serialize)]
struct LatencyReport {
    request: &'static str,
    samples: usize,
    p50_ms: f64,
    p99_ms: f64,
}

pub(super) async fn run(
    command: &Arguments,
    shared: &Shared,
    signals: &Signals,
) -> Result<Code, Failure> {
    let location = Location::parse(&command.log).map_err(Error::from)?;
    let store = open_store(&location.root, shared, false)?;
    let mut doctor = Doctor::new(&store, &location.name);
    let left =
        format!("objects below {:?} in {} may be left", doctor.folder(), store.description());
    let last_words = left.clone();
    signals.set_last_words(move || last_words);
    let interrupted = tokio::select! {
        biased;
        code = signals.wait() => Some(code),
        () = examine(&mut doctor, shared) => None,
    };
    if let Some(code) = interrupted {
        if !doctor.clean_up().await.is_empty() {
            complain(&left);
        }
        return Ok(code);
    }
    for failure in doctor.clean_up().await {
        tracing::warn!("an object stays: {}", failure.error);
    }
    match shared.json {
        true => print_json(&report(&doctor, store.description()))?,
        false => {
            let table = table(&doctor, store.description());
            write_stdout(table.as_bytes())?;
        }
    }
    match doctor.use_for_a_log() {
        Use::All | Use::SoleCompactor => Ok(Code::Done),
        _ => Err(Failure::new(Code::Store, format!("{location} cannot be used for a log"))),
    }
}

async fn examine(doctor: &mut Doctor, shared: &Shared) {
    while let Some(ability) = doctor.upcoming() {
        let progress = Progress::of_unknown(shared, &format!("trying {ability}"));
        let found = doctor.next().await;
        drop(progress);
        if let Some(found) = found {
            print_line(shared.quiet, &line(&found));
        }
    }
}

fn line(found: &Found) -> String {
    let Found { ability, verdict, detail, .. } = found;
    format!("{:<7}  {:<26}  {detail}", mark(*verdict), ability.name())
}

fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "ok",
        Verdict::Limited => "limited",
        _ => "FAILED",
    }
}

fn name_of_use(usable: Use) -> &'static str {
    match usable {
        Use::All => "all",
        Use::SoleCompactor => "sole-compactor",
        _ => "none",
    }
}

/// What the result means for a log here.
fn meaning(usable: Use) -> &'static str {
    match usable {
        Use::All => "a log can do everything here",
        Use::SoleCompactor => {
            "append and read are safe; compact and trim only with --sole-compactor, if nothing \
             else does so"
        }
        _ => "not usable for a log",
    }
}

fn table(doctor: &Doctor, store: &str) -> String {
    let mut table = String::new();
    // Writing to a string does not fail.
    for found in doctor.found() {
        writeln!(table, "{}", line(found)).ok();
    }
    writeln!(table, "\n{store}: {}", meaning(doctor.use_for_a_log())).ok();
    table
}

fn report<'a>(doctor: &'a Doctor, store: &'a str) -> Report<'a> {
    let millis = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
    let abilities = doctor.found().iter().map(|found| AbilityReport {
        ability: found.ability.name(),
        verdict: match found.verdict {
            Verdict::Passed => "passed",
            Verdict::Limited => "limited",
            _ => "failed",
        },
        detail: &found.detail,
    });
    let latencies = doctor.latencies().iter().map(|latency| LatencyReport {
        request: latency.request,
        samples: latency.samples,
        p50_ms: millis(latency.p50),
        p99_ms: millis(latency.p99),
    });
    let offset = doctor.clock_offset();
    Report {
        store,
        usable: name_of_use(doctor.use_for_a_log()),
        abilities: abilities.collect(),
        latencies: latencies.collect(),
        clock_ahead_ms_min: offset.map(|offset| offset.ahead_ms_min),
        clock_ahead_ms_max: offset.map(|offset| offset.ahead_ms_max),
    }
}
