//! The effects of a trim. No object that the log names holds a trimmed event. Live batches are
//! absorbed first where necessary, and readers at any position continue exactly.

use std::collections::BTreeSet;

use rig::records::time as time_of;
use stratalog::TrimResult;
use stratalog_guest::format::manifest::Manifest;
use stratalog_guest::format::names::ObjectName;

use super::*;

/// Returns the current manifest.
fn manifest(world: &World) -> Manifest {
    let keys = world.keys();
    let names = keys.iter().map(|key| (ObjectName::parse(key.strip_prefix("log/").unwrap()), key));
    let manifests = names.filter_map(|(name, key)| match name {
        Some(ObjectName::Manifest(generation)) => Some((generation, key)),
        _ => None,
    });
    let (generation, key) = manifests.max().unwrap();
    Manifest::decode(generation, world.object(key).as_bytes()).unwrap()
}

/// Returns the events in stored objects, of all that were ever written.
fn stored(world: &World) -> BTreeSet<String> {
    let keys = world.keys().into_iter().filter(|key| key.ends_with(".jsonl"));
    let lines = keys.flat_map(|key| {
        let text = world.object(&key);
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    });
    lines.filter(|line| !line.is_empty()).collect()
}

/// Plans a trim, then runs it. The trim does as planned, and the plan changes nothing.
fn trim_as_planned(world: &World, point: &TrimPoint, lazy: bool) -> TrimResult {
    let before = world.keys();
    let planned = world.plan_trim("log", point.clone(), lazy).unwrap();
    assert_eq!(world.keys(), before, "{point:?}");
    let done = world.trim_with("log", point.clone(), lazy).unwrap();
    assert_eq!(done, planned, "{point:?}, lazy: {lazy}");
    done
}

/// Checks that the counts and the verification agree, without findings.
fn check_counts(world: &World, events: usize, trimmed: u64) {
    let stats = world.stat("log").unwrap();
    let checked = world.check("log").unwrap();
    assert_eq!(checked.findings, []);
    let events = u64::try_from(events).unwrap();
    assert_eq!((stats.events, stats.trimmed_events), (events, trimmed));
    assert_eq!((checked.events, checked.trimmed_events), (events, trimmed));
    assert_eq!(checked.bytes, stats.bytes);
}

#[test]
fn trimmed_event_is_in_no_object() {
    for first in 0..=15 {
        on_both(|world| {
            let all = log_of_15(world);
            let marks = positions(world, "0", 15);
            let point = TrimPoint::Position(first.to_string());
            let done = trim_as_planned(world, &point, false);
            let at = usize::try_from(first).unwrap();
            assert_eq!((done.events, done.first_position), (first, first));
            assert_eq!(done.absorbed_batches, u64::from(first > 11) + u64::from(first > 13));
            let bytes = |events: &[String]| -> u64 {
                events.iter().map(|event| u64::try_from(event.len()).unwrap() + 1).sum()
            };
            assert_eq!(done.bytes, bytes(&all[..at]), "{first}");
            assert_eq!(stored(world), all[at..].iter().cloned().collect(), "{first}");
            check_counts(world, 15 - at, 0);
            assert_eq!(manifest(world).trimmed_events(), 0);
            // Readers at every position get the number of events that they missed.
            for (passed, position) in marks.iter().enumerate() {
                let missed = u64::try_from(at.saturating_sub(passed)).unwrap();
                let events = all[at.max(passed)..].to_vec();
                assert_eq!(read_from(world, position), Rest { events, missed }, "at {passed}");
            }
            let again = trim_as_planned(world, &point, false);
            assert_eq!(again, TrimResult { first_position: first, ..TrimResult::default() });
        });
    }
}

