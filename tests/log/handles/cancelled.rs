//! Calls that are cancelled at each of their awaits: the handle continues as if they had never been
//! made, or had ended.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use futures::{StreamExt as _, poll};
use object_store::memory::InMemory;
use object_store::{ObjectStore as _, ObjectStoreExt as _, PutPayload};
use rig::hesitant::Hesitant;
use rig::subject::events;
use rig::tools::cache_folder;
use stratalog::store::{ConditionalCreate, Store};
use stratalog::{
    CompactOptions, Error, Host, Log, LogOptions, ReadOptions, Reader, TrimOptions, TrimPoint,
};
use tokio::runtime::Runtime;
use tokio::task::yield_now;

use super::parked::host_of;
use super::{lines, read};

/// More polls than any call here needs.
const POLLS_MAX: usize = 5_000;

/// Polls a call this many times, then drops it. Returns its outcome, if it has one.
async fn polled<T>(polls: usize, call: impl Future<Output = T>) -> Option<T> {
    let mut call = pin!(call);
    for _ in 0..polls {
        if let Poll::Ready(done) = poll!(&mut call) {
            return Some(done);
        }
        // Time for the work of others that it started.
        yield_now().await;
    }
    None
}

/// Runs a test with a call cancelled after 0 polls, 1, 2 and so on, until it completes and the
/// test returns true. Returns the number of cancelled calls.
fn at_every_await(test: impl AsyncFn(&Host, usize) -> bool) -> usize {
    at_every_await_of(&Host::builder().cache_folder(cache_folder()).build().unwrap(), test)
}

/// As [`at_every_await`], also with readers that are parked after each call.
fn at_every_await_of_readers(test: impl AsyncFn(&Host, usize) -> bool) -> usize {
    let crowded = host_of(1);
    let idle = Runtime::new().unwrap().block_on(crowded.read(&Store::memory(), "idle"));
    let awaits = at_every_await_of(&crowded, &test);
    drop(idle);
    awaits.min(at_every_await(test))
}

fn at_every_await_of(host: &Host, test: impl AsyncFn(&Host, usize) -> bool) -> usize {
    let runtime = Runtime::new().unwrap();
    for polls in 0..POLLS_MAX {
        if runtime.block_on(test(host, polls)) {
            return polls;
        }
    }
    panic!("a call has not ended after {POLLS_MAX} polls");
}

fn store() -> Store {
    let objects = Arc::new(Hesitant(Arc::new(InMemory::new())));
    Store::from_object_store(objects, "hesitant", ConditionalCreate::Honoured)
}

fn options() -> LogOptions {
    LogOptions::new().flush_interval(std::time::Duration::ZERO)
}

/// Events of which three fill a page.
fn large(count: usize) -> Vec<String> {
    events(count).into_iter().map(|event| format!("{event} {}", "x".repeat(200_000))).collect()
}

/// Makes a log of these events, each in its own batch.
async fn log_of(host: &Host, store: &Store, events: &[String]) -> Log {
    let log = host.open(store, "log", options()).await.unwrap();
    for event in events {
        log.append(event).await.unwrap();
        log.flush().await.unwrap();
    }
    log
}

async fn rest_of(reader: &mut Reader) -> Vec<String> {
    let mut found = Vec::new();
    while let Some(page) = reader.next().await.unwrap() {
        found.extend(lines(&page));
    }
    found
}

#[test]
fn cancelled_reader_yields_each_event_once_and_keeps_its_position() {
    assert!(give_up_next_behind(0) > 3);
    give_up_next_behind(1);
    give_up_next_behind(2);
}

/// Cancels the call for the page behind this many others. Returns the number of awaits where it
/// did.
fn give_up_next_behind(pages: usize) -> usize {
    let all = large(7);
    at_every_await_of_readers(async |host, polls| {
        let store = store();
        log_of(host, &store, &all).await;
        let mut reader = host.read(&store, "log").await.unwrap();
        let mut found = Vec::new();
        for _ in 0..pages {
            found.extend(lines(&reader.next().await.unwrap().unwrap()));
        }
        assert!(found.len() < all.len());
        let given_up = polled(polls, reader.next()).await;
        if let Some(page) = &given_up {
            found.extend(lines(page.as_ref().unwrap().as_ref().unwrap()));
        }
        // A second call, after a cancelled one, returns the position before the first undelivered
        // event.
        polled(polls / 2, reader.position()).await;
        let position = reader.position().await.unwrap();
        let from_there = ReadOptions::new().start(&position);
        let mut other = host.read_with(&store, "log", from_there).await.unwrap();
        assert_eq!(rest_of(&mut other).await, all[found.len()..], "after {polls} polls");
        assert_eq!(rest_of(&mut reader).await, all[found.len()..], "after {polls} polls");
        given_up.is_some()
    })
}

