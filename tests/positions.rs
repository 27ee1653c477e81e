//! Where a reader stands: positions hold whatever happens to the log, and who was overtaken by a
//! trim is told so exactly. On the logic run natively and on the built component.

use rig::faults::Fault;
use rig::passes::Rest;
use rig::subject::{Settings, World, append_all, events, on_both};
use stratalog::{Error, TrimPoint, Trimmed};
use stratalog_guest::options::CompactInput;
use stratalog_guest::reader::ReadOptions;

const FAN_IN_2: CompactInput =
    CompactInput { full: false, fan_in: Some(2), segment_bytes_max: None, batches_max: None };
const FULL: CompactInput =
    CompactInput { full: true, fan_in: None, segment_bytes_max: None, batches_max: None };

/// Appends a batch by a handle of its own, a second after the last.
fn append(world: &World, events: &[String]) {
    world.clock.advance(1_000_000);
    let log = world.open("log");
    append_all(&log, events);
    log.close().unwrap();
}

/// What is read with a start, or with other options.
fn read_with(world: &World, options: ReadOptions) -> (Vec<String>, String) {
    let mut pages = world.start_read_with("log", options).unwrap();
    let rest = pages.rest_and_missed().unwrap();
    assert_eq!(rest.missed, 0);
    (rest.events, pages.position())
}

fn read_from(world: &World, position: &str) -> Rest {
    world.start_read_from("log", position).unwrap().rest_and_missed().unwrap()
}

/// The positions behind each of the events that are stored now, and before the first, by passes of
/// one event each.
fn positions(world: &World, first: &str, count: usize) -> Vec<String> {
    let mut positions = vec![first.to_owned()];
    for _ in 0..count {
        let start = positions.last().cloned();
        let one = ReadOptions { start, limit: Some(1), ..ReadOptions::default() };
        let (events, position) = read_with(world, one);
        assert_eq!(events.len(), 1);
        positions.push(position);
    }
    positions
}

#[test]
fn a_position_goes_on_where_it_was_taken_whatever_is_compacted_since() {
    on_both(|world| {
        let all = events(24);
        let mut batches = all.chunks(3);
        let mut stored = 0;
        let mut marks: Vec<(usize, String)> = Vec::new();
        for compact in [None, None, Some(CompactInput::default()), None, None, Some(FAN_IN_2)]
            .into_iter()
            .chain([None, Some(FULL), None, None, Some(FAN_IN_2), Some(FULL)])
        {
            match compact {
                None => {
                    append(world, batches.next().unwrap());
                    stored += 3;
                    let of_each = positions(world, "0", stored);
                    marks.extend(of_each.into_iter().enumerate());
                }
                Some(options) => _ = world.compact_with("log", options).unwrap(),
            }
            for (passed, position) in &marks {
                let rest = read_from(world, position);
                assert_eq!(rest, Rest { events: all[*passed..stored].to_vec(), missed: 0 });
            }
        }
        let (_, end) = read_with(world, ReadOptions::default());
        assert_eq!(end, stored.to_string());
    });
}

#[test]
fn passes_with_a_limit_yield_each_event_once_while_the_log_is_compacted() {
    for limit in [1, 2, 3] {
        on_both(|world| {
            let all = events(20);
            let (mut position, mut found) = ("0".to_owned(), Vec::new());
            for batch in all.chunks(4) {
                append(world, batch);
                let options = ReadOptions {
                    start: Some(position),
                    limit: Some(limit),
                    ..ReadOptions::default()
                };
                let (events, next) = read_with(world, options);
                assert_eq!(u64::try_from(events.len()), Ok(limit));
                found.extend(events);
                position = next;
                world.compact_with("log", FAN_IN_2).unwrap();
            }
            found.extend(read_from(world, &position).events);
            assert_eq!(found, all, "{limit} at once");
        });
    }
}

#[test]
fn one_reader_follows_a_log_that_is_compacted_merged_and_written_to() {
    on_both(|world| {
        let all = events(40);
        let mut pages = world.start_read("log").unwrap();
        let mut found = Vec::new();
        for (number, batch) in all.chunks(2).enumerate() {
            append(world, batch);
            // Some batches are met live, some in a segment.
            if number % 3 == 0 {
                found.extend(pages.rest().unwrap());
                assert_eq!(found, all[..number * 2 + 2]);
            }
            if number % 4 == 3 {
                world.compact_with("log", FAN_IN_2).unwrap();
            }
        }
        found.extend(pages.rest().unwrap());
        assert_eq!(found, all);
        world.compact_with("log", FULL).unwrap();
        assert_eq!(pages.rest().unwrap(), Vec::<String>::new());
        assert_eq!(pages.position(), "40");
    });
}

