//! The cost of each operation in requests, as the table in `guest/FORMAT.md` states it: on the
//! logic run natively and on the built component, over a store that counts.

use std::collections::BTreeMap;

use rig::counter::Request;
use rig::subject::{FAN_IN_2, NO_MERGE, World, append_all, events, on_both};
use stratalog::{Error, TrimPoint};
use stratalog_guest::decide::options::CompactInput;
use stratalog_guest::drive::reader::ReadOptions;

mod copies;
mod feeds;
mod listed;
mod named;
mod reads;
mod trims;

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
    on_both(|world| {
        let log = world.open("log");
        world.counter.requests();
        append_all(&log, &events(31));
        log.flush().unwrap();
        assert_eq!(world.counter.counts(), counts([("create batch", 1)]));
        log.append_lines(&"x\n".repeat(100_000)).unwrap();
        log.flush().unwrap();
        log.flush().unwrap();
        assert_eq!(world.counter.counts(), counts([("create batch", 1)]));
        append_all(&log, &events(31));
        assert_eq!(world.counter.counts(), counts([]));
        log.close().unwrap();
    });
}

#[test]
fn open_costs_one_list() {
    on_both(|world| {
        log_of(world, 2, 3);
        world.counter.requests();
        let log = world.open("log");
        assert_eq!(world.counter.counts(), counts([("list", 1)]));
        log.close().unwrap();
        assert_eq!(world.counter.counts(), counts([]));
    });
}

#[test]
fn stat_and_file_count_cost_the_lists_of_a_read_and_the_manifest() {
    on_both(|world| {
        log_of(world, 2, 3);
        let log = world.open("log");
        world.counter.requests();
        world.stat("log").unwrap();
        assert_eq!(world.counter.counts(), counts([("list", 2), ("get manifest", 1)]));
        assert_eq!(log.file_count().unwrap(), 5);
        assert_eq!(world.counter.counts(), counts([("list", 2), ("get manifest", 1)]));
        log.close().unwrap();
    });
}

#[test]
fn files_cost_what_stat_does_and_indexes_of_segments_that_are_cut() {
    on_both(|world| {
        log_of(world, 2, 3);
        world.counter.requests();
        let files = world.files("log").unwrap();
        assert_eq!(world.counter.counts(), counts([("list", 2), ("get manifest", 1)]));
        let bytes: u64 = files.iter().map(|(_, range)| range.end - range.start).sum();
        assert_eq!((files.len(), bytes), (5, world.stat("log").unwrap().bytes));
        // The first trim cuts a batch, and the second one a segment between two batches.
        for (kept, cut) in [(13, 1), (12, 0)] {
            world.trim_lazily("log", TrimPoint::KeepEvents(kept)).unwrap();
            world.counter.requests();
            assert!(world.files("log").unwrap()[0].1.start > 0);
            let costs = [("list", 2), ("get manifest", 1), ("get index", 1), ("get segment", cut)];
            assert_eq!(world.counter.counts(), counts(costs));
        }
    });
}

/// Returns the requests in order, and joins neighbours of one kind.
fn in_order(world: &World) -> Vec<(String, usize)> {
    let mut runs: Vec<(String, usize)> = Vec::new();
    for request in world.counter.requests() {
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
    on_both(|world| {
        for (earlier, manifest) in [(false, 0), (true, 1)] {
            append_batches(world, 20);
            world.counter.requests();
            assert_eq!(world.compact_with("log", NO_MERGE).unwrap().batches, 20);
            let mut expected = runs([
                ("list", 2),
                ("get manifest", manifest),
                ("get batch", 20),
                ("create index", 1),
                ("create segment", 1),
                ("list", 1),
                ("create manifest", 1),
                ("list", 1),
                ("get marker", 1),
                ("delete", 1),
            ]);
            expected.retain(|(_, count)| *count > 0);
            assert_eq!(in_order(world), expected, "compacted before: {earlier}");
        }
    });
}

#[test]
fn compact_that_merges_costs_two_gets_for_each_segment() {
    on_both(|world| {
        log_of(world, 5, 3);
        world.counter.requests();
        let full = CompactInput { full: true, ..CompactInput::default() };
        let done = world.compact_with("log", full).unwrap();
        assert_eq!((done.segments, done.batches), (5, 3));
        let expected = counts([
            ("list", 4),
            ("get manifest", 1),
            ("get index", 5),
            ("get segment", 5),
            ("get batch", 3),
            ("get marker", 1),
            ("create index", 1),
            ("create segment", 1),
            ("create manifest", 1),
            ("delete", 1),
        ]);
        assert_eq!(world.counter.counts(), expected);
    });
}

#[test]
fn compact_into_several_segments_costs_two_creates_for_each() {
    on_both(|world| {
        append_batches(world, 5);
        world.counter.requests();
        let small = CompactInput { segment_bytes_max: Some(48), ..CompactInput::default() };
        assert_eq!(world.compact_with("log", small).unwrap().events, 10);
        let expected = counts([
            ("list", 4),
            ("get batch", 5),
            ("get marker", 1),
            ("create index", 3),
            ("create segment", 3),
            ("create manifest", 1),
            ("delete", 1),
        ]);
        assert_eq!(world.counter.counts(), expected);
    });
}

#[test]
fn compact_with_nothing_to_do_costs_the_lists_and_the_manifest() {
    on_both(|world| {
        log_of(world, 2, 0);
        world.counter.requests();
        for live in [0, 1] {
            append_batches(world, live);
            world.counter.requests();
            assert_eq!(world.compact_with("log", NO_MERGE).unwrap().batches, 0);
            let expected = counts([("list", 2), ("get manifest", 1)]);
            assert_eq!(world.counter.counts(), expected, "{live} live");
        }
    });
}

#[test]
fn deletes_go_a_thousand_at_a_time() {
    on_both(|world| {
        append_batches(world, 1_001);
        world.counter.requests();
        world.compact("log").unwrap();
        let deletes =
            world.counter.requests().into_iter().filter(|request| request.what == "delete");
        assert_eq!(deletes.map(|request| request.amount).collect::<Vec<_>>(), [1_000, 1]);
    });
}

#[test]
fn verify_gets_each_object_once() {
    on_both(|world| {
        log_of(world, 3, 4);
        world.trim("log", TrimPoint::KeepEvents(10)).unwrap();
        world.counter.requests();
        assert_eq!(world.verify("log").unwrap(), (Vec::new(), 10));
        let expected = counts([
            ("list", 2),
            ("get manifest", 4),
            // Includes the trimmed segments, and the one that was rewritten.
            ("get index", 4),
            ("get segment", 1),
            ("get batch", 4),
        ]);
        assert_eq!(world.counter.counts(), expected);
    });
}