#[test]
fn reader_cancelled_at_every_poll_reaches_its_end() {
    let all = large(7);
    let runtime = Runtime::new().unwrap();
    let host = Host::new().unwrap();
    runtime.block_on(async {
        let store = store();
        log_of(&host, &store, &all).await;
        let mut reader = host.read(&store, "log").await.unwrap();
        let (mut found, mut given_up) = (Vec::new(), 0);
        loop {
            match polled(1, reader.next()).await {
                Some(page) => match page.unwrap() {
                    Some(page) => found.extend(lines(&page)),
                    None => break,
                },
                None => given_up += 1,
            }
        }
        assert_eq!(found, all);
        assert!(given_up > 3, "{given_up}");
    });
}

#[test]
fn failure_of_a_cancelled_call_is_returned_by_the_next_one() {
    let all = events(3);
    let runtime = Runtime::new().unwrap();
    let host = Host::new().unwrap();
    runtime.block_on(async {
        let objects = Arc::new(InMemory::new());
        let hesitant = Arc::new(Hesitant(objects.clone()));
        let store = Store::from_object_store(hesitant, "store", ConditionalCreate::Honoured);
        log_of(&host, &store, &all).await;
        let mut batches: Vec<_> = objects.list(None).map(|object| object.unwrap()).collect().await;
        batches.sort_by(|a, b| a.location.cmp(&b.location));
        let torn = PutPayload::from_static(b"torn");
        objects.put(&batches[0].location, torn).await.unwrap();
        let mut reader = host.read(&store, "log").await.unwrap();
        assert!(polled(1, reader.next()).await.is_none());
        assert_eq!(reader.position().await.unwrap(), "0");
        let damaged = reader.next().await;
        assert!(matches!(damaged, Err(Error::Damaged(_))), "{damaged:?}");
    });
}

#[test]
fn follower_yields_each_event_once() {
    let all = large(7);
    at_every_await_of_readers(async |host, polls| {
        let store = store();
        log_of(host, &store, &all).await;
        let mut follow = host.read(&store, "log").await.unwrap().follow().unwrap();
        let first = polled(polls, follow.next()).await;
        let mut found = first.iter().flatten().flat_map(lines).collect::<Vec<_>>();
        while found.len() < all.len() {
            found.extend(lines(&follow.next().await.unwrap()));
        }
        assert_eq!(found, all, "after {polls} polls");
        first.is_some()
    });
}

#[test]
fn verifier_checks_everything_once() {
    let all = large(4);
    at_every_await(async |host, polls| {
        let store = store();
        log_of(host, &store, &all).await;
        let mut verifier = host.verify(&store, "log").await.unwrap();
        let first = polled(polls, verifier.next()).await;
        let mut last = None;
        while let Some(checked) = verifier.next().await.unwrap() {
            assert_eq!(checked.findings, [], "after {polls} polls");
            last = Some(checked);
        }
        let last = last.or_else(|| first.clone()?.unwrap()).unwrap();
        assert_eq!((last.events, last.objects), (4, last.objects_total), "after {polls} polls");
        first.is_some()
    });
}

#[test]
fn cancelled_append_has_taken_nothing() {
    at_every_await(async |host, polls| {
        let store = store();
        let small = options().event_bytes_max(40).buffer_bytes_max(100);
        let log = host.open(&store, "log", small).await.unwrap();
        // More than there is room for: some of them have to wait.
        let (mut taken, mut ended) = (Vec::new(), true);
        for number in 0..12 {
            let lines = format!("{number} {}\n", "x".repeat(30));
            match polled(polls, log.append_lines(&lines)).await {
                Some(done) => {
                    assert_eq!(done.unwrap(), 1);
                    taken.push(lines);
                }
                None => ended = false,
            }
        }
        assert_eq!(log.close().await.unwrap().events, taken.len() as u64);
        // Without a flush there is no log.
        let found = if taken.is_empty() { vec![] } else { read(host, &store, "log").await };
        let found: Vec<_> = found.iter().map(|event| format!("{event}\n")).collect();
        assert_eq!(found, taken, "after {polls} polls");
        ended
    });
}

