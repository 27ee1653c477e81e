//! The host's additions to the component: handles that compact in the background, and followers.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use object_store::memory::InMemory;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use rig::faults::{Call, Fault};
use rig::subject::{Kind, World, events};
use rig::waits::{NEVER, until};
use stratalog::store::{ConditionalCreate, Store};
use stratalog::{Error, Host, Log, LogOptions, Page, ReadOptions, Reader};

mod background;
mod cancelled;
mod flushes;
mod parked;
mod parked_readers;
mod streams;

/// Makes a world, and opens its store as the host's callers do.
fn world() -> (World, Store) {
    let world = World::new(Kind::Component);
    let objects = Arc::new(world.faulty.clone());
    let store = Store::from_object_store(objects, "faulty", ConditionalCreate::Honoured);
    (world, store)
}

fn options(compact_after: u32) -> LogOptions {
    LogOptions::new().flush_interval(Duration::ZERO).compact_after(compact_after)
}

/// Appends events, each in its own batch.
async fn append(log: &Log, events: &[String]) {
    for event in events {
        log.append(event).await.unwrap();
        log.flush().await.unwrap();
    }
}

fn lines(page: &Page) -> Vec<String> {
    page.iter().map(|event| String::from_utf8(event.to_vec()).unwrap()).collect()
}

async fn rest(mut reader: Reader) -> Vec<String> {
    let mut events = Vec::new();
    while let Some(page) = reader.next().await.unwrap() {
        events.extend(lines(&page));
    }
    events
}

async fn read(host: &Host, store: &Store, name: &str) -> Vec<String> {
    rest(host.read(store, name).await.unwrap()).await
}

/// Waits for the creates of the indexes of this many segments, and checks that there were no more.
/// A segment is written after its index.
fn await_segments(world: &World, number: usize) {
    let found = Cell::new(0);
    until("the create of an index", || {
        let requests = world.faults.requests();
        let creates = requests.iter().filter(|request| {
            request.starts_with("create log/segment_") && request.ends_with(".index")
        });
        found.set(found.get() + creates.count());
        found.get() >= number
    });
    assert_eq!(found.get(), number);
}

/// Waits for the create of a batch.
fn await_create(world: &World) {
    until("the create of a batch", || {
        world.faults.requests().iter().any(|request| request.starts_with("create log/batch_"))
    });
}

#[test]
fn background_compaction_that_fails_repeatedly_warns_once() {
    let (world, objects) = (World::new(Kind::Component), Arc::new(InMemory::new()));
    let store = Store::from_object_store(objects, "memory", ConditionalCreate::Absent);
    world.runtime.block_on(async {
        let log = world.host().open(&store, "warned-once", options(1)).await.unwrap();
        append(&log, &events(60)).await;
        log.close().await.unwrap();
    });
    let warnings = world.warnings();
    let of_log: Vec<_> = warnings.iter().filter(|line| line.contains("warned-once")).collect();
    assert_eq!(of_log.len(), 1, "{of_log:?}");
}

#[test]
fn handle_compacts_in_the_background_during_appends_and_reads() {
    let (world, store) = world();
    let (host, all) = (world.host(), events(40));
    world.runtime.block_on(async {
        let log = host.open(&store, "log", options(4)).await.unwrap();
        append(&log, &all[..3]).await;
        // The fourth batch is created, and then the create of the index stalls.
        world.faults.arm_after(1, Call::Create, Fault::Stalls);
        append(&log, &all[3..4]).await;
        await_segments(&world, 1);
        append(&log, &all[4..30]).await;
        assert_eq!(rest(log.read_all().await.unwrap()).await, all[..30]);
        assert_eq!(read(host, &store, "log").await, all[..30]);
        let stats = host.stat(&store, "log").await.unwrap();
        assert_eq!((stats.segments, stats.batches), (0, 30));
        // Only one compaction at a time, regardless of the number of new batches.
        await_segments(&world, 0);
        world.faulty.release();
        // By then the next one is due.
        await_segments(&world, 1);
        append(&log, &all[30..]).await;
        log.close().await.unwrap();
        let stats = host.stat(&store, "log").await.unwrap();
        // The larger segment of the second compaction has absorbed the first.
        assert!(stats.generation >= 2 && stats.batches <= 10, "{stats:?}");
        assert_eq!(read(host, &store, "log").await, all);
    });
}

#[test]
fn durable_bytes_grow_while_a_flush_waits_for_its_second_batch() {
    let (world, store) = world();
    world.runtime.block_on(async {
        let options = options(100).flush_threshold(1);
        let log = world.host().open(&store, "log", options).await.unwrap();
        world.faults.arm(Call::Create, [Fault::Stalls, Fault::Stalls]);
        log.append("a").await.unwrap();
        await_create(&world);
        log.append("bb").await.unwrap();
        let flushing = tokio::spawn({
            let log = log.clone();
            async move { log.flush().await }
        });
        assert_eq!(log.durable_bytes(), 0);
        world.faulty.release();
        await_create(&world);
        until("the first batch", || log.durable_bytes() == 2);
        assert!(!flushing.is_finished());
        world.faulty.release();
        assert_eq!(flushing.await.unwrap().unwrap().bytes, 5);
        assert_eq!(log.durable_bytes(), 5);
        log.close().await.unwrap();
    });
}

