//! Flushes that wait concurrently: each returns when its events are durable, and not later.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use async_trait::async_trait;
use futures::stream::BoxStream;
use futures::{FutureExt as _, poll};
use object_store::{path::Path, *};
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
    await_create(world);
    flush
}

async fn open(world: &World, store: &Store) -> Log {
    world.host().open(store, "log", options(1_000)).await.unwrap()
}

/// Waits until this many batches are stored.
fn await_stored(world: &World, batches: usize) {
    until("the batches in the store", || world.keys().len() == batches);
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
        await_stored(&world, 2);
        // The component has learned of both.
        assert_eq!(rest(log.read_all().await.unwrap()).await, ["a", "b", "c"]);
        assert!(![&first, &second, &third].iter().any(|flush| flush.is_finished()));
        assert_eq!(log.durable_bytes(), 0);
        assert_eq!(read(world.host(), &store, "log").await, Vec::<String>::new());
        world.faulty.release();
        for flush in [first, second, third] {
            assert_eq!(flush.await.unwrap().unwrap().events, 3);
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
        await_stored(&world, 2);
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
        let log = open(&world, &store).await;
        world.faults.arm(Call::Create, [Fault::Stalls, Fault::Refused]);
        let first = start_flush(&world, &log, "a").await;
        let second = start_flush(&world, &log, "b").await;
        // The component learns of the failure.
        log.file_count().now_or_never();
        let third = start_flush(&world, &log, "c").await;
        await_stored(&world, 2);
        world.faulty.release();
        for flush in [first, second, third] {
            assert!(flush.await.unwrap().unwrap().events >= 1);
        }
        assert_eq!(log.close().await.unwrap().events, 3);
        assert_eq!(read(world.host(), &store, "log").await, ["a", "b", "c"]);
    });
}

/// Polls a flush once, and drops it.
async fn give_up_flush(world: &World, log: &Log, event: &str) {
    log.append(event).await.unwrap();
    let mut flush = Box::pin(log.flush());
    assert!(matches!(poll!(&mut flush), Poll::Pending));
    await_create(world);
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
            await_stored(&world, 2);
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
            let fault = if fails { Fault::StallsRefused } else { Fault::Stalls };
            world.faults.arm(Call::Create, [fault]);
            log.append("a").await.unwrap();
            let mut flush = Box::pin(log.flush());
            assert!(matches!(poll!(&mut flush), Poll::Pending));
            until("the create of a batch", || {
                let requests = world.faults.requests();
                requests.iter().any(|request| request.starts_with("create "))
            });
            drop(flush);
            drop(log);
            world.faulty.release();
            if fails {
                world.await_warning(&format!(
                    "log {name} was dropped without close: 1 events were not flushed"
                ));
            } else {
                let objects = world.faulty.objects.clone();
                until("the batch in the store", || {
                    objects
                        .list_with_delimiter(None)
                        .now_or_never()
                        .is_some_and(|listed| !listed.unwrap().common_prefixes.is_empty())
                });
                assert_eq!(read(world.host(), &store, name).await, ["a"]);
            }
        });
        let lost = world
            .warnings()
            .iter()
            .any(|warning| warning.contains(name) && warning.contains("were not flushed"));
        assert_eq!(lost, fails);
    }
}

/// A store whose creates end in another order than they began, and some of them in doubt.
#[derive(Debug)]
struct Shuffling {
    objects: InMemory,
    calls: AtomicU64,
    stored: Mutex<Vec<String>>,
}

impl fmt::Display for Shuffling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("shuffling")
    }
}

#[async_trait]
impl ObjectStore for Shuffling {
    async fn put_opts(
        &self,
        at: &Path,
        bytes: PutPayload,
        how: PutOptions,
    ) -> object_store::Result<PutResult> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(call * 7 % 11)).await;
        let lines = bytes.iter().flat_map(|bytes| bytes.to_vec()).collect();
        let done = self.objects.put_opts(at, bytes, how).await?;
        self.stored.lock().unwrap().push(String::from_utf8(lines).unwrap());
        match call % 13 {
            5 => Err(object_store::Error::Generic { store: "shuffling", source: "lost".into() }),
            _ => Ok(done),
        }
    }
    async fn get_opts(&self, at: &Path, how: GetOptions) -> object_store::Result<GetResult> {
        self.objects.get_opts(at, how).await
    }
    fn delete_stream(
        &self,
        paths: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        self.objects.delete_stream(paths)
    }
    fn list(&self, at: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.objects.list(at)
    }
    async fn list_with_delimiter(&self, at: Option<&Path>) -> object_store::Result<ListResult> {
        self.objects.list_with_delimiter(at).await
    }
    async fn put_multipart_opts(
        &self,
        at: &Path,
        how: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.objects.put_multipart_opts(at, how).await
    }
    async fn copy_opts(
        &self,
        from: &Path,
        to: &Path,
        how: CopyOptions,
    ) -> object_store::Result<()> {
        self.objects.copy_opts(from, to, how).await
    }
}

#[test]
fn flushes_of_many_tasks_return_when_their_events_are_stored() {
    for creates_max in [1, 4, 16] {
        let world = World::new(Kind::Component);
        let objects = Arc::new(Shuffling {
            objects: InMemory::new(),
            calls: AtomicU64::new(0),
            stored: Mutex::default(),
        });
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
                        let stored = objects.stored.lock().unwrap();
                        let is_there = |lines: &String| lines.lines().any(|line| line == event);
                        assert!(stored.iter().any(is_there), "{event} is not stored");
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
