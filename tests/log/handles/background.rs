//! Notices of a handle, waits for durability, and the end of its runtime.

use stratalog::Notice;

use super::*;

fn flushed_by_time() -> LogOptions {
    LogOptions::new().flush_threshold(1_000).flush_interval(Duration::from_millis(20))
}

#[test]
fn tasks_that_wait_for_their_events_share_batches() {
    let (world, store) = world();
    // Its clock runs.
    let host = Host::new().unwrap();
    world.runtime.block_on(async {
        let log = host.open(&store, "log", flushed_by_time()).await.unwrap();
        let tasks = (0..64).map(|task| {
            let log = log.clone();
            tokio::spawn(async move {
                log.append(format!("{task}")).await.unwrap();
                log.durable().await.unwrap()
            })
        });
        let mut durable = 0;
        for task in tasks.collect::<Vec<_>>() {
            let written = task.await.unwrap();
            assert!(written.events >= 1);
            durable = durable.max(written.events);
        }
        assert_eq!(durable, 64);
        assert_eq!(read(&host, &store, "log").await.len(), 64);
        let stats = host.stat(&store, "log").await.unwrap();
        assert!(stats.batches < 32, "{} batches: each wait was a flush", stats.batches);
        // Nothing is pending, so nothing is waited for.
        assert_eq!(log.durable().await.unwrap().events, 64);
    });
}

#[test]
fn wait_outlasts_a_failure_that_may_pass_and_both_are_heard() {
    let (world, store) = world();
    // Its clock runs.
    let host = Host::new().unwrap();
    world.runtime.block_on(async {
        let log = host.open(&store, "log", flushed_by_time()).await.unwrap();
        let mut notices = log.notices();
        world.faults.arm(Call::Create, [Fault::Lost]);
        log.append("event").await.unwrap();
        assert_eq!(log.durable().await.unwrap().events, 1);
        let failed = notices.next().await;
        let Some(Notice::WriteFailed(failure)) = failed else { panic!("{failed:?}") };
        assert_eq!((failure.events_pending, failure.transient), (1, true));
        let durable = notices.next().await;
        let Some(Notice::Durable(written)) = durable else { panic!("{durable:?}") };
        assert_eq!((written.events, written.batches), (1, 1));
        log.close().await.unwrap();
        drop(log);
        let end = notices.next().await;
        assert!(end.is_none(), "{end:?}");
    });
}

#[test]
fn compactions_in_the_background_are_heard() {
    let (world, store) = world();
    let bare = Arc::new(InMemory::new());
    let bare = Store::from_object_store(bare, "memory", ConditionalCreate::Absent);
    world.runtime.block_on(async {
        for (store, can_compact) in [(&store, true), (&bare, false)] {
            let log = world.host().open(store, "heard", options(2)).await.unwrap();
            let mut notices = log.notices();
            append(&log, &events(2)).await;
            log.close().await.unwrap();
            drop(log);
            let mut compacted = Vec::new();
            while let Some(notice) = notices.next().await {
                match notice {
                    Notice::Compacted(done) => compacted.push(Ok(done.batches)),
                    Notice::CompactionFailed(error) => compacted.push(Err(error.to_string())),
                    _ => {}
                }
            }
            match (&compacted[..], can_compact) {
                ([Ok(2)], true) => {}
                ([Err(message)], false) => assert!(message.contains("create-if-absent")),
                other => panic!("{other:?}"),
            }
        }
    });
}

#[test]
fn listener_that_is_slow_learns_what_was_dropped_and_delays_nothing() {
    let (world, store) = world();
    world.runtime.block_on(async {
        let log = world.host().open(&store, "log", options(10_000)).await.unwrap();
        let mut notices = log.notices();
        append(&log, &events(300)).await;
        let first = notices.next().await;
        let Some(Notice::Dropped(dropped)) = first else { panic!("{first:?}") };
        let mut left = 0;
        while notices.try_next().is_some() {
            left += 1;
        }
        assert_eq!((dropped, left), (300 - 256, 256));
    });
}

#[test]
fn runtime_that_ends_before_its_log_reports_the_loss() {
    let (world, store) = world();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let log = runtime.block_on(async {
        let log = world.host().open(&store, "outlived", options(1_000)).await.unwrap();
        log.append("event").await.unwrap();
        log
    });
    drop(runtime);
    world.await_warning(
        "the log outlived was still open when the program stopped: 1 event was not flushed",
    );
    drop(log);
}