#[test]
fn batch_is_cut_again_and_again_and_merged_and_read_from_anywhere() {
    on_both(|world| {
        let all = events(12);
        append(world, &all[..8]);
        append(world, &all[8..10]);
        // Some read them while they are live, up to every event.
        let marks = positions(world, "0", 10);
        let mut follower = world.start_read("log").unwrap();
        assert_eq!(follower.rest().unwrap(), all[..10]);
        world.compact("log").unwrap();
        let sequenced = positions(world, "0", 10);
        append(world, &all[10..]);
        for (at, compaction) in [(1, None), (3, Some(FULL)), (6, None), (7, Some(FULL)), (9, None)]
        {
            let done = trim_as_planned(world, &TrimPoint::Position(at.to_string()), false);
            assert_eq!((done.segments, done.rewritten_bytes > 0), (0, true), "{at}");
            assert_eq!(stored(world), all[at..].iter().cloned().collect());
            if let Some(options) = compaction {
                world.compact_with("log", options).unwrap();
            }
            check_counts(world, 12 - at, 0);
            for marks in [&marks, &sequenced] {
                for (passed, position) in marks.iter().enumerate() {
                    let missed = u64::try_from(at.saturating_sub(passed)).unwrap();
                    let events = all[at.max(passed)..].to_vec();
                    let found = read_from(world, position);
                    assert_eq!(found, Rest { events, missed }, "trimmed to {at}, at {passed}");
                }
            }
            for last in 0..13 {
                let options = ReadOptions { last: Some(last), ..ReadOptions::default() };
                let from = at.max(12_usize.saturating_sub(usize::try_from(last).unwrap()));
                assert_eq!(read_with(world, options).0, all[from..], "the last {last}");
            }
        }
        let rest = follower.rest_and_missed().unwrap();
        assert_eq!(rest, Rest { events: all[10..].to_vec(), missed: 0 });
    });
}

#[test]
fn lazy_trim_leaves_the_boundary_to_the_next_compaction() {
    on_both(|world| {
        let all = log_of_15(world);
        let done = trim_as_planned(world, &TrimPoint::Position("8".to_owned()), true);
        assert_eq!((done.events, done.segments, done.rewritten_bytes), (8, 1, 0));
        assert_eq!(stored(world), all[6..].iter().cloned().collect());
        check_counts(world, 7, 2);
        assert_eq!(world.read("log").unwrap(), all[8..]);
        // Nothing else is due, and the trimmed events go all the same.
        let one_live = CompactInput { batches_max: Some(1), fan_in: Some(64), ..FAN_IN_2 };
        let plan = world.plan_compaction("log", one_live).unwrap();
        assert_eq!((plan.segments, plan.batches), (1, 1));
        let done = world.compact_with("log", one_live).unwrap();
        assert_eq!((done.segments, done.batches, done.events), (1, 1, 5));
        assert_eq!(stored(world), all[8..].iter().cloned().collect());
        check_counts(world, 7, 0);
        // Alone, without live batches.
        world.compact("log").unwrap();
        world.trim_lazily("log", TrimPoint::KeepEvents(5)).unwrap();
        check_counts(world, 5, world.stat("log").unwrap().trimmed_events);
        let plan = world.plan_compaction("log", CompactInput::default()).unwrap();
        assert_eq!((plan.segments, plan.batches), (1, 0));
        assert_eq!(world.compact("log").unwrap().segments, 1);
        assert_eq!(stored(world), all[10..].iter().cloned().collect());
        assert_eq!(world.compact("log").unwrap().merged_files, 0);
        assert_eq!(world.read("log").unwrap(), all[10..]);
    });
}

#[test]
fn trim_after_a_lazy_one_removes_its_remains() {
    on_both(|world| {
        let all = log_of_15(world);
        world.trim_lazily("log", TrimPoint::Position("3".to_owned())).unwrap();
        let done = trim_as_planned(world, &TrimPoint::Position("3".to_owned()), false);
        assert_eq!((done.events, done.first_position, done.segments), (0, 3, 0));
        assert!(done.rewritten_bytes > 0 && done.bytes > 0, "{done:?}");
        assert_eq!(stored(world), all[3..].iter().cloned().collect());
        check_counts(world, 12, 0);
    });
}

