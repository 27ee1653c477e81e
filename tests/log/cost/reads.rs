//! The cost of reads and of readers that follow.

use stratalog_guest::format::names::Digest;

use super::*;

#[test]
fn read_costs_two_lists_and_a_get_for_each_object_that_is_needed() {
    for (segments, live) in [(0, 3), (2, 0), (3, 20)] {
        on_both(|world| {
            log_of(world, segments, live);
            world.counter.requests();
            assert_eq!(world.read("log").unwrap().len(), segments * 4 + live * 2);
            let expected = counts([
                ("list", 2),
                ("get manifest", usize::from(segments > 0)),
                ("get index", segments),
                ("get segment", segments),
                ("get batch", live),
            ]);
            assert_eq!(world.counter.counts(), expected, "{segments} segments, {live} live");
        });
    }
}

/// Puts batches without numbers, of two events each, as earlier versions and the predecessor wrote
/// them.
fn put_unnumbered(world: &World, batches: u64) {
    for number in 0..batches {
        let bytes = format!("old {number}\nold {number}\n");
        let digest = Digest::of(bytes.as_bytes());
        let name = match number {
            0 => "batch_0001600000000000000.jsonl".to_owned(),
            _ => format!("batch_{:019}_0000000a_2_{digest}.jsonl", 1_600_000_000_000_000 + number),
        };
        world.put(&format!("log/{name}"), &bytes);
    }
}

#[test]
fn batches_without_a_number_are_listed_twice_until_they_are_absorbed() {
    for batches in [1, 2, 5] {
        on_both(|world| {
            put_unnumbered(world, batches);
            append_batches(world, 3);
            let live = usize::try_from(batches).unwrap();
            world.counter.requests();
            let mut pages = world.start_read("log").unwrap();
            assert_eq!(pages.rest().unwrap().len(), (live + 3) * 2);
            assert_eq!(world.counter.counts(), counts([("list", 3), ("get batch", live + 3)]));
            // Once they are known, they cost a follower nothing more.
            assert_eq!(pages.rest().unwrap(), Vec::<String>::new());
            assert_eq!(world.counter.counts(), counts([("list", 1)]));
            append_batches(world, 1);
            world.counter.requests();
            assert_eq!(pages.rest().unwrap().len(), 2);
            assert_eq!(world.counter.counts(), counts([("list", 3), ("get batch", 1)]));
            world.stat("log").unwrap();
            assert_eq!(world.counter.counts(), counts([("list", 3)]));
            world.compact("log").unwrap();
            append_batches(world, 1);
            world.counter.requests();
            world.stat("log").unwrap();
            assert_eq!(world.counter.counts(), counts([("list", 2), ("get manifest", 1)]));
        });
    }
}

#[test]
fn batch_whose_predecessor_is_absorbed_costs_an_index() {
    on_both(|world| {
        let log = world.open("log");
        let flush = |event: &str| {
            world.clock.advance(1_000_000);
            log.append(event).unwrap();
            log.flush().unwrap();
        };
        for event in ["a", "b"] {
            flush(event);
        }
        world.compact_with("log", NO_MERGE).unwrap();
        for event in ["c", "d"] {
            flush(event);
        }
        world.counter.requests();
        world.stat("log").unwrap();
        let looked_up = counts([("list", 2), ("get manifest", 1), ("get index", 1)]);
        assert_eq!(world.counter.counts(), looked_up);
        assert_eq!(log.file_count().unwrap(), 3);
        assert_eq!(world.counter.counts(), looked_up);
        // Of two segments, only the one whose times cover it.
        world.compact_with("log", NO_MERGE).unwrap();
        flush("e");
        world.counter.requests();
        world.stat("log").unwrap();
        assert_eq!(world.counter.counts(), looked_up);
        assert_eq!(world.read("log").unwrap(), ["a", "b", "c", "d", "e"]);
        let expected = counts([
            ("list", 2),
            ("get manifest", 1),
            // One of each segment, and the one that decides.
            ("get index", 3),
            ("get segment", 2),
            ("get batch", 1),
        ]);
        assert_eq!(world.counter.counts(), expected);
        log.close().unwrap();
    });
}

