//! Flushes that wait concurrently: each returns when its events are durable, and not later.

use std::task::Poll;

use futures::poll;
use rig::shuffling::Shuffling;
use stratalog::{WriteFailure, WriteFate, Written};
use tokio::task::JoinHandle;

use super::*;

type Flush = JoinHandle<Result<Written, Error>>;

/// Appends an event, starts a flush, and waits until the create of its batch has begun.
async fn start_flush(world: &World, log: &Log, event: &str) -> Flush {
    log.append(event).await.unwrap();
    let flush = tokio::spawn({
        let log = log.clone();
        async move { log.flush().await }
    });
    await_create_of(world, log);
    flush
}

/// Waits for the create of a batch.
fn await_create_of(world: &World, log: &Log) {
    let begin = format!("create {}/batch_", log.name());
    until("the create of a batch", || {
        world.faults.requests().iter().any(|request| request.starts_with(&begin))
    });
}

async fn open(world: &World, store: &Store) -> Log {
    world.host().open(store, "log", options(1_000)).await.unwrap()
}

/// Waits until this many objects of a log are stored.
async fn await_stored(store: &Store, log: &str, count: usize) {
    let begun = std::time::Instant::now();
    while store.list(&format!("{log}/"), None, 100).await.unwrap().objects.len() != count {
        assert!(begun.elapsed() < NEVER, "they are never stored");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn is_failure(outcome: Result<Written, Error>, pending: u64) {
    let Err(Error::WriteFailed(WriteFailure { fate, events_pending, .. })) = &outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!((*fate, *events_pending), (WriteFate::NotWritten, pending));
}

#[test]
fn flush_returns_while_a_later_one_waits() {
    let (world, store) = world();
    world.runtime.block_on(async {
        let log = open(&world, &store).await;
        world.faults.arm(Call::Create, [Fault::Stalls; 3]);
        let first = start_flush(&world, &log, "a").await;
        let second = start_flush(&world, &log, "b").await;
        let third = start_flush(&world, &log, "c").await;
        world.faulty.release();
        assert_eq!(first.await.unwrap().unwrap().events, 1);
        assert_eq!(log.durable_bytes(), 2);
        assert!(!second.is_finished() && !third.is_finished());
        world.faulty.release();
        assert_eq!(second.await.unwrap().unwrap().events, 2);
        assert!(!third.is_finished());
        world.faulty.release();
        assert_eq!(third.await.unwrap().unwrap().events, 3);
        log.close().await.unwrap();
    });
}

#[test]
fn flush_waits_for_the_creates_before_its_own() {
    let (world, store) = world();
    world.runtime.block_on(async {
        let log = open(&world, &store).await;
        world.faults.arm(Call::Create, [Fault::Stalls]);
        let first = start_flush(&world, &log, "a").await;
        let second = start_flush(&world, &log, "b").await;
        let third = start_flush(&world, &log, "c").await;
        await_stored(&store, "log", 2).await;
        // The component has learned of both.
        assert_eq!(rest(log.read_all().await.unwrap()).await, ["a", "b", "c"]);
        assert!(![&first, &second, &third].iter().any(|flush| flush.is_finished()));
        assert_eq!(log.durable_bytes(), 0);
        assert_eq!(read(world.host(), &store, "log").await, Vec::<String>::new());
        world.faulty.release();
        for (number, flush) in (1..).zip([first, second, third]) {
            assert!(flush.await.unwrap().unwrap().events >= number);
        }
        assert_eq!(read(world.host(), &store, "log").await, ["a", "b", "c"]);
        log.close().await.unwrap();
    });
}

#[test]
fn flush_of_what_is_in_flight_already_waits_for_no_new_create() {
    let (world, store) = world();
    world.runtime.block_on(async {
        let log = open(&world, &store).await;
        world.faults.arm(Call::Create, [Fault::Stalls]);
        let first = start_flush(&world, &log, "a").await;
        let again = tokio::spawn({
            let log = log.clone();
            async move { log.flush().await }
        });
        assert_eq!(rest(log.read_all().await.unwrap()).await, ["a"]);
        assert!(!first.is_finished() && !again.is_finished());
        world.faulty.release();
        for flush in [first, again] {
            assert_eq!(flush.await.unwrap().unwrap().batches, 1);
        }
        log.close().await.unwrap();
    });
}

#[test]
fn oldest_create_that_fails_fails_all_flushes_that_wait() {
    let (world, store) = world();
    world.runtime.block_on(async {
        let log = open(&world, &store).await;
        world.faults.arm(Call::Create, [Fault::StallsRefused]);
        let first = start_flush(&world, &log, "a").await;
        let second = start_flush(&world, &log, "b").await;
        let third = start_flush(&world, &log, "c").await;
        await_stored(&store, "log", 2).await;
        world.faulty.release();
        // The stored ones are behind a gap, so they are pending, too.
        for flush in [first, second, third] {
            is_failure(flush.await.unwrap(), 3);
        }
        assert_eq!(log.durable_bytes(), 0);
        // They are retried, together with what was appended since.
        log.append("d").await.unwrap();
        assert_eq!(log.flush().await.unwrap().events, 4);
        assert_eq!(log.durable_bytes(), 8);
        assert_eq!(read(world.host(), &store, "log").await, ["a", "b", "c", "d"]);
        assert_eq!(log.close().await.unwrap().events, 4);
    });
}

#[test]
fn later_create_that_fails_does_not_fail_earlier_flushes() {
    let (world, store) = world();
    world.runtime.block_on(async {
        let log = open(&world, &store).await;
        world.faults.arm(Call::Create, [Fault::Stalls, Fault::Refused]);
        let first = start_flush(&world, &log, "a").await;
        let second = start_flush(&world, &log, "b").await;
        assert_eq!(rest(log.read_all().await.unwrap()).await, ["a", "b"]);
        assert!(!first.is_finished() && !second.is_finished());
        world.faulty.release();
        assert_eq!(first.await.unwrap().unwrap().events, 1);
        is_failure(second.await.unwrap(), 1);
        assert_eq!(log.durable_bytes(), 2);
        assert_eq!(log.flush().await.unwrap().events, 2);
        assert_eq!(read(world.host(), &store, "log").await, ["a", "b"]);
        log.close().await.unwrap();
    });
}

#[test]
fn flush_retries_a_later_create_while_an_earlier_one_is_in_flight() {
    let (world, store) = world();
    world.runtime.block_on(async {
        let log = world.host().open(&store, "retried-early", options(1_000)).await.unwrap();
        world.faults.arm(Call::Create, [Fault::Stalls, Fault::Refused]);
        let first = start_flush(&world, &log, "a").await;
        let second = start_flush(&world, &log, "b").await;
        world.await_warning("cannot write retried-early/batch_");
        let third = start_flush(&world, &log, "c").await;
        await_stored(&store, "retried-early", 2).await;
        assert!(![&first, &second, &third].iter().any(|flush| flush.is_finished()));
        world.faulty.release();
        for (number, flush) in (1..).zip([first, second, third]) {
            assert!(flush.await.unwrap().unwrap().events >= number);
        }
        assert_eq!(log.close().await.unwrap().events, 3);
        assert_eq!(read(world.host(), &store, "retried-early").await, ["a", "b", "c"]);
    });
}

/// Polls a flush once, and drops it.
async fn give_up_flush(world: &World, log: &Log, event: &str) {
    log.append(event).await.unwrap();
    let mut flush = Box::pin(log.flush());
    assert!(matches!(poll!(&mut flush), Poll::Pending));
    await_create_of(world, log);
}

#[test]
fn dropped_flush_makes_its_events_durable() {
    let (world, store) = world();
    world.runtime.block_on(async {
        let log = open(&world, &store).await;
        world.faults.arm(Call::Create, [Fault::Stalls; 2]);
        give_up_flush(&world, &log, "a").await;
        let second = start_flush(&world, &log, "b").await;
        world.faulty.release();
        until("the dropped flush", || log.durable_bytes() == 2);
        assert!(!second.is_finished());
        world.faulty.release();
        assert_eq!(second.await.unwrap().unwrap().events, 2);
        log.close().await.unwrap();
    });
}

#[test]
fn close_ends_the_flushes_that_wait() {
    for fails in [false, true] {
        let (world, store) = world();
        world.runtime.block_on(async {
            let log = open(&world, &store).await;
            let fault = if fails { Fault::StallsRefused } else { Fault::Stalls };
            world.faults.arm(Call::Create, [fault]);
            let first = start_flush(&world, &log, "a").await;
            let second = start_flush(&world, &log, "b").await;
            log.append("c").await.unwrap();
            let closing = tokio::spawn({
                let log = log.clone();
                async move { log.close().await }
            });
            await_stored(&store, "log", 2).await;
            assert!(!first.is_finished() && !second.is_finished() && !closing.is_finished());
            world.faulty.release();
            let outcomes = [first.await.unwrap(), second.await.unwrap(), closing.await.unwrap()];
            if fails {
                outcomes.into_iter().for_each(|outcome| is_failure(outcome, 3));
                // It is open, and keeps all.
                log.append("d").await.unwrap();
                assert_eq!(log.close().await.unwrap().events, 4);
            } else {
                let [first, second, closed] = outcomes.map(Result::unwrap);
                assert!(first.events >= 1 && second.events >= 2, "{first:?}, {second:?}");
                assert_eq!(closed.events, 3);
            }
            assert!(matches!(log.flush().await, Err(Error::Closed)));
            let found = read(world.host(), &store, "log").await;
            assert_eq!(found[..3], ["a", "b", "c"]);
            assert_eq!(found.len(), if fails { 4 } else { 3 });
        });
    }
}

#[test]
fn dropped_log_ends_the_flushes_that_wait() {
    for fails in [false, true] {
        let (world, store) = world();
        let name = if fails { "dropped-in-vain" } else { "dropped-in-flight" };
        world.runtime.block_on(async {
            let log = world.host().open(&store, name, options(1_000)).await.unwrap();
            // The create of the flush, and that of the last flush when the log is dropped.
            let faults = match fails {
                true => [Fault::StallsRefused, Fault::Refused].to_vec(),
                false => vec![Fault::Stalls],
            };
            world.faults.arm(Call::Create, faults);
            log.append("a").await.unwrap();
            let mut flush = Box::pin(log.flush());
            assert!(matches!(poll!(&mut flush), Poll::Pending));
            await_create_of(&world, &log);
            drop(flush);
            drop(log);
            world.faulty.release();
            if fails {
                world.await_warning(&format!(
                    "log {name} was dropped without close: 1 event was not flushed"
                ));
            } else {
                await_stored(&store, name, 1).await;
                assert_eq!(read(world.host(), &store, name).await, ["a"]);
            }
        });
        let lost = world
            .warnings()
            .iter()
            .any(|warning| warning.contains(name) && warning.contains("not flushed"));
        assert_eq!(lost, fails);
    }
}

#[test]
fn flushes_of_many_tasks_return_when_their_events_are_stored() {
    for creates_max in [1, 4, 16] {
        let world = World::new(Kind::Component);
        let objects = Arc::new(Shuffling::default());
        let store =
            Store::from_object_store(objects.clone(), "shuffling", ConditionalCreate::Honoured);
        world.runtime.block_on(async {
            let options = options(1_000).creates_max(creates_max).flush_threshold(3);
            let log = world.host().open(&store, "log", options).await.unwrap();
            let tasks = (0..16).map(|task| {
                let (log, objects) = (log.clone(), objects.clone());
                tokio::spawn(async move {
                    for number in 0..40 {
                        let event = format!("{task:02} {number:02}");
                        log.append(&event).await.unwrap();
                        while log.flush().await.is_err() {}
                        assert!(objects.has_line(&event), "{event} is not stored");
                    }
                })
            });
            for task in tasks.collect::<Vec<_>>() {
                task.await.unwrap();
            }
            let all = read(world.host(), &store, "log").await;
            assert_eq!(all.len(), 16 * 40);
            for task in 0..16 {
                let begin = format!("{task:02} ");
                let own = all.iter().filter(|event| event.starts_with(&begin));
                let expected = (0..40).map(|number| format!("{begin}{number:02}"));
                assert!(own.cloned().eq(expected), "{creates_max}, task {task}");
            }
            assert_eq!(log.close().await.unwrap().events, 16 * 40);
        });
    }
}