#[test]
fn a_batch_that_appears_late_before_one_that_was_yielded_is_yielded_once() {
    on_both(|world| {
        let slow = world.open("log");
        slow.append("slow").unwrap();
        world.faults.arm([Fault::LandsLate]);
        slow.flush().unwrap_err();
        append(world, &["fast".to_owned()]);
        let mut pages = world.start_read("log").unwrap();
        assert_eq!(pages.rest().unwrap(), ["fast"]);
        let position = pages.position();
        world.runtime.block_on(world.faulty.land());
        assert_eq!(read_from(world, &position).events, ["slow"]);
        // In the segment it stands before the one that was yielded.
        world.compact("log").unwrap();
        assert_eq!(world.read("log").unwrap(), ["slow", "fast"]);
        assert_eq!(read_from(world, &position).events, ["slow"]);
        assert_eq!(pages.rest().unwrap(), ["slow"]);
        assert_eq!(pages.position(), "2");
        slow.close().unwrap();
    });
}

/// A log with two segments, of six and five events, one batch of old and four live events.
fn log_of_15(world: &World) -> Vec<String> {
    let all = events(15);
    world.put("log/batch_0001600000000000001.jsonl", &format!("{}\n\n{}", all[0], all[1]));
    append(world, &all[2..6]);
    world.compact("log").unwrap();
    append(world, &all[6..9]);
    append(world, &all[9..11]);
    world.compact("log").unwrap();
    append(world, &all[11..13]);
    append(world, &all[13..]);
    all
}

#[test]
fn last_begins_behind_all_but_the_last_events_and_goes_on_with_later_ones() {
    on_both(|world| {
        let all = log_of_15(world);
        for last in 0..=17 {
            let options = ReadOptions { last: Some(last), ..ReadOptions::default() };
            let mut pages = world.start_read_with("log", options).unwrap();
            let from = all.len().saturating_sub(usize::try_from(last).unwrap());
            assert_eq!(pages.rest().unwrap(), all[from..], "the last {last}");
        }
        let options = ReadOptions { last: Some(1), ..ReadOptions::default() };
        let mut pages = world.start_read_with("log", options).unwrap();
        assert_eq!(pages.rest().unwrap(), all[14..]);
        append(world, &["later".to_owned()]);
        world.compact("log").unwrap();
        assert_eq!(pages.rest().unwrap(), ["later"]);
    });
}

#[test]
fn last_counts_events_of_old_batches_that_their_names_do_not_tell() {
    on_both(|world| {
        world.put("log/batch_0001600000000000001.jsonl", "a\n\nb\nc");
        world.put("log/batch_0001600000000000002.jsonl", "\n");
        world.put("log/batch_0001600000000000003.jsonl", "d\ne\n");
        for last in 0..=6 {
            let options = ReadOptions { last: Some(last), ..ReadOptions::default() };
            let from = 5 - usize::try_from(last).unwrap().min(5);
            assert_eq!(read_with(world, options).0, ["a", "b", "c", "d", "e"][from..]);
        }
    });
}

#[test]
fn since_and_until_are_times_of_batches_and_what_they_leave_out_counts_as_passed() {
    on_both(|world| {
        let all = log_of_15(world);
        let start = 1_700_000_000_000_000;
        // The time of each batch, and where its events end.
        let seconds = |seconds: u64| start + seconds * 1_000_000;
        let batches = [
            (1_600_000_000_000_001, 2),
            (seconds(1), 6),
            (seconds(2), 9),
            (seconds(3), 11),
            (seconds(4), 13),
            (seconds(5), 15),
        ];
        let before = |time: u64| batches.partition_point(|(sealed, _)| *sealed < time);
        let end = |count: usize| batches[..count].last().map_or(0, |(_, end)| *end);
        let times = [0, 1_600_000_000_000_001, seconds(2), seconds(3), seconds(3) + 1, seconds(6)];
        for since in times {
            for until in times {
                let options = ReadOptions {
                    since: Some(since),
                    until: Some(until),
                    ..ReadOptions::default()
                };
                let (events, position) = read_with(world, options);
                let from = end(before(since));
                let to = end(before(until)).max(from);
                assert_eq!(events, all[from..to], "since {since} until {until}");
                assert_eq!(read_from(world, &position).events, Vec::<String>::new());
            }
        }
    });
}

