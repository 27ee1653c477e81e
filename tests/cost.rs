//! The cost of each operation in requests, as the table in `guest/FORMAT.md` states it: on the
//! logic run natively and on the built component, over a store that counts.

use std::collections::BTreeMap;
use std::sync::Arc;

use rig::counting::{Counting, Request};
use rig::subject::{Kind, World, append_all, events};
use stratalog::store::{ConditionalCreate, Store};
use stratalog::{Error, TrimPoint};
use stratalog_guest::decide::options::CompactInput;
use stratalog_guest::drive::reader::ReadOptions;

#[path = "cost/trims.rs"]
mod trims;

const FAN_IN_2: CompactInput =
    CompactInput { full: false, fan_in: Some(2), segment_bytes_max: None, batches_max: None };
const NO_MERGE: CompactInput = CompactInput { fan_in: Some(64), ..FAN_IN_2 };

fn on_both(test: impl Fn(&World, &Counting)) {
    for kind in [Kind::Native, Kind::Component] {
        eprintln!("--- {kind:?}");
        let counting = Counting::default();
        let objects = Arc::new(counting.clone());
        let store = Store::from_object_store(objects, "counting", ConditionalCreate::Honoured);
        test(&World::on(kind, store), &counting);
    }
}

fn counts<const KINDS: usize>(counts: [(&str, usize); KINDS]) -> BTreeMap<String, usize> {
    let counts = counts.into_iter().filter(|(_, count)| *count > 0);
    counts.map(|(what, count)| (what.to_owned(), count)).collect()
}

/// Appends batches of two events each, a second apart, each by its own handle.
fn append_batches(world: &World, batches: usize) {
    let log = world.open("log");
    for batch in events(batches * 2).chunks(2) {
        world.clock.advance(1_000_000);
        append_all(&log, batch);
        log.flush().unwrap();
    }
    log.close().unwrap();
}

/// Makes a log of this many segments, of two batches each, and this many live batches.
fn log_of(world: &World, segments: usize, live: usize) {
    for _ in 0..segments {
        append_batches(world, 2);
        world.compact_with("log", NO_MERGE).unwrap();
    }
    append_batches(world, live);
}

#[test]
fn append_costs_nothing_and_flush_one_create() {
    on_both(|world, counting| {
        let log = world.open("log");
        counting.requests();
        append_all(&log, &events(31));
        log.flush().unwrap();
        assert_eq!(counting.counts(), counts([("create batch", 1)]));
        log.append_lines(&"x\n".repeat(100_000)).unwrap();
        log.flush().unwrap();
        log.flush().unwrap();
        assert_eq!(counting.counts(), counts([("create batch", 1)]));
        append_all(&log, &events(31));
        assert_eq!(counting.counts(), counts([]));
        log.close().unwrap();
    });
}

#[test]
fn open_costs_one_list() {
    on_both(|world, counting| {
        log_of(world, 2, 3);
        counting.requests();
        let log = world.open("log");
        assert_eq!(counting.counts(), counts([("list", 1)]));
        log.close().unwrap();
        assert_eq!(counting.counts(), counts([]));
    });
}

#[test]
fn read_costs_three_lists_and_a_get_for_each_object_that_is_needed() {
    for (segments, live) in [(0, 3), (2, 0), (3, 20)] {
        on_both(|world, counting| {
            log_of(world, segments, live);
            counting.requests();
            assert_eq!(world.read("log").unwrap().len(), segments * 4 + live * 2);
            let expected = counts([
                // The batches are listed again if there are any.
                ("list", if live > 0 { 3 } else { 2 }),
                ("get manifest", usize::from(segments > 0)),
                ("get index", segments),
                ("get segment", segments),
                ("get batch", live),
            ]);
            assert_eq!(counting.counts(), expected, "{segments} segments, {live} live");
        });
    }
}

#[test]
fn read_all_of_a_handle_costs_what_a_read_does() {
    on_both(|world, counting| {
        log_of(world, 2, 3);
        let log = world.open("log");
        log.append("pending").unwrap();
        counting.requests();
        assert_eq!(log.read_all().unwrap().len(), 15);
        let expected = counts([
            ("list", 3),
            ("get manifest", 1),
            ("get index", 2),
            ("get segment", 2),
            ("get batch", 3),
        ]);
        assert_eq!(counting.counts(), expected);
        log.close().unwrap();
    });
}

