//! More open logs than instances: a log that is parked is as one that is not.

use futures::future::{join_all, try_join_all};
use rig::tools::cache_folder;
use stratalog::{Notice, WriteFailure};

use super::*;

pub(super) fn host_of(live_logs_max: usize) -> Host {
    Host::builder().cache_folder(cache_folder()).live_logs_max(live_logs_max).build().unwrap()
}

async fn open_all(host: &Host, store: &Store, count: usize, options: &LogOptions) -> Vec<Log> {
    let opens = (0..count).map(|number| {
        let (options, name) = (options.clone(), format!("log{number}"));
        async move { host.open(store, &name, options).await }
    });
    try_join_all(opens).await.unwrap()
}

#[test]
fn host_without_live_logs_is_refused() {
    let refused = Host::builder().live_logs_max(0).build();
    let Err(Error::InvalidInput(text)) = refused else { panic!("it is not refused") };
    assert!(text.contains("live_logs_max = 0"), "{text}");
}

/// Each log appends on its own, and none flushes: its batches are those of its options.
#[test]
fn parked_logs_write_the_batches_of_logs_that_are_not() {
    const LOGS: usize = 30;
    const EVENTS: usize = 21;
    let world = World::new(Kind::Component);
    // More creates than batches: otherwise a batch grows while others are written.
    let options = LogOptions::new().creates_max(16).flush_threshold(4);
    let options = options.flush_interval(Duration::from_secs(3_600));
    let run = |live: usize| {
        let (host, store, options) = (host_of(live), Store::memory(), &options);
        world.runtime.block_on(async {
            let logs = open_all(&host, &store, LOGS, options).await;
            for number in 0..EVENTS {
                for (at, log) in logs.iter().enumerate() {
                    log.append(format!("{at} {number}")).await.unwrap();
                    if (at + number) % 7 == 0 {
                        tokio::time::sleep(Duration::from_millis(2)).await;
                    }
                }
            }
            let mut batches = Vec::new();
            for (at, log) in logs.iter().enumerate() {
                let events: Vec<_> = (0..EVENTS).map(|number| format!("{at} {number}")).collect();
                assert_eq!(rest(log.read_all().await.unwrap()).await, events);
                let written = log.close().await.unwrap();
                assert_eq!(written.events, EVENTS as u64);
                assert!(matches!(log.append("late").await, Err(Error::Closed)));
                assert_eq!(read(&host, &store, &format!("log{at}")).await, events);
                let stored = host.stat(&store, &format!("log{at}")).await.unwrap().batches;
                assert_eq!(stored, written.batches);
                batches.push(written.batches);
            }
            batches
        })
    };
    // 21 events: five batches of four, and one.
    assert_eq!(run(LOGS + 1), [6; LOGS]);
    assert_eq!(run(1), [6; LOGS]);
    assert_eq!(run(3), [6; LOGS]);
}

#[test]
fn events_of_a_parked_log_are_flushed_after_their_interval() {
    let world = World::new(Kind::Component);
    let (host, store) = (host_of(1), Store::memory());
    let interval = Duration::from_millis(600);
    world.runtime.block_on(async {
        let options = LogOptions::new().flush_interval(interval);
        let logs = open_all(&host, &store, 4, &options).await;
        let mut notices = logs[0].notices();
        let start = std::time::Instant::now();
        logs[0].append("first").await.unwrap();
        // The others take its instance.
        for log in logs[1..].iter().cycle().take(9) {
            log.append("other").await.unwrap();
            log.flush().await.unwrap();
        }
        if start.elapsed() < interval / 2 {
            let listed = store.list("log0/", None, 10).await.unwrap().objects;
            assert!(listed.is_empty(), "{listed:?}");
        }
        let written = tokio::time::timeout(NEVER, logs[0].durable()).await.unwrap().unwrap();
        assert_eq!(written.events, 1);
        assert!(start.elapsed() >= interval, "{:?}", start.elapsed());
        let notice = tokio::time::timeout(NEVER, notices.next()).await.unwrap();
        assert!(matches!(notice, Some(Notice::Durable(durable)) if durable == written));
        drop(logs);
        assert!(tokio::time::timeout(NEVER, notices.next()).await.unwrap().is_none());
        assert_eq!(read(&host, &store, "log0").await, ["first"]);
    });
}