#[test]
fn since_counts_as_passed_for_batches_that_are_absorbed_later() {
    on_both(|world| {
        let all = log_of_15(world);
        let since = Some(world.clock.micros());
        let mut pages =
            world.start_read_with("log", ReadOptions { since, ..ReadOptions::default() }).unwrap();
        assert_eq!(pages.rest().unwrap(), all[13..]);
        let position = pages.position();
        world.compact_with("log", FULL).unwrap();
        append(world, &["later".to_owned()]);
        assert_eq!(read_from(world, &position).events, ["later"]);
        assert_eq!(pages.rest().unwrap(), ["later"]);
    });
}

#[test]
fn trimmed_readers_are_told_how_many_events_they_missed() {
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
                Trimmed { first_position: first, ..Trimmed::default() }
            );
            let first = usize::try_from(first).unwrap();
            for (passed, position) in marks.iter().enumerate() {
                let missed = u64::try_from(first.saturating_sub(passed)).unwrap();
                let events = all[first.max(passed)..].to_vec();
                assert_eq!(read_from(world, position), Rest { events, missed }, "at {passed}");
            }
            // Who begins now has missed nothing.
            let mut pages = world.start_read("log").unwrap();
            let whole = Rest { events: all[first..].to_vec(), missed: 0 };
            assert_eq!(pages.rest_and_missed().unwrap(), whole);
            let options = ReadOptions { last: Some(100), ..ReadOptions::default() };
            assert_eq!(read_with(world, options).0, all[first..]);
        });
    }
}

#[test]
fn events_yielded_while_they_were_live_are_not_missed_when_they_are_trimmed() {
    on_both(|world| {
        let all = log_of_15(world);
        world.put("log/batch_0001700000000900000.jsonl", "old 1\nold 2\n");
        let marks = positions(world, "11", 6);
        // Readers that stand there, by themselves and by their positions.
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
        // Nothing is left of them but the position.
        assert!(readers.iter_mut().all(|(_, pages)| pages.position() == "18"));
    });
}

#[test]
fn a_reader_overtaken_by_a_trim_and_a_compaction_repeats_nothing() {
    on_both(|world| {
        let all = log_of_15(world);
        let mut pages = world.start_read_from("log", "0").unwrap();
        let first = ReadOptions { last: Some(2), ..ReadOptions::default() };
        let mut tail = world.start_read_with("log", first).unwrap();
        assert_eq!(tail.rest().unwrap(), all[13..]);
        let position = format!("0{}", &tail.position()[2..]);
        world.compact("log").unwrap();
        world.trim("log", TrimPoint::Position("3".to_owned())).unwrap();
        // The index that would tell where the yielded batch went is gone when it is got, as if it
        // had been merged away: that is no reason to believe the batch was trimmed.
        world.faults.arm_after(Fault::GetMissing, 1);
        let rest = read_from(world, &position);
        world.faults.disarm();
        // It has passed the live events before its last two, too.
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
        let done = trim(TrimPoint::Time(start + 1_000_000));
        assert_eq!((done.events, done.segments, done.live_batches), (2, 0, 0));
        assert_eq!(world.read("log").unwrap(), all[2..]);
        let done = trim(TrimPoint::KeepEvents(9));
        assert_eq!((done.events, done.segments, done.first_position), (4, 1, 6));
        assert_eq!(world.read("log").unwrap(), all[6..]);
        let done = trim(TrimPoint::KeepEvents(100));
        assert_eq!(done, Trimmed { first_position: 6, ..Trimmed::default() });
        // What is live stays, whatever its time, and that is told.
        let done = trim(TrimPoint::Time(start + 5_000_000));
        assert_eq!((done.events, done.segments, done.live_batches), (5, 1, 1));
        assert_eq!(world.read("log").unwrap(), all[11..]);
        let done = trim(TrimPoint::KeepEvents(1));
        assert_eq!((done.events, done.live_batches, done.first_position), (0, 1, 11));
        assert_eq!(trim(TrimPoint::KeepEvents(0)).live_batches, 2);
        assert_eq!(world.read("log").unwrap(), all[11..]);
    });
}

