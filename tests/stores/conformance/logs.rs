//! The behaviour of a log on every store, natively and by the component.

use std::sync::atomic::{AtomicBool, Ordering};

use rig::backends::{Need, Property};
use rig::subject::{World, events};
use stratalog::{Damage, Error, NoLog};

macro_rules! properties {
    ($($name:ident [$($need:ident),*]),* $(,)?) => {
        &[$(Property { name: stringify!($name), needs: &[$(Need::$need),*], holds: $name }),*]
    };
}

pub const PROPERTIES: &[Property<World>] = properties![
    life_of_a_log [Refusal],
    absent_log_is_reported_with_those_below_it [Refusal],
    logs_below_a_folder_are_found_by_their_names [],
    large_events_and_segments_in_parts [Refusal],
    batch_that_does_not_match_its_name_is_damage [],
    reader_next_to_a_compactor_and_a_writer_gets_each_event_once [Refusal],
    position_continues_after_compaction_and_trim [Refusal],
    reader_next_to_large_writes_gets_no_wrong_event [],
    object_cut_short_is_damage [],
    racing_compactors_commit_once_each_and_lose_nothing [Exclusive],
];

/// On stores without create-if-absent, without an option that vouches for a sole compactor.
pub const UNVOUCHED: &[Property<World>] =
    properties![compaction_is_refused_and_the_log_stays_whole[NoExclusive]];

fn absent_log_is_reported_with_those_below_it(world: &World) {
    let check = |expected: &[&str]| {
        let outcomes = [
            ("read", world.read("log").err()),
            ("stat", world.stat("log").err()),
            ("verify", world.verify("log").err()),
            ("compact", world.compact("log").err()),
            ("trim", world.trim("log", stratalog::TrimPoint::KeepEvents(1)).err()),
        ];
        for (call, outcome) in outcomes {
            match outcome {
                Some(Error::NoLog(NoLog { name, below, more })) => {
                    assert_eq!((&*name, more), ("log", false), "{call}");
                    assert_eq!(below, expected, "{call}");
                }
                outcome => panic!("{call}: {outcome:?}"),
            }
        }
    };
    check(&[]);
    world.put("log/notes.txt", "no log");
    world.put("log/batch_notes", "no batch");
    world.put("log/other/readme", "no log");
    check(&[]);
    let batch = "batch_0001600000000000001.jsonl";
    world.put(&format!("log/team/{batch}"), "old");
    world.put(&format!("log/other/deep/{batch}"), "old");
    world.put(&format!("logs/{batch}"), "next to it");
    check(&["log/other/deep", "log/team"]);
    // After this error, the pass continues with new events.
    let mut pages = world.start_read("log").unwrap();
    assert!(matches!(pages.rest(), Err(Error::NoLog(_))));
    assert_eq!(pages.rest().unwrap(), [""; 0]);
    // A handle opens a log that is not there, and maintains it.
    let log = world.open("log");
    assert_eq!(log.read_all().unwrap(), [""; 0]);
    assert_eq!(log.compact().unwrap().merged_files, 0);
    assert_eq!(log.file_count().unwrap(), 0);
    log.append("first").unwrap();
    log.close().unwrap();
    assert_eq!(pages.rest().unwrap(), ["first"]);
    assert_eq!(world.read("log").unwrap(), ["first"]);
    assert_eq!(world.stat("log").unwrap().objects, 1);
    assert!(world.verify("log").unwrap().0.is_empty());
}

