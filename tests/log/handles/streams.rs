//! Passes and followers as streams of pages and of events.

use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use rig::records::time;
use serde::{Deserialize, Serialize};
use stratalog::{CompactOptions, Event, TrimOptions, TrimPoint};

use super::*;

const FULL: CompactOptions =
    CompactOptions { full: true, fan_in: None, segment_bytes_max: None, batches_max: None };

fn text(event: &Event) -> String {
    String::from_utf8(event.bytes().to_vec()).unwrap()
}

/// Reads from the position of an event.
async fn behind(host: &Host, store: &Store, event: &Event) -> Vec<String> {
    let options = ReadOptions::new().start(event.position().unwrap());
    rest(host.read_with(store, "log", options).await.unwrap()).await
}

#[test]
fn pass_resumes_behind_each_event_of_a_stream() {
    let (world, store) = world();
    let (host, all) = (world.host(), events(60));
    world.runtime.block_on(async {
        let log = host.open(&store, "log", LogOptions::new()).await.unwrap();
        let lines = |events: &[String]| events.iter().map(|e| format!("{e}\n")).collect::<String>();
        for (batch, events) in all[..40].chunks(5).enumerate() {
            log.append_lines(lines(events)).await.unwrap();
            log.flush().await.unwrap();
            if batch == 3 {
                host.compact(&store, "log", &FULL).await.unwrap();
            }
        }
        let follow = host.read(&store, "log").await.unwrap().follow().unwrap();
        let mut stream = follow.into_events();
        let mut found = Vec::new();
        while let Some(event) = stream.try_next().await.unwrap() {
            found.push(text(&event));
            if found.len() == 23 {
                // The rest of this page is live for the stream, and compacted for who resumes.
                host.compact(&store, "log", &FULL).await.unwrap();
            }
            let stored = if found.len() < 40 { 40 } else { 60 };
            assert_eq!(behind(host, &store, &event).await, all[found.len()..stored]);
            match found.len() {
                39 => {
                    log.append_lines(lines(&all[40..])).await.unwrap();
                    log.flush().await.unwrap();
                }
                60 => break,
                _ => {}
            }
        }
        assert_eq!(found, all);
    });
}

/// A batch of more than a page comes in parts, live and from a segment.
#[test]
fn positions_inside_a_large_batch_are_exact() {
    let (world, store) = world();
    let host = world.host();
    let all: Vec<_> = (0..160).map(|number| format!("{number}{}", "x".repeat(100_000))).collect();
    world.runtime.block_on(async {
        let options = LogOptions::new().flush_bytes(32 << 20).buffer_bytes_max(32 << 20);
        let options = options.flush_threshold(1_000).flush_interval(Duration::ZERO);
        let log = host.open(&store, "log", options).await.unwrap();
        for events in all.chunks(80) {
            for event in events {
                log.append(event).await.unwrap();
            }
            log.flush().await.unwrap();
            if events[0] == all[0] {
                host.compact(&store, "log", &FULL).await.unwrap();
            }
        }
        let mut stream = host.read(&store, "log").await.unwrap().into_events();
        for (number, expected) in all.iter().enumerate() {
            let event = stream.try_next().await.unwrap().unwrap();
            assert!(text(&event) == *expected, "{number}");
            let options = ReadOptions::new().start(event.position().unwrap()).limit(1);
            let next = rest(host.read_with(&store, "log", options).await.unwrap()).await;
            assert!(next.iter().eq(all.get(number + 1)), "{number}");
        }
        assert!(stream.try_next().await.unwrap().is_none());
        assert!(stream.try_next().await.unwrap().is_none(), "an ended stream stays ended");
    });
}

#[test]
fn events_have_the_time_of_their_batch() {
    let (world, store) = world();
    world.runtime.block_on(async {
        let options = LogOptions::new().flush_interval(Duration::ZERO);
        let log = world.host().open(&store, "log", options).await.unwrap();
        let mut times = Vec::new();
        for event in ["one", "two"] {
            log.append(event).await.unwrap();
            log.append(event).await.unwrap();
            world.clock.advance(1_000_000);
            times.extend([Some(time(world.clock.micros())); 2]);
            log.flush().await.unwrap();
        }
        log.append("three").await.unwrap();
        let own = log.read_all().await.unwrap().into_events();
        let own: Vec<_> = own.try_collect().await.unwrap();
        // What is in no batch yet has no time, and a pass of a handle has no positions.
        let own_times: Vec<_> = own.iter().map(Event::time).collect();
        assert_eq!(own_times, [times.clone(), vec![None]].concat());
        assert!(own.iter().all(|event| event.position().is_none()));
        let stored = world.host().read(&store, "log").await.unwrap().into_events();
        let stored: Vec<_> = stored.map_ok(|event| event.time()).try_collect().await.unwrap();
        assert_eq!(stored, times);
    });
}