#[test]
fn cancelled_flush_continues_and_so_does_the_log() {
    let all = events(4);
    at_every_await(async |host, polls| {
        let store = store();
        let log = host.open(&store, "log", options()).await.unwrap();
        log.append(&all[0]).await.unwrap();
        let ended = polled(polls, log.flush()).await.is_some();
        log.append(&all[1]).await.unwrap();
        let mut own = log.read_all().await.unwrap();
        assert_eq!(rest_of(&mut own).await, all[..2], "after {polls} polls");
        let written = log.flush().await.unwrap();
        assert_eq!(written.events, 2, "after {polls} polls");
        log.append(&all[2]).await.unwrap();
        polled(polls, log.file_count()).await;
        polled(polls, log.read_all()).await;
        log.append(&all[3]).await.unwrap();
        log.close().await.unwrap();
        assert_eq!(read(host, &store, "log").await, all, "after {polls} polls");
        ended
    });
}

#[test]
fn cancelled_close_is_answered_by_the_next_one() {
    let all = events(3);
    at_every_await(async |host, polls| {
        let store = store();
        let log = host.open(&store, "log", options()).await.unwrap();
        for event in &all {
            log.append(event).await.unwrap();
        }
        let closed = polled(polls, log.close()).await;
        let ended = closed.is_some();
        let written = match closed {
            Some(closed) => closed.unwrap(),
            None => log.close().await.unwrap(),
        };
        assert_eq!((written.events, written.batches), (3, 1), "after {polls} polls");
        assert!(matches!(log.close().await, Err(Error::Closed)));
        assert!(matches!(log.append("late").await, Err(Error::Closed)));
        assert_eq!(read(host, &store, "log").await, all, "after {polls} polls");
        ended
    });
}

#[test]
fn cancelled_compaction_loses_and_repeats_nothing() {
    let all = events(6);
    let awaits = at_every_await(async |host, polls| {
        let store = store();
        log_of(host, &store, &all).await;
        let full = CompactOptions::new().full(true);
        let ended = polled(polls, host.compact(&store, "log", &full)).await.is_some();
        assert_eq!(read(host, &store, "log").await, all, "after {polls} polls");
        host.compact(&store, "log", &full).await.unwrap();
        let stats = host.stat(&store, "log").await.unwrap();
        assert_eq!((stats.segments, stats.batches), (1, 0), "after {polls} polls");
        assert_eq!(read(host, &store, "log").await, all, "after {polls} polls");
        ended
    });
    assert!(awaits > 20, "{awaits} awaits");
}

#[test]
fn cancelled_trim_has_trimmed_all_or_nothing() {
    let all = events(6);
    at_every_await(async |host, polls| {
        let store = store();
        log_of(host, &store, &all).await;
        host.compact(&store, "log", &CompactOptions::new()).await.unwrap();
        let trim = host.trim(&store, "log", TrimPoint::KeepEvents(2), TrimOptions::new());
        let ended = polled(polls, trim).await.is_some();
        let left = read(host, &store, "log").await;
        assert!(left == all || left == all[4..], "after {polls} polls: {left:?}");
        host.trim(&store, "log", TrimPoint::KeepEvents(2), TrimOptions::new()).await.unwrap();
        assert_eq!(read(host, &store, "log").await, all[4..], "after {polls} polls");
        ended
    });
}

#[test]
fn cancelled_reads_and_plans_change_nothing() {
    let all = events(3);
    at_every_await(async |host, polls| {
        let store = store();
        let log = log_of(host, &store, &all).await;
        let plan = CompactOptions::new();
        let ended = [
            polled(polls, host.stat(&store, "log")).await.is_some(),
            polled(polls, host.plan_compaction(&store, "log", &plan)).await.is_some(),
            polled(polls, host.open(&store, "log", options())).await.is_some(),
            polled(polls, host.read(&store, "log")).await.is_some(),
            polled(polls, host.verify(&store, "log")).await.is_some(),
            polled(polls, log.read_all()).await.is_some(),
        ];
        assert_eq!(host.stat(&store, "log").await.unwrap().events, 3, "after {polls} polls");
        assert_eq!(read(host, &store, "log").await, all, "after {polls} polls");
        ended == [true; 6]
    });
}