fn logs_below_a_folder_are_found_by_their_names(world: &World) {
    let batch = "batch_0001600000000000001.jsonl";
    for log in ["a", "a/deep/er", "a.b", "team/one", "team/two"] {
        world.put(&format!("{log}/{batch}"), "old\n");
    }
    world.put("a/notes.txt", "foreign");
    world.put("other/notes.txt", "no log");
    let names = |folder: &str, shallow: bool| -> Vec<String> {
        world.logs(folder, shallow).unwrap().into_iter().map(|log| log.name).collect()
    };
    assert_eq!(names("", false), ["a.b", "a/deep/er", "a", "team/one", "team/two"]);
    assert_eq!(names("team", false), ["team/one", "team/two"]);
    assert_eq!(names("", true), ["a.b", "a"]);
    assert_eq!(names("team", true), ["team/one", "team/two"]);
    assert_eq!(names("other", false), [""; 0]);
    assert_eq!(names("absent", false), [""; 0]);
    let log = world.open("log");
    for number in 0..3 {
        world.clock.advance(10);
        log.append(&format!("event {number}")).unwrap();
        log.flush().unwrap();
    }
    let found = world.logs("", false).unwrap();
    let counts = found.iter().find(|found| found.name == "log").unwrap().counts.clone().unwrap();
    let stats = world.stat("log").unwrap();
    assert_eq!((counts.events, counts.batches), (Some(3), 3));
    assert_eq!((counts.bytes, counts.objects), (stats.bytes, stats.objects));
    assert_eq!(counts.first_batch_time, stats.first_time);
    assert_eq!(counts.last_batch_time, stats.last_time);
    let foreign = found.iter().find(|found| found.name == "a").unwrap().counts.clone().unwrap();
    assert_eq!((foreign.events, foreign.uncounted_batches), (None, 1));
    assert_eq!((foreign.foreign_objects, foreign.objects), (1, 1));
    log.close().unwrap();
}

fn life_of_a_log(world: &World) {
    assert_eq!(world.keys(), Vec::<String>::new());
    world.put("log/batch_0001600000000000001.jsonl", "old 1\nold 2");
    world.put("log/batch_0001600000000000002.jsonl", "\nold 3\n");
    let mut all: Vec<String> = ["old 1", "old 2", "old 3"].map(str::to_owned).to_vec();
    assert_eq!(world.read("log").unwrap(), all);

    let (one, two) = (world.open("log"), world.open("log"));
    for (number, batch) in events(40).chunks(5).enumerate() {
        let log = if number % 2 == 0 { &one } else { &two };
        world.clock.advance(10);
        log.append_lines(&(batch.join("\n") + "\n")).unwrap();
        log.flush().unwrap();
        all.extend(batch.iter().cloned());
        if number == 4 {
            let done = one.compact().unwrap();
            assert_eq!((done.merged_files, done.events), (7, 28));
        }
        assert_eq!(world.read("log").unwrap(), all);
    }
    world.clock.advance(10);
    one.append("pending").unwrap();
    all.push("pending".to_owned());
    assert_eq!(one.read_all().unwrap(), all);
    assert_eq!(one.close().unwrap().events, 21);
    assert_eq!(two.close().unwrap().events, 20);
    assert_eq!(world.compact("log").unwrap().merged_files, 4);
    assert_eq!(world.read("log").unwrap(), all);
    let stats = world.stat("log").unwrap();
    assert_eq!((stats.batches, stats.segments, stats.objects), (0, 2, 6));
    assert_eq!((stats.events, stats.generation), (44, 2));
}

fn large_events_and_segments_in_parts(world: &World) {
    let log = world.open("log");
    // More than one part of an upload.
    let all: Vec<String> = (0..20).map(|n| format!("{n:02}{}", "x".repeat(999_997))).collect();
    for batch in all.chunks(5) {
        log.append_lines(&(batch.join("\n") + "\n")).unwrap();
        log.flush().unwrap();
    }
    assert_eq!(log.compact().unwrap().events, 20);
    assert!(log.read_all().unwrap() == all, "the events differ");
    assert_eq!(world.stat("log").unwrap().bytes, 20_000_000);
}

fn batch_that_does_not_match_its_name_is_damage(world: &World) {
    let log = world.open("log");
    log.append("event").unwrap();
    log.close().unwrap();
    let key = world.keys().remove(0);
    world.put(&key, "tampered\n");
    let outcome = world.read("log");
    assert!(
        matches!(&outcome, Err(Error::Damaged(Damage { object, .. })) if *object == key),
        "{outcome:?}"
    );
}