#[test]
fn parked_logs_that_are_dropped_are_flushed() {
    let world = World::new(Kind::Component);
    let (host, store) = (host_of(2), Store::memory());
    let options = LogOptions::new().flush_interval(Duration::ZERO);
    world.runtime.block_on(async {
        let logs = open_all(&host, &store, 20, &options).await;
        for log in &logs {
            log.append("kept").await.unwrap();
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        drop(logs);
        for number in 0..20 {
            let name = format!("log{number}");
            let start = std::time::Instant::now();
            while store.list(&format!("{name}/"), None, 10).await.unwrap().objects.is_empty() {
                assert!(start.elapsed() < NEVER, "{name} is never flushed");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            assert_eq!(read(&host, &store, &name).await, ["kept"]);
        }
    });
}

#[test]
fn failure_of_a_parked_log_is_reported_once_and_nothing_is_lost() {
    let (world, store) = world();
    let host = host_of(1);
    world.runtime.block_on(async {
        let options = LogOptions::new().flush_interval(Duration::ZERO);
        let logs = open_all(&host, &store, 3, &options).await;
        for (at, log) in logs.iter().enumerate() {
            log.append(format!("{at}")).await.unwrap();
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        world.faults.arm(Call::Create, [Fault::Refused]);
        let flushed = join_all(logs.iter().map(Log::flush)).await;
        let failed = flushed.iter().filter(|outcome| {
            matches!(outcome, Err(Error::WriteFailed(WriteFailure { events_pending: 1, .. })))
        });
        let done = flushed.iter().filter(|outcome| outcome.is_ok());
        assert_eq!((failed.count(), done.count()), (1, 2), "{flushed:?}");
        for (at, log) in logs.iter().enumerate() {
            assert_eq!(log.flush().await.unwrap().events, 1);
            log.append(format!("{at} again")).await.unwrap();
            assert_eq!(log.close().await.unwrap().events, 2);
            let name = format!("log{at}");
            assert_eq!(read(&host, &store, &name).await, [format!("{at}"), format!("{at} again")]);
        }
    });
}

/// A store that answers nothing holds the only seat for a few seconds, and then no more.
#[test]
fn store_that_hangs_does_not_hold_the_logs_of_others() {
    let (world, store) = world();
    let (host, other) = (host_of(1), Store::memory());
    world.runtime.block_on(async {
        let options = LogOptions::new();
        let hanging = host.open(&store, "log", options.clone()).await.unwrap();
        world.faults.arm(Call::Create, [Fault::Stalls]);
        hanging.append("a").await.unwrap();
        let flush = tokio::spawn({
            let hanging = hanging.clone();
            async move { hanging.flush().await }
        });
        await_create(&world);
        let log = tokio::time::timeout(NEVER, host.open(&other, "log", options)).await;
        let log = log.unwrap().unwrap();
        log.append("b").await.unwrap();
        assert_eq!(log.close().await.unwrap().events, 1);
        assert!(!flush.is_finished());
        world.faulty.release();
        assert_eq!(flush.await.unwrap().unwrap().events, 1);
        assert_eq!(hanging.file_count().await.unwrap(), 1);
        hanging.close().await.unwrap();
    });
}

#[test]
fn parked_log_compacts_in_the_background() {
    let world = World::new(Kind::Component);
    let (host, store) = (host_of(1), Store::memory());
    world.runtime.block_on(async {
        let logs = open_all(&host, &store, 3, &options(2)).await;
        for number in 0..6 {
            for log in &logs {
                log.append(format!("{number}")).await.unwrap();
                log.flush().await.unwrap();
            }
        }
        for (at, log) in logs.iter().enumerate() {
            log.close().await.unwrap();
            let stats = host.stat(&store, &format!("log{at}")).await.unwrap();
            assert_eq!(stats.events, 6);
            assert!(stats.segments > 0, "{stats:?}");
        }
    });
}
