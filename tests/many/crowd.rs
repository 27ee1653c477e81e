//! Many open logs in one process: more than it could have instances. All of them append, each event
//! is read again, and at rest a log takes little memory.

use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use stratalog::store::Store;
use stratalog::{Host, Log, LogOptions};

const LOGS: usize = 20_000;

/// The most memory maps that a process may have by default.
pub(super) const MAPS_MAX: usize = 65_530;

/// The most resident memory of an open log at rest.
pub(super) const REST_BYTES_MAX: usize = 64 * 1024;

/// The time after which each log is parked, and some more.
const REST: Duration = Duration::from_secs(8);

/// Logs that are used concurrently.
pub(super) const CONCURRENT: usize = 64;

pub(super) async fn run(host: Host) {
    let store = Store::memory();
    let start = Instant::now();
    // Compiled code and the first instance are not those of a log.
    host.open(&store, "first", LogOptions::new()).await.unwrap().close().await.unwrap();
    let (before, opened) = (resident_bytes(), Instant::now());
    let logs: Vec<Log> = stream::iter(0..LOGS)
        .map(|number| open(&host, &store, number))
        .buffered(CONCURRENT)
        .collect()
        .await;
    eprintln!("{LOGS} logs opened in {:?}", opened.elapsed());
    assert!(maps() < MAPS_MAX, "{} memory maps", maps());
    tokio::time::sleep(REST).await;
    let bytes = resident_bytes().saturating_sub(before) / LOGS;
    eprintln!("{bytes} bytes a log at rest, {} memory maps", maps());
    assert!(bytes <= REST_BYTES_MAX, "{bytes} bytes a log at rest");

    // Half of them are flushed by their callers, the others by time.
    for round in 0..2 {
        for (number, log) in logs.iter().enumerate() {
            log.append(format!("{number} {round}")).await.unwrap();
        }
        let flushed = logs.iter().skip(round).step_by(2).map(|log| async move {
            let written = log.flush().await.unwrap();
            assert_eq!(written.events, round as u64 + 1);
        });
        stream::iter(flushed).buffer_unordered(CONCURRENT).collect::<Vec<()>>().await;
        let durable = logs.iter().map(|log| async move {
            let written = log.durable().await.unwrap();
            assert_eq!(written.events, round as u64 + 1);
        });
        stream::iter(durable).buffer_unordered(LOGS).collect::<Vec<()>>().await;
        assert!(maps() < MAPS_MAX, "{} memory maps", maps());
    }
    for log in &logs {
        assert_eq!(log.close().await.unwrap().events, 2);
    }
    drop(logs);
    let host = &host;
    let checks = (0..LOGS).map(|number| check(host, &store, number));
    stream::iter(checks).buffer_unordered(CONCURRENT).collect::<Vec<()>>().await;
    eprintln!("many_logs_in_a_process: {:?}", start.elapsed());
}

fn name(number: usize) -> String {
    format!("log{number}")
}

async fn open(host: &Host, store: &Store, number: usize) -> Log {
    host.open(store, &name(number), LogOptions::new()).await.unwrap()
}

async fn check(host: &Host, store: &Store, number: usize) {
    let events = host.read(store, &name(number)).await.unwrap().into_events();
    let events: Vec<_> = events.try_collect().await.unwrap();
    let found: Vec<_> = events.iter().map(|event| event.bytes().clone()).collect();
    assert_eq!(found, [0, 1].map(|round| format!("{number} {round}")), "{}", name(number));
}

pub(super) fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

pub(super) fn maps() -> usize {
    std::fs::read_to_string("/proc/self/maps").unwrap().lines().count()
}
