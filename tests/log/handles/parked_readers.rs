//! More readers than instances: a reader that is parked yields what one that is not yields.

use futures::TryStreamExt as _;
use rig::counter::Counter;
use stratalog::{CompactOptions, Follow, TrimOptions, TrimPoint};

use super::parked::host_of;
use super::*;

/// A host whose readers are parked after each call, but for one that is not used.
async fn crowded(store: &Store) -> (Host, Reader) {
    let host = host_of(1);
    let idle = host.read(store, "idle").await.unwrap();
    (host, idle)
}

/// Two of these are a page.
fn large(number: usize) -> String {
    format!("{number:06}{}", "x".repeat(300 * 1024))
}

async fn keys(store: &Store, start: &str) -> Vec<String> {
    let objects = store.list("log/", None, 10_000).await.unwrap().objects;
    let keys = objects.into_iter().map(|object| object.key);
    keys.filter(|key| key.starts_with(start)).collect()
}

/// Stores an object in place of another one. Returns the bytes of that.
async fn replace(store: &Store, key: &str, bytes: impl Into<bytes::Bytes>) -> bytes::Bytes {
    let before = store.get(key, None).await.unwrap();
    assert_eq!(store.delete(vec![key.to_owned()]).await, []);
    store.create(key, bytes.into(), false).await.unwrap();
    before
}

fn numbers(page: &Page) -> impl Iterator<Item = usize> {
    page.iter().map(|event| std::str::from_utf8(&event[..6]).unwrap().parse().unwrap())
}

async fn rest_of(reader: &mut Reader) -> (Vec<usize>, u64) {
    let (mut found, mut missed) = (Vec::new(), 0);
    while let Some(page) = reader.next().await.unwrap() {
        found.extend(numbers(&page));
        missed += page.missed;
    }
    (found, missed)
}

async fn append_large(log: &Log, numbers: std::ops::Range<usize>) {
    append(log, &numbers.map(large).collect::<Vec<_>>()).await;
}

async fn compact(host: &Host, store: &Store) {
    host.compact(store, "log", &CompactOptions::new().full(true)).await.unwrap();
}

async fn trim_all(host: &Host, store: &Store) {
    host.trim(store, "log", TrimPoint::KeepEvents(0), TrimOptions::default()).await.unwrap();
}

#[test]
fn parked_readers_yield_each_event_once_across_compactions_and_trims() {
    let (world, store) = world();
    world.runtime.block_on(async {
        let (host, _idle) = crowded(&store).await;
        let log = host.open(&store, "log", LogOptions::new()).await.unwrap();
        append_large(&log, 0..9).await;
        let read = |options| host.read_with(&store, "log", options);
        let mut all = read(ReadOptions::new()).await.unwrap();
        let mut last = read(ReadOptions::new().last(5)).await.unwrap();
        let mut limited = read(ReadOptions::new().limit(7)).await.unwrap();
        let mut late = read(ReadOptions::new()).await.unwrap();
        let mut found = [vec![], vec![], vec![], vec![]];
        for _ in 0..2 {
            for (found, reader) in found.iter_mut().zip([&mut all, &mut last, &mut limited]) {
                let page = reader.next().await.unwrap().unwrap();
                assert_eq!(page.missed, 0);
                found.extend(numbers(&page));
                // A new reader of its position gets the rest.
                let start = ReadOptions::new().start(reader.position().await.unwrap());
                let (rest, _) = rest_of(&mut read(start).await.unwrap()).await;
                assert_eq!(rest, (found.last().unwrap() + 1..9).collect::<Vec<_>>());
            }
            compact(&host, &store).await;
        }
        append_large(&log, 9..10).await;
        for (found, reader) in found.iter_mut().zip([&mut all, &mut last, &mut limited]) {
            found.extend(rest_of(reader).await.0);
        }
        let expected = |numbers: std::ops::Range<usize>| numbers.collect::<Vec<_>>();
        assert_eq!(found, [expected(0..10), expected(4..10), expected(0..7), vec![]]);
        compact(&host, &store).await;
        // Events that were yielded are not missed, and others are.
        trim_all(&host, &store).await;
        append_large(&log, 10..12).await;
        assert_eq!(rest_of(&mut all).await, (vec![10, 11], 0));
        assert_eq!(rest_of(&mut last).await, (vec![10, 11], 0));
        assert_eq!(rest_of(&mut limited).await, (vec![], 0));
        assert_eq!(rest_of(&mut late).await, (vec![10, 11], 0), "it has read nothing before");
        append_large(&log, 12..18).await;
        let page = all.next().await.unwrap().unwrap();
        assert_eq!(numbers(&page).next(), Some(12));
        compact(&host, &store).await;
        trim_all(&host, &store).await;
        append_large(&log, 18..19).await;
        assert_eq!(rest_of(&mut all).await, (vec![18], 6 - page.events));
    });
}

