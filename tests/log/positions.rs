//! The positions of readers. They stay valid in every case, and a reader that a trim overtook gets
//! the exact number of missed events. On the logic run natively and on the built component.

use rig::faults::{Call, Fault};
use rig::passes::Rest;
use rig::subject::{FAN_IN_2, FULL, Settings, World, append_all, events, on_both};
use stratalog::{Error, TrimPoint};
use stratalog_guest::decide::options::CompactInput;
use stratalog_guest::drive::reader::ReadOptions;

mod removal;
mod trims;

/// Appends a batch by its own handle, a second after the last.
fn append(world: &World, events: &[String]) {
    world.clock.advance(1_000_000);
    let log = world.open("log");
    append_all(&log, events);
    log.close().unwrap();
}

/// Reads from a start, or with other options.
fn read_with(world: &World, options: ReadOptions) -> (Vec<String>, String) {
    let mut pages = world.start_read_with("log", options).unwrap();
    let rest = pages.rest_and_missed().unwrap();
    assert_eq!(rest.missed, 0);
    (rest.events, pages.position())
}

/// Returns a position without the identity of its log.
fn number(position: &str) -> &str {
    position.split_once('@').map_or(position, |(_, number)| number)
}

fn read_from(world: &World, position: &str) -> Rest {
    world.start_read_from("log", position).unwrap().rest_and_missed().unwrap()
}

/// Returns the positions before the first and behind each of the stored events, by passes of one
/// event each.
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
fn position_resumes_where_it_was_taken_after_any_compaction() {
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
        assert_eq!(number(&end), stored.to_string());
    });
}

#[test]
fn passes_with_a_limit_yield_each_event_once_across_compactions() {
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
            assert_eq!(found, all, "{limit} in one read");
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
            // Some batches are found live, some in a segment.
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
        assert_eq!(number(&pages.position()), "40");
    });
}

#[test]
fn batch_that_appears_before_a_yielded_one_is_yielded_once() {
    on_both(|world| {
        let slow = world.open("log");
        slow.append("slow").unwrap();
        world.faults.arm(Call::Create, [Fault::LandsLate]);
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
        assert_eq!(number(&pages.position()), "2");
        slow.close().unwrap();
    });
}

/// Makes a log with two segments, of six and five events, one legacy batch and four live events.
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
fn last_begins_at_the_last_events_and_continues_with_later_ones() {
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
fn last_counts_events_of_legacy_batches() {
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
fn since_and_until_select_batches_by_time_and_pass_the_others() {
    on_both(|world| {
        let all = log_of_15(world);
        let start = 1_700_000_000_000_000;
        // The time of each batch, and the end of its events.
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
            assert_eq!(number(position), passed.to_string());
            assert_eq!(read_from(world, position).events, all[passed..]);
        }
        // A limit that is larger than all of them merges them into one.
        assert_eq!(world.compact_with("log", FULL).unwrap().segments, 5);
        assert_eq!(world.stat("log").unwrap().segments, 1);
        assert_eq!(world.read("log").unwrap(), all);
    });
}

#[test]
fn invalid_position_and_conflicting_options_are_refused() {
    on_both(|world| {
        append(world, &events(1));
        let refused = |options| match world.start_read_with("log", options) {
            Err(Error::InvalidInput(message)) => message,
            _ => panic!("it was taken"),
        };
        let start = |text: &str| ReadOptions { start: Some(text.into()), ..<_>::default() };
        assert!(refused(start("7\u{1b}[2J")).starts_with("invalid position \"7\\u{1b}[2J\"; "));
        assert!(refused(ReadOptions { last: Some(1), ..start("0") }).contains("give one of them"));
        let beyond = world.start_read_with("log", start("1")).unwrap().rest();
        assert!(
            matches!(&beyond, Err(Error::InvalidInput(why)) if why.contains("a position of this log")),
            "{beyond:?}"
        );
        let trim = world.trim("log", TrimPoint::Position("x".to_owned()));
        assert!(matches!(trim, Err(Error::InvalidInput(_))), "{trim:?}");
        let trim = world.trim("log", TrimPoint::Position("2".to_owned()));
        assert!(
            matches!(&trim, Err(Error::InvalidInput(why)) if why.contains("of the log log, position 1;")),
            "{trim:?}"
        );
    });
}

#[test]
fn position_of_many_live_batches_is_short_enough_to_be_taken_back() {
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
