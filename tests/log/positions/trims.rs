//! Readers of a log that is trimmed: they get the exact number of missed events.

use rig::records::time;
use stratalog::TrimResult;

use super::*;

#[test]
fn trimmed_readers_get_the_number_of_missed_events() {
    for first in [1, 5, 6, 7, 9, 11] {
        on_both(|world| {
            let all = log_of_15(world);
            let marks = positions(world, "0", 15);
            let point = TrimPoint::Position(first.to_string());
            let done = world.trim("log", point.clone()).unwrap();
            assert_eq!((done.events, done.first_position), (first, first));
            assert_eq!(done.segments, u64::from(first >= 6) + u64::from(first >= 11));
            assert_eq!(
                world.trim("log", point).unwrap(),
                TrimResult { first_position: first, ..TrimResult::default() }
            );
            let first = usize::try_from(first).unwrap();
            for (passed, position) in marks.iter().enumerate() {
                let missed = u64::try_from(first.saturating_sub(passed)).unwrap();
                let events = all[first.max(passed)..].to_vec();
                assert_eq!(read_from(world, position), Rest { events, missed }, "at {passed}");
            }
            // A reader that begins now has missed nothing.
            let mut pages = world.start_read("log").unwrap();
            let whole = Rest { events: all[first..].to_vec(), missed: 0 };
            assert_eq!(pages.rest_and_missed().unwrap(), whole);
            let options = ReadOptions { last: Some(100), ..ReadOptions::default() };
            assert_eq!(read_with(world, options).0, all[first..]);
        });
    }
}

#[test]
fn events_yielded_while_live_are_not_missed_once_trimmed() {
    on_both(|world| {
        let all = log_of_15(world);
        world.put("log/batch_0001700000000900000.jsonl", "old 1\nold 2\n");
        let marks = positions(world, "11", 6);
        // Readers at these places, running ones and resumed ones.
        let readers = marks.iter().map(|position| {
            let mut pages = world.start_read_from("log", position).unwrap();
            let options = ReadOptions {
                start: Some(position.clone()),
                limit: Some(0),
                ..ReadOptions::default()
            };
            assert_eq!(read_with(world, options).1, *position);
            (pages.rest().unwrap(), pages)
        });
        let mut readers: Vec<_> = readers.collect();
        let live = readers[0].0.clone();
        assert_eq!(live[..2], ["old 1", "old 2"], "it sorts before the others");
        assert_eq!(live[2..], all[11..]);
        append(world, &["later".to_owned()]);
        world.compact("log").unwrap();
        for first in [12, 13, 14, 17] {
            world.trim("log", TrimPoint::Position(first.to_string())).unwrap();
            for (passed, position) in marks.iter().enumerate() {
                let trimmed = usize::try_from(first).unwrap() - 11;
                let missed = u64::try_from(trimmed.saturating_sub(passed)).unwrap();
                let mut events = live[trimmed.max(passed)..].to_vec();
                events.push("later".to_owned());
                let found = read_from(world, position);
                assert_eq!(found, Rest { events, missed }, "trimmed to {first}, at {passed}");
            }
        }
        for (yielded, pages) in &mut readers {
            let rest = pages.rest_and_missed().unwrap();
            assert_eq!(rest, Rest { events: vec!["later".to_owned()], missed: 0 }, "{yielded:?}");
        }
        // Only the position is left of them.
        assert!(readers.iter_mut().all(|(_, pages)| number(&pages.position()) == "18"));
    });
}

#[test]
fn reader_overtaken_by_a_trim_and_a_compaction_repeats_nothing() {
    on_both(|world| {
        let all = log_of_15(world);
        let mut pages = world.start_read_from("log", "0").unwrap();
        let first = ReadOptions { last: Some(2), ..ReadOptions::default() };
        let mut tail = world.start_read_with("log", first).unwrap();
        assert_eq!(tail.rest().unwrap(), all[13..]);
        let position = format!("0{}", &number(&tail.position())[2..]);
        world.compact("log").unwrap();
        world.trim("log", TrimPoint::Position("3".to_owned())).unwrap();
        // The index that records the place of the yielded batch is gone at the get, as after a
        // merge. That is no reason to believe that the batch was trimmed.
        world.faults.arm_after(1, Call::Get, Fault::NotFound);
        let rest = read_from(world, &position);
        world.faults.disarm();
        // It has also passed the live events before its last two.
        assert_eq!(rest, Rest { events: all[3..11].to_vec(), missed: 3 }, "from {position}");
        assert_eq!(pages.rest_and_missed().unwrap(), Rest { events: all[3..].to_vec(), missed: 3 });
    });
}