#[test]
fn durable_bytes_leave_out_a_batch_that_only_seems_to_exist() {
    let (world, store) = world();
    world.runtime.block_on(async {
        let log = world.host().open(&store, "log", options(100)).await.unwrap();
        world.faults.arm(Call::Create, [Fault::SaysExists]);
        log.append("a").await.unwrap();
        log.flush().await.unwrap_err();
        assert_eq!(log.durable_bytes(), 0);
        assert_eq!(log.flush().await.unwrap().bytes, 2);
        assert_eq!(log.durable_bytes(), 2);
        log.close().await.unwrap();
    });
}

#[test]
fn close_waits_for_the_compaction_in_progress() {
    let (world, store) = world();
    let (host, all) = (world.host(), events(4));
    world.runtime.block_on(async {
        let log = host.open(&store, "log", options(4)).await.unwrap();
        append(&log, &all[..3]).await;
        world.faults.arm_after(1, Call::Create, Fault::Stalls);
        log.append(&all[3]).await.unwrap();
        // Due by the last flush, which is that of the close.
        let closing = tokio::spawn(async move { log.close().await });
        await_segments(&world, 1);
        assert!(!closing.is_finished());
        world.faulty.release();
        assert_eq!(closing.await.unwrap().unwrap().batches, 4);
        let stats = host.stat(&store, "log").await.unwrap();
        assert_eq!((stats.segments, stats.batches), (1, 0));
        assert_eq!(read(host, &store, "log").await, all);
    });
}

#[test]
fn background_compaction_that_fails_warns_and_the_next_one_retries() {
    let (world, store) = world();
    let (host, all) = (world.host(), events(8));
    world.runtime.block_on(async {
        let log = host.open(&store, "refused", options(4)).await.unwrap();
        append(&log, &all[..3]).await;
        world.faults.arm_after(1, Call::Create, Fault::Refused);
        append(&log, &all[3..4]).await;
        world.await_warning(
            "cannot compact the log refused in the background: cannot write refused/",
        );
        append(&log, &all[4..7]).await;
        assert_eq!(host.stat(&store, "refused").await.unwrap().segments, 0);
        append(&log, &all[7..]).await;
        log.close().await.unwrap();
        let stats = host.stat(&store, "refused").await.unwrap();
        assert_eq!((stats.segments, stats.batches), (1, 0));
        assert_eq!(read(host, &store, "refused").await, all);
    });
}

#[test]
fn dropped_handle_and_ended_runtime_abandon_a_compaction() {
    let (world, store) = world();
    let (host, all) = (world.host(), events(5));
    let short = tokio::runtime::Runtime::new().unwrap();
    short.block_on(async {
        let log = host.open(&store, "log", options(4)).await.unwrap();
        append(&log, &all[..3]).await;
        world.faults.arm_after(1, Call::Create, Fault::Stalls);
        append(&log, &all[3..4]).await;
        await_segments(&world, 1);
        drop(log);
    });
    drop(short);
    world.runtime.block_on(async {
        assert_eq!(read(host, &store, "log").await, all[..4]);
        let log = host.open(&store, "log", options(1)).await.unwrap();
        append(&log, &all[4..]).await;
        log.close().await.unwrap();
        assert_eq!(host.stat(&store, "log").await.unwrap().segments, 1);
        assert_eq!(read(host, &store, "log").await, all);
    });
}

#[test]
fn many_handles_that_compact_one_log_lose_and_repeat_nothing() {
    let (world, store) = world();
    let host = world.host();
    world.runtime.block_on(async {
        let mut writers = Vec::new();
        for writer in 0..4 {
            let log = host.open(&store, "many", options(3)).await.unwrap();
            writers.push(tokio::spawn(async move {
                for number in 0..40 {
                    append(&log, &[format!("{writer} {number:02}")]).await;
                }
                log.close().await.unwrap();
            }));
        }
        for writer in writers {
            writer.await.unwrap();
        }
        let all = read(host, &store, "many").await;
        for writer in 0..4 {
            let own = all.iter().filter(|event| event.starts_with(&writer.to_string()));
            let expected = (0..40).map(|number| format!("{writer} {number:02}"));
            assert!(own.cloned().eq(expected), "writer {writer}: {all:?}");
        }
        assert_eq!(all.len(), 160);
        assert!(host.stat(&store, "many").await.unwrap().segments > 0);
    });
    let warnings = world.warnings();
    let reported = warnings.iter().find(|warning| warning.contains("compact the log many"));
    assert_eq!(reported, None);
}

#[test]
fn compaction_after_no_batches_is_refused() {
    let (world, store) = world();
    let opened = world.runtime.block_on(world.host().open(&store, "log", options(0)));
    let Err(Error::InvalidInput(message)) = opened else { panic!("{opened:?}") };
    assert_eq!(message, "compact_after = 0 is out of range; give 1 or more");
}