#[test]
fn batch_that_is_doubted_costs_another_load() {
    on_both(|world| {
        let log = world.open("log");
        for event in ["a", "b", "c"] {
            world.clock.advance(1_000_000);
            log.append(event).unwrap();
            log.flush().unwrap();
        }
        let gone = world.keys().remove(1);
        world.delete(&gone);
        world.counter.requests();
        let error = world.stat("log").unwrap_err();
        assert!(matches!(error, Error::Damaged(_)), "{error:?}");
        assert_eq!(world.counter.counts(), counts([("list", 4)]));
        log.close().unwrap();
    });
}

#[test]
fn read_all_of_a_handle_costs_as_much_as_a_read() {
    on_both(|world| {
        log_of(world, 2, 3);
        let log = world.open("log");
        log.append("pending").unwrap();
        world.counter.requests();
        assert_eq!(log.read_all().unwrap().len(), 15);
        let expected = counts([
            ("list", 2),
            ("get manifest", 1),
            ("get index", 2),
            ("get segment", 2),
            ("get batch", 3),
        ]);
        assert_eq!(world.counter.counts(), expected);
        log.close().unwrap();
    });
}

#[test]
fn gets_are_sixteen_concurrently_and_more_while_the_reader_waits() {
    // More are reached only if all come in the same moment.
    for (batches, most) in [(40, 16..=32), (500, 65..=128)] {
        on_both(|world| {
            append_batches(world, batches);
            world.counter.hold_gets();
            assert_eq!(world.read("log").unwrap().len(), batches * 2);
            let found = world.counter.gets_concurrent_max();
            assert!(most.contains(&found), "read: {found}");
        });
        on_both(|world| {
            append_batches(world, batches);
            world.counter.hold_gets();
            world.compact("log").unwrap();
            let found = world.counter.gets_concurrent_max();
            assert!(most.contains(&found), "compact: {found}");
        });
    }
}

#[test]
fn follow_costs_one_list_a_poll_while_nothing_is_new() {
    let idle = counts([("list", 1)]);
    on_both(|world| {
        let mut pages = world.start_read("log").unwrap();
        world.counter.requests();
        // The absence of events is checked once: by segments, and by logs below.
        let outcome = pages.rest();
        assert!(matches!(outcome, Err(Error::NoLog(_))), "{outcome:?}");
        assert_eq!(world.counter.counts(), counts([("list", 4)]));
        let mut poll = |events: usize, expected: BTreeMap<String, usize>| {
            world.counter.requests();
            assert_eq!(pages.rest().unwrap().len(), events);
            assert_eq!(world.counter.counts(), expected);
            for _ in 0..3 {
                assert_eq!(pages.rest().unwrap(), Vec::<String>::new());
                assert_eq!(world.counter.counts(), idle);
            }
        };
        // A load found nothing, so there is another one.
        poll(0, counts([("list", 2)]));
        // A poll that shows something new, then a load.
        append_batches(world, 40);
        poll(80, counts([("list", 3), ("get batch", 40)]));
        append_batches(world, 1);
        poll(2, counts([("list", 3), ("get batch", 1)]));
        // An event that was yielded live and then compacted is not got again: its index is enough.
        world.compact("log").unwrap();
        poll(0, counts([("list", 3), ("get manifest", 1), ("get index", 1)]));
        append_batches(world, 3);
        poll(6, counts([("list", 3), ("get manifest", 1), ("get batch", 3)]));
        world.compact_with("log", FAN_IN_2).unwrap();
        poll(0, counts([("list", 3), ("get manifest", 1), ("get index", 1)]));
        // A trim of events that were read is seen, and nothing else.
        world.trim("log", TrimPoint::KeepEvents(4)).unwrap();
        poll(0, counts([("list", 3), ("get manifest", 1)]));
    });
}

