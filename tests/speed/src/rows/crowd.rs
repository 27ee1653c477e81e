//! Many open logs in one process, at rest, and one of them that is used.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt as _};
use object_store::memory::InMemory;
use stratalog::{Host, Log, LogOptions};

use crate::far::far;
use crate::lab::{Lab, cached_host, runtime};
use crate::logs::{event, store};
use crate::table::{Goal, Line, Values};

/// The open logs of a line.
pub(super) const CROWDS: [usize; 3] = [1_000, 10_000, 100_000];

/// The most resident memory of an open log at rest, in KiB.
pub(super) const REST_KIB_MAX: f64 = 64.0;

/// The most memory maps that a process may have by default.
pub(super) const MAPS_MAX: f64 = 65_530.0;

/// Each log is parked by then.
const REST: Duration = Duration::from_secs(8);

/// Logs that are used one after the other.
const USED: usize = 301;

/// Opens in progress at a time, over the store that is slow.
const CONCURRENT_OPENS: usize = 512;

/// The figures of a process with open logs, in the order in which it prints them.
const FIGURES: [(&str, &str); 5] = [
    ("open of a log", "µs"),
    ("resident memory of a log at rest", "KiB"),
    ("memory maps at rest", "maps"),
    ("median append and flush of one of them, in memory", "µs"),
    ("the same, with 20 ms a request", "ms"),
];

/// Measures processes with many open logs, and one with one log.
pub(crate) fn crowd(lab: &Lab) -> Vec<Line> {
    let mut alone: [Values; FIGURES.len()] = <_>::default();
    let mut crowds: [[Values; FIGURES.len()]; CROWDS.len()] = <_>::default();
    for _ in 0..lab.runs {
        add(&mut alone, 1);
        for (values, logs) in crowds.iter_mut().zip(CROWDS) {
            add(values, logs);
        }
    }
    let lines = crowds.into_iter().zip(CROWDS).flat_map(|(values, logs)| {
        let lines = values.into_iter().zip(FIGURES).zip(&alone).enumerate();
        lines.map(move |(at, ((values, (what, unit)), alone))| Line {
            what: format!("{what}, {logs} open logs"),
            unit,
            values,
            baseline: "one log".to_owned(),
            base: alone.clone(),
            goal: match at {
                1 => Goal::AtMost(REST_KIB_MAX),
                2 => Goal::AtMost(MAPS_MAX),
                4 => Goal::RatioAtMost(1.1),
                _ => Goal::Watched,
            },
        })
    });
    lines.collect()
}

/// Adds the figures of a process with this many open logs.
fn add(values: &mut [Values; FIGURES.len()], logs: usize) {
    let program = std::env::current_exe().expect("a program");
    let mut command = Command::new(program);
    let output = command.arg("--crowd").arg(logs.to_string()).stderr(Stdio::inherit()).output();
    let output = output.expect("this program runs");
    assert!(output.status.success(), "{logs} logs: {}", output.status);
    let text = String::from_utf8(output.stdout).expect("figures");
    let mut figures = text.split_whitespace().map(|figure| figure.parse().expect("a figure"));
    values.iter_mut().for_each(|values| values.push(figures.next().expect("a figure")));
}

/// Opens this many logs in this process, and prints its figures.
pub(crate) fn print(logs: usize) {
    let host = cached_host();
    let figures = runtime().block_on(async {
        let near = figures(&host, &store(Arc::new(InMemory::new())), logs, (1, USED)).await;
        let slow = store(Arc::new(far(InMemory::new())));
        // The waits of the opens would take most of the time.
        let slow = figures(&host, &slow, logs, (CONCURRENT_OPENS, USED / 10)).await;
        [near[0], near[1], near[2], near[3], slow[3] / 1e3]
    });
    println!("{}", figures.map(|figure| figure.to_string()).join(" "));
}

async fn figures(
    host: &Host,
    store: &stratalog::store::Store,
    logs: usize,
    (concurrent, used): (usize, usize),
) -> [f64; 4] {
    // Compiled code and the first instances are not those of a log.
    for _ in 0..3 {
        let log = host.open(store, "first", LogOptions::new()).await.expect("a log");
        log.close().await.expect("a close");
    }
    let before = resident_kib();
    let start = Instant::now();
    let opens = (0..logs).map(|number| async move {
        host.open(store, &format!("log{number}"), LogOptions::new()).await.expect("a log")
    });
    let opened: Vec<Log> = stream::iter(opens).buffered(concurrent).collect().await;
    let open = start.elapsed().as_secs_f64() * 1e6 / logs as f64;
    tokio::time::sleep(REST).await;
    let rest = (resident_kib() - before) / logs as f64;
    let maps = std::fs::read_to_string("/proc/self/maps").expect("maps").lines().count();
    let (event, mut times) = (event(), Vec::new());
    for turn in 0..used {
        let log = &opened[turn * 7_919 % logs];
        let start = Instant::now();
        log.append(&event).await.expect("an append");
        log.flush().await.expect("a flush");
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    [open, rest, maps as f64, times[times.len() / 2]]
}

pub(super) fn resident_kib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    line.trim().trim_end_matches(" kB").parse().expect("KiB")
}