fn reader_next_to_a_compactor_and_a_writer_gets_each_event_once(world: &World) {
    let log = world.open("log");
    let all = events(60);
    let mut read = Vec::new();
    let mut pages = world.start_read("log").unwrap();
    for (number, batch) in all.chunks(3).enumerate() {
        world.clock.advance(10);
        log.append_lines(&(batch.join("\n") + "\n")).unwrap();
        log.flush().unwrap();
        if number % 4 == 3 {
            log.compact().unwrap();
        }
        if number % 3 == 1 {
            read.extend(pages.rest().unwrap());
        }
    }
    read.extend(pages.rest().unwrap());
    assert_eq!(read, all);
}

fn position_continues_after_compaction_and_trim(world: &World) {
    let log = world.open("log");
    let all = events(12);
    for event in &all[..6] {
        log.append(event).unwrap();
        log.flush().unwrap();
    }
    let mut pages = world.start_read("log").unwrap();
    assert_eq!(pages.rest().unwrap(), all[..6]);
    let position = pages.position();
    for event in &all[6..] {
        world.clock.advance(10);
        log.append(event).unwrap();
        log.flush().unwrap();
    }
    log.compact().unwrap();
    world.trim("log", stratalog::TrimPoint::KeepEvents(8)).unwrap();
    assert_eq!(world.read("log").unwrap(), all[4..]);
    let mut rest = world.start_read_from("log", &position).unwrap();
    assert_eq!(rest.rest().unwrap(), all[6..]);
}

fn racing_compactors_commit_once_each_and_lose_nothing(world: &World) {
    let log = world.open("log");
    let all = events(30);
    for event in &all {
        log.append(event).unwrap();
        log.flush().unwrap();
    }
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| world.compact("log"))).collect();
        let mut merged = 0;
        for run in runs {
            match run.join().unwrap() {
                Ok(done) => merged += done.events,
                Err(Error::Conflict(_)) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(merged, 30);
    });
    assert_eq!(world.read("log").unwrap(), all);
    world.compact("log").unwrap();
    let stats = world.stat("log").unwrap();
    assert_eq!((stats.segments, stats.objects), (1, 3));
}

/// Stores may show an object during its write. Then an error is right, and wrong events are not.
fn reader_next_to_large_writes_gets_no_wrong_event(world: &World) {
    let all: Vec<String> = (0..60).map(|n| format!("{n:02}{}", "y".repeat(499_997))).collect();
    let is_written = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let log = world.open("log");
            for batch in all.chunks(6) {
                world.clock.advance(10);
                log.append_lines(&(batch.join("\n") + "\n")).unwrap();
                log.flush().unwrap();
            }
            is_written.store(true, Ordering::SeqCst);
        });
        while !is_written.load(Ordering::SeqCst) {
            match world.read("log") {
                Ok(read) => assert!(all.starts_with(&read), "{} wrong events", read.len()),
                // Its first batch may not be there yet.
                Err(Error::Damaged(_) | Error::StoreFailed(_) | Error::NoLog(_)) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
    });
    assert!(world.read("log").unwrap() == all, "the events differ");
}

fn object_cut_short_is_damage(world: &World) {
    let log = world.open("log");
    log.append_lines("one\ntwo\nthree\n").unwrap();
    log.close().unwrap();
    let key = world.keys().remove(0);
    for torn in ["", "one\n", "one\ntwo\nthr"] {
        world.put(&key, torn);
        let outcome = world.read("log");
        let is_damage =
            matches!(&outcome, Err(Error::Damaged(Damage { object, .. })) if *object == key);
        assert!(is_damage, "{torn:?}: {outcome:?}");
    }
}

fn compaction_is_refused_and_the_log_stays_whole(world: &World) {
    let log = world.open("log");
    let all = events(6);
    for event in &all {
        log.append(event).unwrap();
        log.flush().unwrap();
    }
    let refused = world.compact("log");
    assert!(matches!(refused, Err(Error::Unsupported(_))), "{refused:?}");
    assert_eq!(world.read("log").unwrap(), all);
    assert_eq!(world.keys().len(), 6);
}