#[test]
fn trim_by_time_and_by_number_of_events_counts_live_batches() {
    on_both(|world| {
        let all = log_of_15(world);
        let start = 1_700_000_000_000_000;
        let trim = |point| world.trim("log", point).unwrap();
        let done = trim(TrimPoint::Time(time(start + 1_000_000)));
        assert_eq!((done.events, done.segments, done.live_batches), (2, 0, 0));
        assert_eq!(world.read("log").unwrap(), all[2..]);
        let done = trim(TrimPoint::KeepEvents(9));
        assert_eq!((done.events, done.segments, done.first_position), (4, 1, 6));
        assert_eq!(world.read("log").unwrap(), all[6..]);
        let done = trim(TrimPoint::KeepEvents(100));
        assert_eq!(done, TrimResult { first_position: 6, ..TrimResult::default() });
        // Live batches are absorbed first, as many as necessary.
        let done = trim(TrimPoint::Time(time(start + 5_000_000)));
        assert_eq!((done.events, done.segments, done.absorbed_batches), (7, 1, 1));
        assert_eq!((done.live_batches, world.stat("log").unwrap().batches), (0, 1));
        assert_eq!(world.read("log").unwrap(), all[13..]);
        let done = trim(TrimPoint::KeepEvents(1));
        assert_eq!((done.events, done.absorbed_batches, done.first_position), (1, 1, 14));
        assert_eq!(trim(TrimPoint::KeepEvents(0)).events, 1);
        assert_eq!(world.read("log").unwrap(), Vec::<String>::new());
    });
}

#[test]
fn positions_continue_after_a_log_was_trimmed_to_nothing() {
    on_both(|world| {
        append(world, &events(2));
        append(world, &events(4)[2..]);
        world.compact("log").unwrap();
        assert_eq!(world.trim("log", TrimPoint::KeepEvents(0)).unwrap().segments, 1);
        assert_eq!(world.read("log").unwrap(), Vec::<String>::new());
        append(world, &["a".to_owned()]);
        append(world, &["b".to_owned()]);
        world.compact("log").unwrap();
        let stats = world.stat("log").unwrap();
        assert_eq!((stats.first_position, stats.next_position, stats.events), (4, 6, 2));
        assert_eq!(read_from(world, "1"), Rest { events: vec!["a".into(), "b".into()], missed: 3 });
        assert_eq!(read_from(world, "5"), Rest { events: vec!["b".into()], missed: 0 });
    });
}

#[test]
fn create_that_lands_after_its_batch_was_trimmed_is_not_read_again() {
    on_both(|world| {
        let log = world.open("log");
        log.append("twice").unwrap();
        world.faults.arm(Call::Create, [Fault::LandsLate]);
        log.flush().unwrap_err();
        log.flush().unwrap();
        append(world, &["other".to_owned()]);
        let mut follower = world.start_read("log").unwrap();
        assert_eq!(follower.rest().unwrap(), ["twice", "other"]);
        world.compact("log").unwrap();
        assert_eq!(world.trim("log", TrimPoint::KeepEvents(0)).unwrap().events, 2);
        let before = world.keys();
        world.runtime.block_on(world.faulty.land());
        let late = world.keys().into_iter().filter(|key| !before.contains(key));
        let late: Vec<_> = late.collect();
        assert_eq!(late.len(), 1);
        assert_eq!(follower.rest_and_missed().unwrap(), Rest::default());
        assert_eq!(world.read("log").unwrap(), Vec::<String>::new());
        assert_eq!(log.read_all().unwrap(), Vec::<String>::new());
        assert_eq!(world.stat("log").unwrap().garbage_objects, 1);
        // The next compaction deletes it, though nothing else is due.
        assert_eq!(world.compact("log").unwrap().batches, 0);
        assert_eq!(world.keys(), before);
        log.close().unwrap();
    });
}

#[test]
fn concurrent_compactors_and_trims_leave_a_whole_log() {
    on_both(|world| {
        let all = events(60);
        for batch in all.chunks(2) {
            append(world, batch);
        }
        world.compact_with("log", CompactInput { batches_max: Some(10), ..FAN_IN_2 }).unwrap();
        let run = |work: &dyn Fn() -> Result<(), Error>| {
            for _ in 0..5 {
                match work() {
                    Ok(()) | Err(Error::Conflict(_)) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
        };
        let some = CompactInput { batches_max: Some(3), ..FAN_IN_2 };
        std::thread::scope(|scope| {
            scope.spawn(|| run(&|| world.compact_with("log", some).map(drop)));
            scope.spawn(|| run(&|| world.compact_with("log", FULL).map(drop)));
            scope.spawn(|| run(&|| world.trim("log", TrimPoint::Position("7".into())).map(drop)));
            let found = read_from(world, "0");
            let missed = usize::try_from(found.missed).unwrap();
            assert!(missed == 0 || missed <= 7, "{missed}");
            assert_eq!(found.events, all[all.len() - found.events.len()..]);
            assert!(missed + found.events.len() >= 60);
        });
        world.compact_with("log", FULL).unwrap();
        assert_eq!(read_from(world, "0"), Rest { events: all[7..].to_vec(), missed: 7 });
        assert_eq!(world.verify("log").unwrap(), (Vec::new(), 53));
    });
}