#[test]
fn log_of_live_batches_alone_is_trimmed_and_fully_compacted() {
    on_both(|world| {
        let all = events(6);
        append(world, &all[..3]);
        let done = world.compact_with("log", FULL).unwrap();
        assert_eq!((done.batches, done.segments, done.events), (1, 0, 3));
        assert_eq!(world.read("log").unwrap(), all[..3]);
        append(world, &all[3..]);
        world.put("log/batch_0001600000000000009.jsonl", "old 1\n\nold 2");
        let done = trim_as_planned(world, &TrimPoint::KeepEvents(2), false);
        assert_eq!((done.events, done.segments, done.absorbed_batches), (6, 1, 2));
        assert_eq!((done.first_position, done.live_batches), (6, 0));
        assert_eq!(stored(world), all[4..].iter().cloned().collect());
        check_counts(world, 2, 0);
        // The kept ones are absorbed no further than necessary.
        append(world, &["a".to_owned(), "b".to_owned()]);
        append(world, &["c".to_owned()]);
        let done = trim_as_planned(world, &TrimPoint::KeepEvents(2), false);
        assert_eq!((done.events, done.absorbed_batches), (3, 1));
        assert_eq!(world.stat("log").unwrap().batches, 1);
        assert_eq!(world.read("log").unwrap(), ["b", "c"]);
        let done = trim_as_planned(world, &TrimPoint::KeepEvents(0), true);
        assert_eq!((done.events, done.absorbed_batches, done.segments), (2, 1, 1));
        assert_eq!(stored(world), BTreeSet::new());
        assert_eq!(world.read("log").unwrap(), Vec::<String>::new());
    });
}

#[test]
fn of_live_batches_a_time_takes_those_before_the_first_that_is_newer() {
    on_both(|world| {
        let start = 1_700_000_000_000_000;
        for event in ["1", "2", "3"] {
            append(world, &[event.to_owned()]);
        }
        let time = |second: u64| TrimPoint::Time(time_of(start + second * 1_000_000));
        assert_eq!(trim_as_planned(world, &time(1), false), TrimResult::default());
        let done = trim_as_planned(world, &time(3), false);
        assert_eq!((done.events, done.absorbed_batches, done.live_batches), (2, 2, 0));
        assert_eq!(world.read("log").unwrap(), ["3"]);
        world.compact_with("log", FULL).unwrap();
        // A slow clock's batch was just acknowledged: it stands behind newer ones.
        let mut slow = world.start_read("log").unwrap();
        assert_eq!(slow.rest().unwrap(), ["3"]);
        world.put("log/batch_0001700000001000000.jsonl", "slow\n");
        let done = trim_as_planned(world, &time(3), false);
        assert_eq!((done.events, done.absorbed_batches, done.live_batches), (0, 0, 1));
        assert_eq!(world.read("log").unwrap(), ["3", "slow"]);
        world.compact_with("log", FULL).unwrap();
        let done = trim_as_planned(world, &time(3), false);
        assert_eq!((done.events, done.live_batches), (0, 0));
        assert_eq!(slow.rest_and_missed().unwrap().events, ["slow"]);
        // It is trimmed together with the batches before it.
        assert_eq!(trim_as_planned(world, &time(4), false).events, 2);
        assert_eq!(stored(world), BTreeSet::new());
    });
}