#[test]
fn gets_are_sixteen_at_once_and_no_more() {
    on_both(|world, counting| {
        log_of(world, 3, 40);
        counting.hold_gets();
        assert_eq!(world.read("log").unwrap().len(), 92);
        assert_eq!(counting.most_at_once(), 16);
    });
    on_both(|world, counting| {
        append_batches(world, 40);
        counting.hold_gets();
        world.compact("log").unwrap();
        assert_eq!(counting.most_at_once(), 16);
    });
}

#[test]
fn follow_costs_two_lists_a_poll_while_nothing_is_new() {
    let idle = counts([("list", 2)]);
    on_both(|world, counting| {
        let mut pages = world.start_read("log").unwrap();
        counting.requests();
        // The absence of events is checked once: by segments, and by logs below.
        let outcome = pages.rest();
        assert!(matches!(outcome, Err(Error::NoLog(_))), "{outcome:?}");
        assert_eq!(counting.counts(), counts([("list", 4)]));
        let mut poll = |events: usize, expected: BTreeMap<String, usize>| {
            counting.requests();
            assert_eq!(pages.rest().unwrap().len(), events);
            assert_eq!(counting.counts(), expected);
            for _ in 0..3 {
                assert_eq!(pages.rest().unwrap(), Vec::<String>::new());
                assert_eq!(counting.counts(), idle);
            }
        };
        poll(0, counts([("list", 2)]));
        append_batches(world, 40);
        poll(80, counts([("list", 3), ("get batch", 40)]));
        append_batches(world, 1);
        poll(2, counts([("list", 3), ("get batch", 1)]));
        // An event that was yielded live and then compacted is not got again: its index is enough.
        world.compact("log").unwrap();
        poll(0, counts([("list", 2), ("get manifest", 1), ("get index", 1)]));
        append_batches(world, 3);
        poll(6, counts([("list", 3), ("get manifest", 1), ("get batch", 3)]));
        world.compact_with("log", FAN_IN_2).unwrap();
        poll(0, counts([("list", 2), ("get manifest", 1), ("get index", 1)]));
        // A trim of events that were read is seen, and nothing else.
        world.trim("log", TrimPoint::KeepEvents(4)).unwrap();
        poll(0, counts([("list", 2), ("get manifest", 1)]));
    });
}

#[test]
fn a_follower_gets_of_a_segment_only_what_it_has_not_yielded() {
    on_both(|world, counting| {
        append_batches(world, 3);
        let mut pages = world.start_read("log").unwrap();
        pages.rest().unwrap();
        append_batches(world, 2);
        world.compact("log").unwrap();
        counting.requests();
        assert_eq!(pages.rest().unwrap().len(), 4);
        let requests = counting.requests();
        let of = |what: &str| requests.iter().filter(|r| r.what == what).collect::<Vec<_>>();
        assert_eq!((of("get index").len(), of("get batch").len()), (1, 0));
        let [Request { amount, .. }] = of("get segment")[..] else { panic!("{requests:?}") };
        assert_eq!(*amount, 4 * 12, "two batches of two events of twelve bytes");
    });
}

#[test]
fn a_leftover_costs_a_follower_one_list_more_and_its_index_once() {
    on_both(|world, counting| {
        append_batches(world, 3);
        let key = world.keys().remove(0);
        let bytes = world.object(&key);
        world.compact("log").unwrap();
        for trimmed in [false, true] {
            world.put(&key, &bytes);
            let mut pages = world.start_read("log").unwrap();
            pages.rest().unwrap();
            counting.requests();
            for _ in 0..3 {
                assert_eq!(pages.rest().unwrap(), Vec::<String>::new());
                assert_eq!(counting.counts(), counts([("list", 3)]), "trimmed: {trimmed}");
            }
            world.trim("log", TrimPoint::KeepEvents(0)).unwrap();
        }
    });
}

/// Returns the sizes of the segment reads in bytes, and the other gets.
fn gets(counting: &Counting) -> (Vec<u64>, BTreeMap<String, usize>) {
    let (segments, others): (Vec<_>, Vec<_>) =
        counting.requests().into_iter().partition(|request| request.what == "get segment");
    let mut counts = BTreeMap::new();
    for request in others {
        *counts.entry(request.what).or_default() += 1;
    }
    (segments.iter().map(|request| request.amount).collect(), counts)
}