#[test]
fn trim_of_a_log_that_was_never_compacted_does_nothing() {
    on_both(|world| {
        append(world, &events(3));
        let before = world.keys();
        let done = world.trim("log", TrimPoint::KeepEvents(0)).unwrap();
        assert_eq!(done, Trimmed { live_batches: 1, ..Trimmed::default() });
        assert_eq!(world.keys(), before);
    });
}

#[test]
fn positions_go_on_after_a_log_was_trimmed_to_nothing() {
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
fn a_create_that_lands_after_its_batch_was_trimmed_is_not_read_again() {
    on_both(|world| {
        let log = world.open("log");
        log.append("twice").unwrap();
        world.faults.arm([Fault::LandsLate]);
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
        // The next compaction deletes it, though nothing else is to do.
        assert_eq!(world.compact("log").unwrap().batches, 0);
        assert_eq!(world.keys(), before);
        log.close().unwrap();
    });
}

#[test]
fn segments_end_at_segment_bytes_max_and_keep_their_positions() {
    on_both(|world| {
        let all = events(30);
        for batch in all.chunks(3) {
            append(world, batch);
        }
        // A batch has 39 or 42 bytes.
        let small = CompactInput { segment_bytes_max: Some(100), ..CompactInput::default() };
        let done = world.compact_with("log", small).unwrap();
        assert_eq!((done.batches, done.segments, done.events), (10, 0, 30));
        let segments: Vec<_> = world.keys().into_iter().filter(|k| k.contains("/seg")).collect();
        let segments: Vec<_> = segments.iter().filter(|key| key.ends_with(".jsonl")).collect();
        assert_eq!(segments.len(), 5, "{segments:?}");
        for (part, key) in segments.iter().enumerate() {
            assert!(key.ends_with(&format!("_{part:04}.jsonl")), "{key}");
            assert!(world.object(key).len() <= 100, "{key}");
        }
        for (passed, position) in positions(world, "0", 30).iter().enumerate() {
            assert_eq!(*position, passed.to_string());
            assert_eq!(read_from(world, position).events, all[passed..]);
        }
        // A limit that is larger than all of them lets them be one.
        assert_eq!(world.compact_with("log", FULL).unwrap().segments, 5);
        assert_eq!(world.stat("log").unwrap().segments, 1);
        assert_eq!(world.read("log").unwrap(), all);
    });
}

#[test]
fn compactors_and_trims_at_once_leave_a_log_that_is_whole() {
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
        assert_eq!(world.verify("log").unwrap(), (Vec::new(), 60));
    });
}

#[test]
fn what_is_no_position_and_what_excludes_each_other_is_refused() {
    on_both(|world| {
        append(world, &events(1));
        let refused = |options| match world.start_read_with("log", options) {
            Err(Error::InvalidInput(message)) => message,
            _ => panic!("it was taken"),
        };
        let start = |text: &str| ReadOptions { start: Some(text.into()), ..<_>::default() };
        assert!(refused(start("7\u{1b}[2J")).starts_with("\"7\\u{1b}[2J\" is not (part of) a"));
        assert!(refused(ReadOptions { last: Some(1), ..start("0") }).contains("give one of them"));
        let beyond = world.start_read_with("log", start("1")).unwrap().rest();
        assert!(
            matches!(&beyond, Err(Error::InvalidInput(why)) if why.contains("is not of log log")),
            "{beyond:?}"
        );
        let trim = world.trim("log", TrimPoint::Position("x".to_owned()));
        assert!(matches!(trim, Err(Error::InvalidInput(_))), "{trim:?}");
        let trim = world.trim("log", TrimPoint::Position("1".to_owned()));
        assert!(
            matches!(&trim, Err(Error::InvalidInput(why)) if why.contains("beyond what is compacted")),
            "{trim:?}"
        );
    });
}

#[test]
fn a_position_of_many_live_batches_is_short_enough_to_be_taken_back() {
    on_both(|world| {
        let settings = Settings { flush_threshold: 1, ..Settings::default() };
        let log = world.open_with("log", settings).unwrap();
        let all = events(300);
        for event in &all {
            log.append_lines(&format!("{event}\n")).unwrap();
            log.flush().unwrap();
        }
        let (found, position) = read_with(world, ReadOptions::default());
        assert_eq!(found, all);
        assert!(position.len() < 300 * 60, "{} bytes", position.len());
        log.append("later").unwrap();
        log.close().unwrap();
        assert_eq!(read_from(world, &position).events, ["later"]);
        world.compact("log").unwrap();
        assert_eq!(read_from(world, &position).events, ["later"]);
    });
}