#[test]
fn trim_by_a_position_stops_at_the_first_event_not_passed() {
    on_both(|world| {
        let all = events(9);
        for batch in all.chunks(3) {
            append(world, batch);
        }
        // All live: the positions name batches.
        let marks = positions(world, "0", 9);
        // A position that has passed the second batch alone.
        let second = world.keys().remove(1);
        let second = ObjectName::parse(second.strip_prefix("log/").unwrap());
        let Some(ObjectName::Batch(second)) = second else { panic!("{second:?}") };
        let id = second.id().unwrap();
        let entry = format!("{:019}_{}_{}_3", id.time.micros(), id.writer, id.number);
        let done = trim_as_planned(world, &TrimPoint::Position(format!("0,{entry}")), false);
        assert_eq!((done.events, done.absorbed_batches, done.live_batches), (0, 0, 1));
        for compacts in [false, true] {
            for passed in [2, 3, 4] {
                if compacts {
                    world.compact_with("log", FULL).unwrap();
                }
                let passed = passed + if compacts { 3 } else { 0 };
                let point = TrimPoint::Position(marks[passed].clone());
                let done = trim_as_planned(world, &point, false);
                assert_eq!(done.first_position, u64::try_from(passed).unwrap(), "{done:?}");
                assert_eq!(stored(world), all[passed..].iter().cloned().collect());
                assert_eq!(read_from(world, &marks[passed]).events, all[passed..]);
            }
        }
        // Behind all of it, and beyond.
        append(world, &["later".to_owned()]);
        let refused = |position: &str, plan: bool| match plan {
            true => world.plan_trim("log", TrimPoint::Position(position.to_owned()), false),
            false => world.trim("log", TrimPoint::Position(position.to_owned())),
        };
        let before = world.keys();
        for plan in [false, true] {
            let Err(Error::InvalidInput(message)) = refused("11", plan) else { panic!() };
            assert!(
                message.contains("position 11 is") && message.contains("up to 10"),
                "{message}"
            );
        }
        assert_eq!(world.keys(), before);
        let done = trim_as_planned(world, &TrimPoint::Position("10".to_owned()), false);
        assert_eq!((done.absorbed_batches, done.first_position), (1, 10));
    });
}

#[test]
fn reader_overtaken_inside_a_segment_resumes_at_the_remaining_events() {
    on_both(|world| {
        let all: Vec<String> = (0..12).map(|n| format!("{n}{}", ".".repeat(900_000))).collect();
        for batch in all.chunks(2) {
            append(world, batch);
        }
        world.compact("log").unwrap();
        let mut pages = world.start_read("log").unwrap();
        let first = pages.next_page().unwrap().unwrap();
        assert!(first.len() < 7, "{}", first.len());
        assert_eq!(world.trim("log", TrimPoint::Position("9".to_owned())).unwrap().events, 9);
        let rest = pages.rest_and_missed().unwrap();
        let passed = 12 - rest.events.len() - usize::try_from(rest.missed).unwrap();
        assert!(passed >= first.len(), "{passed}");
        assert!(rest.events.ends_with(&all[9..]), "{:?}", rest.events.len());
        assert_eq!(pages.rest_and_missed().unwrap(), Rest::default());
    });
}

#[test]
fn batch_larger_than_memory_is_cut_in_a_stream() {
    let line = "x".repeat(1 << 20);
    let lines: Vec<String> = (0..34).map(|number| format!("{number}{line}")).collect();
    on_both(|world| {
        world.put("log/batch_0001600000000000001.jsonl", &lines.join("\n"));
        append(world, &["small".to_owned()]);
        world.compact("log").unwrap();
        for at in [1, 33] {
            let point = TrimPoint::Position(at.to_string());
            let done = trim_as_planned(world, &point, false);
            assert_eq!((done.first_position, done.segments), (at, 0));
            let left = &lines[usize::try_from(at).unwrap()..];
            let mut found = world.read("log").unwrap();
            assert_eq!(found.pop().unwrap(), "small");
            assert!(found == left, "{at}");
            check_counts(world, left.len() + 1, 0);
        }
    });
}

#[test]
fn trim_without_events_removes_garbage_that_contains_trimmed_events() {
    on_both(|world| {
        let all = log_of_15(world);
        let keys = world.keys().into_iter().filter(|key| key.contains("/batch_"));
        let batches: Vec<_> = keys.map(|key| (key.clone(), world.object(&key))).collect();
        assert!(!batches.is_empty());
        let point = || TrimPoint::KeepEvents(2);
        world.trim_with("log", point(), false).unwrap();
        // The state after a failed delete that followed the compaction.
        let there = world.keys();
        for (key, bytes) in batches.iter().filter(|(key, _)| !there.contains(key)) {
            world.put(key, bytes);
        }
        assert!(stored(world).contains(&all[11]));
        let done = world.trim_with("log", point(), false).unwrap();
        assert_eq!(done.events, 0);
        assert_eq!(stored(world), all[13..].iter().cloned().collect());
        check_counts(world, 2, 0);
        assert_eq!(world.read("log").unwrap(), all[13..]);
    });
}