#[test]
fn follower_cancelled_repeatedly_yields_each_event_once() {
    let (world, store) = world();
    let (host, all) = (world.host(), events(60));
    world.runtime.block_on(async {
        let log = host.open(&store, "log", options(7)).await.unwrap();
        append(&log, &all[..10]).await;
        let mut follow = host.read(&store, "log").await.unwrap().follow().unwrap();
        assert_eq!(follow.position().await.unwrap(), "0");
        let writing = {
            let (log, all) = (log.clone(), all.clone());
            tokio::spawn(async move { append(&log, &all[10..]).await })
        };
        let mut found = Vec::new();
        while found.len() < all.len() {
            // Cancelled at any await, as every poll is the last one once in a while.
            let next = tokio::time::timeout(Duration::from_micros(300), follow.next());
            if let Ok(page) = next.await {
                found.extend(lines(&page.unwrap()));
                // A reader that resumes here gets the rest.
                let position = follow.position().await.unwrap();
                let options = ReadOptions::new().start(position).limit(1);
                let behind = rest(host.read_with(&store, "log", options).await.unwrap()).await;
                assert!(behind.iter().eq(all.get(found.len()).filter(|_| !behind.is_empty())));
            }
        }
        assert_eq!(found, all);
        writing.await.unwrap();
    });
}

#[test]
fn follower_resumes_after_the_store_was_unavailable() {
    let (world, store) = world();
    let (host, all) = (world.host(), events(6));
    world.runtime.block_on(async {
        let log = host.open(&store, "log", LogOptions::new()).await.unwrap();
        append(&log, &all[..3]).await;
        world.faults.arm(Call::List, [Fault::Lost]);
        let last = ReadOptions::new().last(2);
        let reader = host.read_with(&store, "log", last).await.unwrap();
        let mut follow = reader.follow().unwrap();
        let failed = follow.next().await;
        assert!(matches!(&failed, Err(error @ Error::StoreFailed(_)) if error.is_transient()));
        assert_eq!(lines(&follow.next().await.unwrap()), all[1..3]);
        append(&log, &all[3..]).await;
        world.faults.arm(Call::List, [Fault::Lost]);
        assert!(follow.next().await.is_err());
        let mut found = Vec::new();
        while found.len() < 3 {
            found.extend(lines(&follow.next().await.unwrap()));
        }
        assert_eq!(found, all[3..]);
    });
}

#[test]
fn pass_with_an_end_is_not_followed_and_own_reads_have_no_position() {
    let (world, store) = world();
    let host = world.host();
    world.runtime.block_on(async {
        let log = host.open(&store, "log", LogOptions::new()).await.unwrap();
        let mut own = log.read_all().await.unwrap();
        let position = own.position().await;
        assert!(matches!(position, Err(Error::InvalidInput(_))), "{position:?}");
        let limited = host.read_with(&store, "log", ReadOptions::new().limit(1)).await.unwrap();
        for reader in [own, limited] {
            let refused = reader.follow();
            assert!(matches!(refused, Err(Error::InvalidInput(_))), "{refused:?}");
        }
    });
}

#[tokio::test]
async fn instance_kept_ready_reaches_only_the_store_that_it_is_taken_for() {
    let host = Host::new().unwrap();
    let mut written = Vec::new();
    for round in 0..8 {
        let store = Store::memory();
        let event = format!("of store {round}");
        let log = host.open(&store, "log", LogOptions::new()).await.unwrap();
        log.append(&event).await.unwrap();
        log.close().await.unwrap();
        written.push((store, event));
        // The next page is ready before the call, or not: both cases occur.
        tokio::task::yield_now().await;
    }
    for (store, event) in written {
        assert_eq!(read(&host, &store, "log").await, [event]);
    }
}

#[test]
fn flush_ends_while_tasks_append_without_end() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        // A store that is slower than the tasks: they fill the room that a flush empties.
        let slow = ThrottleConfig {
            wait_put_per_call: Duration::from_millis(5),
            ..ThrottleConfig::default()
        };
        let slow = Arc::new(ThrottledStore::new(InMemory::new(), slow));
        let slow = Store::from_object_store(slow, "slow", ConditionalCreate::Honoured);
        let options = LogOptions::new().event_bytes_max(1_000).buffer_bytes_max(65_536);
        let log = Host::new().unwrap().open(&slow, "log", options).await.unwrap();
        let appending = (0..2).map(|_| {
            let log = log.clone();
            tokio::spawn(async move {
                let lines = "0123456789\n".repeat(1_000);
                while log.append_lines(&lines).await.is_ok() {}
            })
        });
        let appending: Vec<_> = appending.collect();
        let mut events = 0;
        while events < 100_000 {
            let flushed = tokio::time::timeout(NEVER, log.flush());
            let written = flushed.await.expect("a flush that ends").unwrap();
            assert!(written.events >= events, "{written:?}");
            events = written.events;
        }
        let closed = tokio::time::timeout(NEVER, log.close());
        closed.await.expect("a close that ends").unwrap();
        for task in appending {
            task.await.unwrap();
        }
    });
}