#[test]
fn parked_reader_reports_the_errors_of_one_that_is_not() {
    let (world, store) = world();
    world.runtime.block_on(async {
        let (host, _idle) = crowded(&store).await;
        let mut early = host.read(&store, "log").await.unwrap();
        assert!(matches!(early.next().await, Err(Error::NoLog(_))));
        assert!(early.next().await.unwrap().is_none(), "it is reported once");
        let log = host.open(&store, "log", LogOptions::new()).await.unwrap();
        append_large(&log, 0..5).await;
        world.faults.arm(Call::List, [Fault::Lost]);
        let failed = early.next().await;
        assert!(matches!(&failed, Err(error) if error.is_transient()), "{failed:?}");
        assert_eq!(rest_of(&mut early).await, (vec![0, 1, 2, 3, 4], 0));
        let mut reader = host.read(&store, "log").await.unwrap();
        reader.next().await.unwrap().unwrap();
        let damaged = keys(&store, "log/batch_").await.remove(3);
        let bytes = replace(&store, &damaged, "").await;
        let mut found = Vec::new();
        let refused = loop {
            match reader.next().await {
                Ok(page) => found.extend(numbers(&page.unwrap())),
                Err(error) => break error,
            }
        };
        assert!(matches!(&refused, Error::Damaged(damage) if damage.object == damaged));
        replace(&store, &damaged, bytes).await;
        found.extend(rest_of(&mut reader).await.0);
        assert_eq!(found.last(), Some(&4));
        // Another log takes the name.
        compact(&host, &store).await;
        assert_eq!(rest_of(&mut reader).await, (vec![], 0));
        log.close().await.unwrap();
        assert_eq!(store.delete(keys(&store, "log/").await).await, []);
        let log = host.open(&store, "log", LogOptions::new()).await.unwrap();
        append_large(&log, 0..1).await;
        compact(&host, &store).await;
        append_large(&log, 1..2).await;
        for _ in 0..2 {
            let refused = reader.next().await;
            let Err(Error::InvalidInput(text)) = &refused else { panic!("{refused:?}") };
            assert!(text.contains("the position belongs to the log"), "{text}");
        }
    });
}

#[test]
fn parked_reader_skips_damage_and_reports_it() {
    let (world, store) = world();
    world.runtime.block_on(async {
        let (host, _idle) = crowded(&store).await;
        let log = host.open(&store, "log", LogOptions::new()).await.unwrap();
        append_large(&log, 0..6).await;
        replace(&store, &keys(&store, "log/batch_").await[4], "").await;
        let options = ReadOptions::new().skip_damaged(true);
        let mut reader = host.read_with(&store, "log", options).await.unwrap();
        assert_eq!(rest_of(&mut reader).await, (vec![0, 1, 2, 3, 5], 0));
        let skipped = reader.take_skipped().await.unwrap();
        assert_eq!(skipped.len(), 1, "{skipped:?}");
        append_large(&log, 6..7).await;
        assert_eq!(rest_of(&mut reader).await, (vec![6], 0));
        assert!(reader.take_skipped().await.unwrap().is_empty());
    });
}

