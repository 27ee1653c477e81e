//! Appending from a plugin, starting one, and running one as a process.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rig::plugins;
use rig::tools::cache_folder;
use stratalog::plugin::{
    ExitReason, Grant, LogsCtx, Plugin, PluginEngine, PluginLimits, Record, Run,
};
use stratalog::store::Store;

use super::append::{EVENTS, PACKET, THRESHOLD, line, nanoseconds};
use crate::first_words::FirstWords;
use crate::forgetful::Forgetful;
use crate::lab::Lab;
use crate::logs::store;
use crate::table::{Goal, Line, Values};
use crate::usage;

/// Starts of a run.
const STARTS: u32 = 50;

/// Processes of a run.
const PROCESSES: u32 = 10;

/// Returns limits that do not slow a plugin.
pub(super) fn limits() -> PluginLimits {
    let mut limits = PluginLimits::default();
    (limits.calls_per_second, limits.bytes_per_second) = (u32::MAX, u64::MAX);
    limits
}

pub(super) fn compile(lab: &Lab) -> Plugin {
    let engine = PluginEngine::new(limits(), Some(cache_folder())).expect("an engine");
    let component = std::fs::read(plugins::rust("bench")).expect("a plugin");
    lab.runtime.block_on(engine.compile(component, "the plugin")).expect("a plugin")
}

/// The times of a run: until its first output, and until its end.
struct Ran {
    said: Option<Duration>,
    ended: Duration,
}

/// Runs the script on a log in `store`.
async fn run(lab: &Lab, store: &Store, plugin: &Plugin, script: &[&str]) -> Ran {
    run_recorded(lab, store, None, plugin, script).await
}

/// Runs the script on a log in `store`, and records the run in another store.
async fn run_recorded(
    lab: &Lab,
    store: &Store,
    record: Option<&Store>,
    plugin: &Plugin,
    script: &[&str],
) -> Ran {
    let grant = Grant::new(&lab.host, store, "log");
    let logs = LogsCtx::builder().limits(&limits()).grant("bench", grant).build().expect("logs");
    let mut run = Run::new(logs);
    if let Some(record) = record {
        run.record(Record::new(&lab.host, record, "record")).expect("a record");
    }
    let words = FirstWords::default();
    run.wasi().arg("plugin").args(script).stdout(words.clone());
    let begun = Instant::now();
    let outcome = plugin.run(run).await.expect("a run");
    let ended = begun.elapsed();
    assert_eq!(outcome.end, ExitReason::Exited(0));
    assert!(outcome.record.is_none_or(|record| record.error.is_none()));
    Ran { said: words.at().map(|at| at - begun), ended }
}

pub(crate) fn plugins(lab: &Lab) -> Vec<Line> {
    let plugin = compile(lab);
    let appended = |word: &str| {
        let script = [word, &EVENTS.to_string()];
        let store = store(Arc::new(Forgetful::default()));
        nanoseconds(lab.runtime.block_on(run(lab, &store, &plugin, &script)).ended)
    };
    let packed = || appended("append-packed");
    let single = || appended("append");
    let at_native = Goal::RatioAtMost(1.0);
    let mut lines = vec![
        line(lab, "append by a plugin, 1,000 in a call", packed, (1, PACKET), at_native),
        line(lab, "append by a plugin, one by one", single, (1, THRESHOLD), Goal::Watched),
    ];
    lines.extend(starts(lab, &plugin));
    lines
}

/// Appends events by a plugin whose run is recorded, compared with one whose run is not.
pub(crate) fn record(lab: &Lab) -> Vec<Line> {
    let plugin = compile(lab);
    let appended = |word: &str, record: Option<&Store>| {
        let script = [word, &EVENTS.to_string()];
        let store = store(Arc::new(Forgetful::default()));
        let ran = run_recorded(lab, &store, record, &plugin, &script);
        nanoseconds(lab.runtime.block_on(ran).ended)
    };
    let measure = |word: &str, what: &str| {
        let (mut values, mut base) = <(Values, Values)>::default();
        for _ in 0..lab.runs {
            base.push(appended(word, None));
            values.push(appended(word, Some(&Store::memory())));
        }
        Line {
            what: format!("append by a recorded plugin, {what}"),
            unit: "ns/event",
            values,
            baseline: "without a record".to_owned(),
            base,
            goal: Goal::RatioAtMost(1.05),
        }
    };
    vec![measure("append", "one by one"), measure("append-packed", "1,000 in a call")]
}

/// Runs a compiled plugin from its start to its first append and to its end, compared with one that
/// only prints.
fn starts(lab: &Lab, plugin: &Plugin) -> [Line; 2] {
    let microseconds = |script: &[&str], part: fn(&Ran) -> Duration| {
        lab.runtime.block_on(async {
            let mut elapsed = Duration::ZERO;
            for _ in 0..STARTS {
                elapsed += part(&run(lab, &Store::memory(), plugin, script).await);
            }
            elapsed.as_secs_f64() * 1e6 / f64::from(STARTS)
        })
    };
    let (mut base, mut said, mut ended) = <(Values, Values, Values)>::default();
    for _ in 0..lab.runs {
        base.push(microseconds(&["hello"], |ran| ran.ended));
        said.push(microseconds(&["append-and-say"], |ran| ran.said.expect("a word")));
        ended.push(microseconds(&["append-and-say"], |ran| ran.ended));
    }
    [("started, to its first append", said), ("one event appended, to its end", ended)].map(
        |(what, values)| Line {
            what: format!("a compiled plugin, {what}"),
            unit: "µs",
            values,
            baseline: "a plugin that only prints, to its end".to_owned(),
            base: base.clone(),
            goal: Goal::Watched,
        },
    )
}

/// Measures `stratalog run` of a plugin that only prints a greeting, and `wasmtime run` of it.
pub(crate) fn process(lab: &Lab) -> Vec<Line> {
    let plugin = plugins::rust("hello");
    let ours = || spawn(lab.stratalog().arg("run").arg(&plugin));
    let wasmtime = || {
        let arguments = [Path::new("run"), Path::new("-C"), Path::new("cache=y"), &plugin];
        spawn(Command::new("wasmtime").args(arguments))
    };
    let is_installed = Command::new("wasmtime").arg("--version").stdout(Stdio::null()).status();
    let (mut values, mut base) = <(Values, Values)>::default();
    for _ in 0..lab.runs {
        values.push(ours());
        if is_installed.is_ok() {
            base.push(wasmtime());
        }
    }
    vec![Line {
        what: "`stratalog run` of a plugin without a log".to_owned(),
        unit: "ms",
        values,
        baseline: "`wasmtime run` of it".to_owned(),
        base,
        goal: Goal::Watched,
    }]
}

/// Returns the milliseconds of a process.
fn spawn(command: &mut Command) -> f64 {
    let elapsed: Duration = (0..PROCESSES).map(|_| usage::run(command, b"").wall).sum();
    elapsed.as_secs_f64() * 1_000.0 / f64::from(PROCESSES)
}