#[test]
fn stream_continues_after_a_failure_that_may_pass() {
    let (world, store) = world();
    let (host, all) = (world.host(), events(6));
    world.runtime.block_on(async {
        let log = host.open(&store, "log", options(1_000)).await.unwrap();
        append(&log, &all).await;
        for _ in 0..2 {
            world.faults.arm(Call::List, [Fault::Lost]);
            let mut stream = host.read(&store, "log").await.unwrap().into_events();
            let failed = stream.next().await.unwrap();
            assert!(failed.is_err_and(|error| error.is_transient()));
            let found: Vec<_> = stream.map_ok(|event| text(&event)).try_collect().await.unwrap();
            assert_eq!(found, all);
            world.faults.arm(Call::List, [Fault::Lost]);
            let mut pages = host.read(&store, "log").await.unwrap().into_pages();
            assert!(pages.next().await.unwrap().is_err());
            let found: Vec<_> = pages.map_ok(|page| lines(&page)).try_concat().await.unwrap();
            assert_eq!(found, all);
        }
        let mut absent = host.read(&store, "absent").await.unwrap().into_events();
        assert!(matches!(absent.next().await, Some(Err(Error::NoLog(_)))));
        assert!(absent.next().await.is_none(), "a stream ends with an error that stays");
    });
}

#[test]
fn event_counts_what_was_missed_before_it() {
    let (world, store) = world();
    let (host, all) = (world.host(), events(10));
    world.runtime.block_on(async {
        let log = host.open(&store, "log", options(1_000)).await.unwrap();
        append(&log, &all).await;
        let mut stream = host.read(&store, "log").await.unwrap().into_events();
        let second = stream.by_ref().skip(1).try_next().await.unwrap().unwrap();
        let keep = TrimPoint::KeepEvents(3);
        host.trim(&store, "log", keep, TrimOptions::new()).await.unwrap();
        let options = ReadOptions::new().start(second.position().unwrap());
        let mut stream = host.read_with(&store, "log", options).await.unwrap().into_events();
        let missed: Vec<_> =
            stream.by_ref().map_ok(|event| event.missed()).try_collect().await.unwrap();
        assert_eq!((missed, stream.missed()), (vec![5, 0, 0], 5));
    });
}

#[test]
fn stream_commits_behind_any_of_its_events() {
    let (world, store) = world();
    let (host, all) = (world.host(), events(6));
    world.runtime.block_on(async {
        let log = host.open(&store, "log", options(1_000)).await.unwrap();
        append(&log, &all).await;
        let named =
            || async { host.read_named(&store, "log", "app", <_>::default()).await.unwrap() };
        let mut stream = named().await.follow().unwrap().into_events();
        let first = stream.try_next().await.unwrap().unwrap();
        let second = stream.try_next().await.unwrap().unwrap();
        stream.commit(&second).await.unwrap();
        assert_eq!(rest(named().await).await, all[2..]);
        // Back again, while a poll for the next page is in progress.
        let ahead: Vec<_> = stream.by_ref().take(4).try_collect().await.unwrap();
        assert!(stream.next().now_or_never().is_none());
        stream.commit(&first).await.unwrap();
        assert_eq!(rest(named().await).await, all[1..]);
        append(&log, &["more".to_owned()]).await;
        assert_eq!(stream.try_next().await.unwrap().map(|event| text(&event)).unwrap(), "more");
        // The end of a pass is no end of its commits.
        let mut pass = named().await.into_events();
        let passed: Vec<_> = pass.by_ref().try_collect().await.unwrap();
        pass.commit(&passed[4]).await.unwrap();
        assert_eq!(rest(named().await).await, ["more"]);
        let overtaken = stream.commit(&ahead[3]).await;
        assert!(matches!(overtaken, Err(Error::Conflict(_))), "{overtaken:?}");
        let mut own = log.read_all().await.unwrap().into_events();
        let event = own.try_next().await.unwrap().unwrap();
        assert!(matches!(own.commit(&event).await, Err(Error::InvalidInput(_))));
    });
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Failure {
    error: String,
    attempt: u32,
}

#[test]
fn values_are_written_and_read_as_json() {
    let (world, store) = world();
    let host = world.host();
    let failure = |attempt| Failure { error: "disk\nfull".to_owned(), attempt };
    world.runtime.block_on(async {
        let log = host.open(&store, "log", LogOptions::new()).await.unwrap();
        log.append_json(&failure(1)).await.unwrap();
        log.append("no failure").await.unwrap();
        log.append_json(&failure(2)).await.unwrap();
        let key_is_no_text = std::collections::BTreeMap::from([((), ())]);
        let refused = log.append_json(&key_is_no_text).await;
        assert!(matches!(&refused, Err(Error::Json(error)) if error.event.is_none()));
        log.flush().await.unwrap();

        let mut values = host.read(&store, "log").await.unwrap().events_as::<Failure>();
        let (first, event) = values.next().await.unwrap().unwrap();
        assert_eq!((first, event.bytes().contains(&b'\n')), (failure(1), false));
        // The stream continues behind an event that is something else.
        let other = values.next().await.unwrap().unwrap_err();
        let message = other.to_string();
        assert!(message.contains(",") && message.contains("is not the expected JSON"), "{message}");
        assert!(std::error::Error::source(&other).is_some());
        assert_eq!(values.next().await.unwrap().unwrap().0, failure(2));
        assert!(values.next().await.is_none());
    });
}