#[test]
fn a_read_from_a_position_gets_only_the_batches_from_there_on() {
    on_both(|world, counting| {
        // Two segments of four batches of two events of twelve bytes, and a live batch.
        for _ in 0..2 {
            append_batches(world, 4);
            world.compact_with("log", NO_MERGE).unwrap();
        }
        append_batches(world, 1);
        for (position, segments, indexes) in [
            // Everything of both.
            (0, vec![96, 96], 2),
            // Still from the first batch, in its middle.
            (1, vec![96, 96], 2),
            (2, vec![72, 96], 2),
            (3, vec![72, 96], 2),
            (7, vec![24, 96], 2),
            (8, vec![96], 1),
            (15, vec![24], 1),
            (16, vec![], 0),
        ] {
            counting.requests();
            let mut pages = world.start_read_from("log", &position.to_string()).unwrap();
            assert_eq!(pages.rest().unwrap().len(), 18 - position);
            let expected = counts([
                ("list", 3),
                ("get manifest", 1),
                ("get index", indexes),
                ("get batch", 1),
            ]);
            assert_eq!(gets(counting), (segments, expected), "from {position}");
        }
    });
}

#[test]
fn a_read_of_a_time_gets_only_the_batches_of_that_time() {
    on_both(|world, counting| {
        for _ in 0..3 {
            append_batches(world, 4);
            world.compact_with("log", NO_MERGE).unwrap();
        }
        append_batches(world, 2);
        let start = 1_700_000_000_000_000;
        // Batches are sealed in seconds 1 to 14, four to a segment; the last two are live.
        for (since, until, segments, indexes, batches) in [
            (0, 100, vec![96, 96, 96], 3, 2),
            (1, 4, vec![72], 1, 0),
            (3, 4, vec![24], 1, 0),
            (4, 6, vec![24, 24], 2, 0),
            (6, 100, vec![72, 96], 2, 2),
            (5, 9, vec![96], 1, 0),
            (14, 100, vec![], 0, 1),
            (20, 100, vec![], 0, 0),
        ] {
            let second = |second: u64| Some(start + second * 1_000_000);
            let options = ReadOptions {
                since: second(since),
                until: second(until),
                ..ReadOptions::default()
            };
            counting.requests();
            let mut pages = world.start_read_with("log", options).unwrap();
            let bytes: u64 = segments.iter().sum();
            let found = pages.rest().unwrap().len();
            assert_eq!(found, usize::try_from(bytes / 12).unwrap() + batches * 2);
            let expected = counts([
                ("list", 3),
                ("get manifest", 1),
                ("get index", indexes),
                ("get batch", batches),
            ]);
            assert_eq!(gets(counting), (segments, expected), "since {since} until {until}");
        }
    });
}

#[test]
fn last_costs_what_a_read_from_there_on_does() {
    on_both(|world, counting| {
        log_of(world, 3, 2);
        for (last, segments, indexes, batches) in
            [(1, vec![], 0, 1), (4, vec![], 0, 2), (6, vec![24], 1, 2), (9, vec![48, 24], 2, 2)]
        {
            counting.requests();
            let options = ReadOptions { last: Some(last), ..ReadOptions::default() };
            let mut pages = world.start_read_with("log", options).unwrap();
            assert_eq!(u64::try_from(pages.rest().unwrap().len()), Ok(last));
            let (mut got, others) = gets(counting);
            got.sort_unstable_by(|a, b| b.cmp(a));
            let expected = counts([
                ("list", 3),
                ("get manifest", 1),
                ("get index", indexes),
                ("get batch", batches),
            ]);
            assert_eq!((got, others), (segments, expected), "the last {last}");
        }
    });
}

#[test]
fn stat_and_file_count_cost_the_lists_of_a_read_and_the_manifest() {
    on_both(|world, counting| {
        log_of(world, 2, 3);
        let log = world.open("log");
        counting.requests();
        world.stat("log").unwrap();
        assert_eq!(counting.counts(), counts([("list", 3), ("get manifest", 1)]));
        assert_eq!(log.file_count().unwrap(), 5);
        assert_eq!(counting.counts(), counts([("list", 3), ("get manifest", 1)]));
        log.close().unwrap();
    });
}