#[test]
fn parked_followers_commit_under_their_name() {
    let (world, store) = world();
    let all = events(600);
    world.runtime.block_on(async {
        let (host, _idle) = crowded(&store).await;
        let log = host.open(&store, "log", LogOptions::new()).await.unwrap();
        append(&log, &all[..1]).await;
        let named = || async {
            let reader = host.read_named(&store, "log", "app", ReadOptions::new()).await;
            reader.unwrap().follow().unwrap()
        };
        let mut first = named().await.into_events();
        let event = first.try_next().await.unwrap().unwrap();
        first.commit(&event).await.unwrap();
        // A page has more events than positions are fetched for in one call.
        log.append_lines(all[1..].join("\n") + "\n").await.unwrap();
        log.flush().await.unwrap();
        for expected in &all[1..] {
            let event = first.try_next().await.unwrap().unwrap();
            assert_eq!(event.bytes(), expected.as_bytes());
            first.commit(&event).await.unwrap();
        }
        let mut second: Follow = named().await;
        append(&log, &events(1)).await;
        assert_eq!(lines(&second.next().await.unwrap()), events(1));
        second.commit().await.unwrap();
        let event = first.try_next().await.unwrap().unwrap();
        let refused = first.commit(&event).await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
        second.commit().await.unwrap();
    });
}

fn counted(counter: &Counter) -> Vec<(String, usize)> {
    counter.counts().into_iter().collect()
}

fn counts<const KINDS: usize>(counts: [(&str, usize); KINDS]) -> Vec<(String, usize)> {
    counts.map(|(what, count)| (what.to_owned(), count)).to_vec()
}

/// As *Cost* in `guest/FORMAT.md` says.
#[test]
fn parked_reader_gets_the_index_again_and_nothing_else() {
    let (world, store) = world();
    world.runtime.block_on(async {
        let (host, _idle) = crowded(&store).await;
        let live = host_of(1_000);
        let log = host.open(&store, "log", LogOptions::new()).await.unwrap();
        append(&log, &events(3)).await;
        compact(&host, &store).await;
        for (host, indexes) in [(&host, 1), (&live, 0)] {
            let mut reader = host.read(&store, "log").await.unwrap();
            while reader.next().await.unwrap().is_some() {}
            world.counter.requests();
            for _ in 0..3 {
                assert!(reader.next().await.unwrap().is_none());
                assert_eq!(counted(&world.counter), counts([("list", 1)]));
            }
            append(&log, &events(1)).await;
            world.counter.requests();
            while reader.next().await.unwrap().is_some() {}
            let mut expected = counts([
                ("get batch", 1),
                ("get index", indexes),
                ("get manifest", 1),
                ("list", 3),
            ]);
            expected.retain(|(_, count)| *count > 0);
            assert_eq!(counted(&world.counter), expected);
        }
    });
}

/// A store that does not answer holds the only seat for a few seconds, and then no more.
#[test]
fn reader_of_a_store_that_hangs_does_not_hold_others() {
    let (world, store) = world();
    let other = Store::memory();
    world.runtime.block_on(async {
        let (host, _idle) = crowded(&other).await;
        let log = host.open(&other, "log", LogOptions::new()).await.unwrap();
        append(&log, &events(2)).await;
        let hanging = host.open(&store, "log", LogOptions::new()).await.unwrap();
        append(&hanging, &events(1)).await;
        let mut reader = host.read(&store, "log").await.unwrap();
        world.faults.arm(Call::Get, [Fault::Stalls]);
        world.faults.requests();
        let hangs = tokio::spawn(async move { reader.next().await });
        until("a get", || world.faults.requests().iter().any(|request| request.starts_with("get")));
        let read = tokio::time::timeout(NEVER, read(&host, &other, "log"));
        assert_eq!(read.await.unwrap(), events(2));
        assert!(!hangs.is_finished());
        world.faulty.release();
        let page = hangs.await.unwrap().unwrap().unwrap();
        assert_eq!(lines(&page), events(1));
    });
}
