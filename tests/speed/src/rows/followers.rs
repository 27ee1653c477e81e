//! Many followers in one process, at rest, and one of them that gets an event.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use futures::stream::{self, StreamExt as _};
use object_store::memory::InMemory;
use stratalog::{Follow, Host, Log, LogOptions};
use tokio::sync::Semaphore;

use super::crowd::{CROWDS, MAPS_MAX, REST_KIB_MAX, resident_kib};
use crate::lab::{Lab, cached_host, runtime};
use crate::logs::{event, store};
use crate::table::{Goal, Line, Values};

/// Several followers of each log.
const LOGS_MAX: usize = 1_000;

/// Each follower is parked by then, and each log.
const REST: Duration = Duration::from_secs(12);

/// Followers that get an event, one after the other.
const USED: usize = 301;

/// The figures of a process with followers, in the order in which it prints them.
const FIGURES: [(&str, &str); 4] = [
    ("open of a follower", "µs"),
    ("resident memory of a follower that waits", "KiB"),
    ("memory maps then", "maps"),
    ("median time of a poll that finds an event, in memory", "µs"),
];

/// Measures processes with many followers, and one with one.
pub(crate) fn followers(lab: &Lab) -> Vec<Line> {
    let mut alone: [Values; FIGURES.len()] = <_>::default();
    let mut crowds: [[Values; FIGURES.len()]; CROWDS.len()] = <_>::default();
    for _ in 0..lab.runs {
        add(&mut alone, 1);
        for (values, followers) in crowds.iter_mut().zip(CROWDS) {
            add(values, followers);
        }
    }
    let lines = crowds.into_iter().zip(CROWDS).flat_map(|(values, followers)| {
        let lines = values.into_iter().zip(FIGURES).zip(&alone).enumerate();
        lines.map(move |(at, ((values, (what, unit)), alone))| Line {
            what: format!("{what}, {followers} followers"),
            unit,
            values,
            baseline: "one follower".to_owned(),
            base: alone.clone(),
            goal: match at {
                1 => Goal::AtMost(REST_KIB_MAX),
                2 => Goal::AtMost(MAPS_MAX),
                _ => Goal::Watched,
            },
        })
    });
    lines.collect()
}

/// Adds the figures of a process with this many followers.
fn add(values: &mut [Values; FIGURES.len()], followers: usize) {
    let program = std::env::current_exe().expect("a program");
    let mut command = Command::new(program);
    command.arg("--followers").arg(followers.to_string()).stderr(Stdio::inherit());
    let output = command.output().expect("this program runs");
    assert!(output.status.success(), "{followers} followers: {}", output.status);
    let text = String::from_utf8(output.stdout).expect("figures");
    let mut figures = text.split_whitespace().map(|figure| figure.parse().expect("a figure"));
    values.iter_mut().for_each(|values| values.push(figures.next().expect("a figure")));
}

/// Opens this many followers in this process, and prints its figures.
pub(crate) fn print(followers: usize) {
    let figures = runtime().block_on(figures(&cached_host(), followers));
    println!("{}", figures.map(|figure| figure.to_string()).join(" "));
}

async fn figures(host: &Host, followers: usize) -> [f64; FIGURES.len()] {
    let store = store(Arc::new(InMemory::new()));
    let mut logs = Vec::new();
    for number in 0..followers.min(LOGS_MAX) {
        let log = host.open(&store, &format!("log{number}"), LogOptions::new()).await;
        logs.push(log.expect("a log"));
        append(&logs[number]).await;
    }
    // Compiled code and the first instances are not those of a follower.
    let open = |number: usize| {
        let (host, store) = (&host, &store);
        async move {
            let reader = host.read(store, &format!("log{}", number % LOGS_MAX)).await;
            reader.expect("a reader").follow().expect("a follower")
        }
    };
    for _ in 0..3 {
        open(0).await.next().await.expect("an event");
    }
    tokio::time::sleep(REST).await;
    let before = resident_kib();
    let start = Instant::now();
    let opened: Vec<Follow> = stream::iter(0..followers).then(open).collect().await;
    let open = start.elapsed().as_secs_f64() * 1e6 / followers as f64;
    let (started, ended) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let waits = opened.into_iter().map(|mut follow| {
        let (started, ended) = (started.clone(), ended.clone());
        tokio::spawn(async move {
            follow.next().await.expect("the first event");
            started.add_permits(1);
            tokio::select! {
                _ = follow.next() => panic!("there is no other event"),
                _ = ended.acquire() => follow,
            }
        })
    });
    let waits: Vec<_> = waits.collect();
    let all = u32::try_from(followers).expect("fewer");
    started.acquire_many(all).await.expect("it is open").forget();
    tokio::time::sleep(REST).await;
    let rest = (resident_kib() - before) / followers as f64;
    let maps = std::fs::read_to_string("/proc/self/maps").expect("maps").lines().count();
    ended.close();
    let mut waited: Vec<Follow> =
        join_all(waits).await.into_iter().map(|follow| follow.expect("a follower")).collect();
    // The next poll of each is due by then.
    tokio::time::sleep(REST / 2).await;
    let mut times = Vec::new();
    for turn in 0..USED {
        let number = turn * 7_919 % followers;
        append(&logs[number % LOGS_MAX]).await;
        let start = Instant::now();
        waited[number].next().await.expect("the event");
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    [open, rest, maps as f64, times[times.len() / 2]]
}

async fn append(log: &Log) {
    log.append(&event()).await.expect("an append");
    log.flush().await.expect("a flush");
}