/// Returns the requests in order, and joins neighbours of one kind.
fn in_order(counting: &Counting) -> Vec<(String, usize)> {
    let mut runs: Vec<(String, usize)> = Vec::new();
    for request in counting.requests() {
        match runs.last_mut() {
            Some((what, count)) if *what == request.what => *count += 1,
            _ => runs.push((request.what, 1)),
        }
    }
    runs
}

fn runs<const RUNS: usize>(runs: [(&str, usize); RUNS]) -> Vec<(String, usize)> {
    runs.into_iter().map(|(what, count)| (what.to_owned(), count)).collect()
}

#[test]
fn compact_of_batches_costs_a_get_of_each_and_three_creates() {
    on_both(|world, counting| {
        for (earlier, manifest) in [(false, 0), (true, 1)] {
            append_batches(world, 20);
            counting.requests();
            assert_eq!(world.compact_with("log", NO_MERGE).unwrap().batches, 20);
            let mut expected = runs([
                ("list", 3),
                ("get manifest", manifest),
                ("get batch", 20),
                ("create segment", 1),
                ("create index", 1),
                ("list", 1),
                ("create manifest", 1),
                ("list", 1),
                ("get marker", 1),
                ("delete", 1),
            ]);
            expected.retain(|(_, count)| *count > 0);
            assert_eq!(in_order(counting), expected, "compacted before: {earlier}");
        }
    });
}

#[test]
fn compact_that_merges_costs_two_gets_for_each_segment() {
    on_both(|world, counting| {
        log_of(world, 5, 3);
        counting.requests();
        let full = CompactInput { full: true, ..CompactInput::default() };
        let done = world.compact_with("log", full).unwrap();
        assert_eq!((done.segments, done.batches), (5, 3));
        let expected = counts([
            ("list", 5),
            ("get manifest", 1),
            ("get index", 5),
            ("get segment", 5),
            ("get batch", 3),
            ("get marker", 1),
            ("create segment", 1),
            ("create index", 1),
            ("create manifest", 1),
            ("delete", 1),
        ]);
        assert_eq!(counting.counts(), expected);
    });
}

#[test]
fn compact_into_several_segments_costs_two_creates_for_each() {
    on_both(|world, counting| {
        append_batches(world, 5);
        counting.requests();
        let small = CompactInput { segment_bytes_max: Some(48), ..CompactInput::default() };
        assert_eq!(world.compact_with("log", small).unwrap().events, 10);
        let expected = counts([
            ("list", 5),
            ("get batch", 5),
            ("get marker", 1),
            ("create segment", 3),
            ("create index", 3),
            ("create manifest", 1),
            ("delete", 1),
        ]);
        assert_eq!(counting.counts(), expected);
    });
}

#[test]
fn compact_with_nothing_to_do_costs_the_lists_and_the_manifest() {
    on_both(|world, counting| {
        log_of(world, 2, 0);
        counting.requests();
        for live in [0, 1] {
            append_batches(world, live);
            counting.requests();
            assert_eq!(world.compact_with("log", NO_MERGE).unwrap().batches, 0);
            let expected = counts([("list", 2 + live), ("get manifest", 1)]);
            assert_eq!(counting.counts(), expected, "{live} live");
        }
    });
}

#[test]
fn deletes_go_a_thousand_at_a_time() {
    on_both(|world, counting| {
        append_batches(world, 1_001);
        counting.requests();
        world.compact("log").unwrap();
        let deletes = counting.requests().into_iter().filter(|request| request.what == "delete");
        assert_eq!(deletes.map(|request| request.amount).collect::<Vec<_>>(), [1_000, 1]);
    });
}

#[test]
fn verify_gets_each_object_once() {
    on_both(|world, counting| {
        log_of(world, 3, 4);
        world.trim("log", TrimPoint::KeepEvents(10)).unwrap();
        counting.requests();
        assert_eq!(world.verify("log").unwrap(), (Vec::new(), 10));
        let expected = counts([
            ("list", 3),
            ("get manifest", 4),
            // Includes the trimmed segments, and the one that was rewritten.
            ("get index", 4),
            ("get segment", 1),
            ("get batch", 4),
        ]);
        assert_eq!(counting.counts(), expected);
    });
}
