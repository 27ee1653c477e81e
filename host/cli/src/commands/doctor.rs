//! `stratalog doctor`: checks which guarantees a store provides for a log.
//!
//! 1. In any case, the written objects are removed, or named.
//! 2. Each check is printed once, when it ends: on stdout, or with `--json` on stderr.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use serde::Serialize;
use stratalog::store::doctor::{CheckResult, Doctor, Use, Verdict};
use stratalog::store::{Location, Store};
use stratalog::{Error, Mirror};

use crate::args::Shared;
use crate::args::commands::Doctor as Arguments;
use crate::process::exit::{Code, Failure, print_error, write_stdout};
use crate::process::signals::Signals;
use crate::progress::Progress;
use crate::report::{print_json, print_line};
use crate::target::{host, open_store};
use crate::terminal::human::visible;
use crate::terminal::live_lines;
use crate::terminal::wrapping;

/// The columns of a narrow terminal.
const TERMINAL_WIDTH: usize = 80;

#[derive(Serialize)]
struct Report<'a> {
    store: &'a str,
    #[serde(rename = "use")]
    usable: &'static str,
    abilities: Vec<AbilityReport<'a>>,
    latencies: Vec<LatencyReport>,
    clock_ahead_ms_min: Option<i64>,
    clock_ahead_ms_max: Option<i64>,
    /// The source of the mirror that the log is, or was until it was promoted.
    mirror_of: Option<&'a str>,
    was_mirror_of: Option<&'a str>,
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

pub(crate) async fn run(
    command: &Arguments,
    shared: &Shared,
    signals: &Signals,
) -> Result<Code, Failure> {
    let location = Location::parse(&command.log).map_err(Error::from)?;
    let store = open_store(&location.root, shared, false)?;
    let mut doctor = Doctor::new(&store, &location.name);
    let left = format!(
        "cannot clean up after the checks: objects below {:?} in {} may remain",
        doctor.folder(),
        store.description()
    );
    let last_words = left.clone();
    signals.set_last_words(move || last_words);
    let ended = tokio::select! {
        biased;
        code = signals.wait() => Ok(Some(code)),
        printed = examine(&mut doctor, shared) => {
            // If stdout is closed, its reader has seen enough.
            printed.map(|printed| (!printed).then_some(Code::Done))
        }
    };
    if let Ok(Some(code)) = ended {
        if !doctor.clean_up().await.is_empty() {
            print_error(&left);
        }
        return Ok(code);
    }
    for failure in doctor.clean_up().await {
        tracing::warn!("cannot remove an object of the checks: {}", failure.error);
    }
    ended?;
    let mirror = match doctor.use_for_a_log() {
        Use::All | Use::SoleCompactor => {
            match signals.or(mirror(&location, &store, shared)).await {
                Ok(Ok(mirror)) => mirror,
                Ok(Err(code)) => return Ok(code),
                // The checks themselves need no component and little memory.
                Err(failure) => {
                    tracing::warn!("{}", failure.text());
                    None
                }
            }
        }
        _ => None,
    };
    if shared.json {
        print_json(&report(&doctor, store.description(), mirror.as_ref()))?;
    } else {
        let meaning = meaning(doctor.use_for_a_log());
        let mut text = format!("\n{}: {meaning}\n", store.description());
        if let Some(mirror) = &mirror {
            text.push_str(&format!("{}\n", meaning_of(mirror, &location)));
        }
        write_stdout(text.as_bytes())?;
    }
    match doctor.use_for_a_log() {
        Use::All | Use::SoleCompactor => Ok(Code::Done),
        _ => Err(Failure::new(
            Code::Store,
            format!("cannot use {location} for a log: see the failed checks"),
        )),
    }
}

/// Returns what the log says about being the target of copies. None: it says nothing, or there is
/// no log.
async fn mirror(
    location: &Location,
    store: &Store,
    shared: &Shared,
) -> Result<Option<Mirror>, Failure> {
    let found = host(shared)?.mirror(store, &location.name).await;
    let what = format!("cannot find out if {location} is a mirror");
    found.map_err(|error| Failure::from(error).context(what))
}

/// Explains a log that is or was a mirror, and what to do.
fn meaning_of(mirror: &Mirror, location: &Location) -> String {
    let source = visible(&mirror.source);
    match mirror.ended {
        false => format!(
            "{location} is a mirror of {source}: only copies write it; `stratalog copy --promote \
             {location}` makes it a log of its own"
        ),
        true => format!(
            "{location} was a mirror of {source} until it was promoted: it is a log of its own, so \
             write only one of the two"
        ),
    }
}

/// Makes all checks and prints them. False: the reader has closed the output.
async fn examine(doctor: &mut Doctor, shared: &Shared) -> Result<bool, Failure> {
    let width = io::stdout().is_terminal().then_some(TERMINAL_WIDTH);
    while let Some(ability) = doctor.upcoming() {
        let progress = Progress::of_unknown(shared, &format!("checking {ability}"));
        let found = doctor.next().await;
        drop(progress);
        let Some(found) = found else { continue };
        if shared.json {
            print_line(shared.quiet, &line(&found, None));
        } else {
            let line = format!("{}\n", line(&found, width));
            if !live_lines::suspend(|| write_stdout(line.as_bytes()))? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Formats one check in columns. The last column is wrapped within the width, if there is one.
fn line(found: &CheckResult, width: Option<usize>) -> String {
    let CheckResult { ability, verdict, detail, .. } = found;
    let columns = format!("{:<7}  {:<26}  ", mark(*verdict), ability.name());
    match width {
        Some(width) => wrapping::column(columns, detail, width),
        None => columns + detail,
    }
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

/// Explains the result for a log here.
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

fn report<'a>(doctor: &'a Doctor, store: &'a str, mirror: Option<&'a Mirror>) -> Report<'a> {
    let source = |ended| mirror.filter(|it| it.ended == ended).map(|it| it.source.as_str());
    let millis = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
    let abilities = doctor.results().iter().map(|found| AbilityReport {
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
        mirror_of: source(false),
        was_mirror_of: source(true),
    }
}