#[test]
fn follower_gets_only_the_range_of_a_segment_not_yet_yielded() {
    on_both(|world| {
        append_batches(world, 3);
        let mut pages = world.start_read("log").unwrap();
        pages.rest().unwrap();
        append_batches(world, 2);
        world.compact("log").unwrap();
        world.counter.requests();
        assert_eq!(pages.rest().unwrap().len(), 4);
        let requests = world.counter.requests();
        let of = |what: &str| requests.iter().filter(|r| r.what == what).collect::<Vec<_>>();
        assert_eq!((of("get index").len(), of("get batch").len()), (1, 0));
        let [Request { amount, .. }] = of("get segment")[..] else { panic!("{requests:?}") };
        assert_eq!(*amount, 4 * 12, "two batches of two events of twelve bytes");
    });
}

#[test]
fn garbage_costs_a_follower_its_index_once() {
    on_both(|world| {
        append_batches(world, 3);
        let key = world.keys().remove(0);
        let bytes = world.object(&key);
        world.compact("log").unwrap();
        for trimmed in [false, true] {
            world.put(&key, &bytes);
            let mut pages = world.start_read("log").unwrap();
            pages.rest().unwrap();
            world.counter.requests();
            for _ in 0..3 {
                assert_eq!(pages.rest().unwrap(), Vec::<String>::new());
                assert_eq!(world.counter.counts(), counts([("list", 1)]), "trimmed: {trimmed}");
            }
            world.trim("log", TrimPoint::KeepEvents(0)).unwrap();
        }
    });
}

/// Returns the sizes of the segment reads in bytes, and the other gets.
fn gets(world: &World) -> (Vec<u64>, BTreeMap<String, usize>) {
    let (segments, others): (Vec<_>, Vec<_>) =
        world.counter.requests().into_iter().partition(|request| request.what == "get segment");
    let mut counts = BTreeMap::new();
    for request in others {
        *counts.entry(request.what).or_default() += 1;
    }
    (segments.iter().map(|request| request.amount).collect(), counts)
}

#[test]
fn read_from_a_position_gets_only_the_batches_from_there_on() {
    on_both(|world| {
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
            world.counter.requests();
            let mut pages = world.start_read_from("log", &position.to_string()).unwrap();
            assert_eq!(pages.rest().unwrap().len(), 18 - position);
            let expected = counts([
                ("list", 2),
                ("get manifest", 1),
                ("get index", indexes),
                ("get batch", 1),
            ]);
            assert_eq!(gets(world), (segments, expected), "from {position}");
        }
    });
}

#[test]
fn read_of_a_time_gets_only_the_batches_of_that_time() {
    on_both(|world| {
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
            world.counter.requests();
            let mut pages = world.start_read_with("log", options).unwrap();
            let bytes: u64 = segments.iter().sum();
            let found = pages.rest().unwrap().len();
            assert_eq!(found, usize::try_from(bytes / 12).unwrap() + batches * 2);
            let expected = counts([
                ("list", 2),
                ("get manifest", 1),
                ("get index", indexes),
                ("get batch", batches),
            ]);
            assert_eq!(gets(world), (segments, expected), "since {since} until {until}");
        }
    });
}

#[test]
fn last_costs_as_much_as_a_read_from_that_position() {
    on_both(|world| {
        log_of(world, 3, 2);
        for (last, segments, indexes, batches) in
            [(1, vec![], 0, 1), (4, vec![], 0, 2), (6, vec![24], 1, 2), (9, vec![48, 24], 2, 2)]
        {
            world.counter.requests();
            let options = ReadOptions { last: Some(last), ..ReadOptions::default() };
            let mut pages = world.start_read_with("log", options).unwrap();
            assert_eq!(u64::try_from(pages.rest().unwrap().len()), Ok(last));
            let (mut got, others) = gets(world);
            got.sort_unstable_by(|a, b| b.cmp(a));
            let expected = counts([
                ("list", 2),
                ("get manifest", 1),
                ("get index", indexes),
                ("get batch", batches),
            ]);
            assert_eq!((got, others), (segments, expected), "the last {last}");
        }
    });
}
