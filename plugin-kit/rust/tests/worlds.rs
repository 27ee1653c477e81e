//! The worlds of tests: what a plugin gets there, and what stays apart.
#![cfg(feature = "testing")]

use std::time::Duration;

use stratalog_plugin::testing::{Right, World};
use stratalog_plugin::wit::append_log;
use stratalog_plugin::wit::types::{Error as Cause, WriteFate};
use stratalog_plugin::{Error, Log, Reader};

/// Opens a log and appends an event to it.
fn appended(event: &str) -> Result<Log, Error> {
    let log = Log::open("errors")?;
    log.append(event)?;
    Ok(log)
}

fn granted() -> World {
    let world = World::new();
    world.grant("errors");
    world
}

#[test]
fn worlds_of_threads_and_of_tests_are_apart() {
    let world = granted();
    let log = appended("one").unwrap();
    let log = std::thread::spawn(move || {
        let denied = log.flush().unwrap_err().to_string();
        assert!(denied.ends_with("this thread has no world: make one first, with `World::new()`"));
        let other = granted();
        assert!(log.flush().unwrap_err().to_string().contains("not of the current world"));
        appended("two").unwrap().close().unwrap();
        assert_eq!(other.events("errors"), ["two"]);
        log
    });
    log.join().unwrap().flush().unwrap();
    assert_eq!(world.events("errors"), ["one"]);
    drop(world);
    assert!(matches!(Log::open("errors").unwrap_err().cause(), Cause::Denied(_)));
}

#[test]
fn plugin_learns_the_label_and_not_the_log() {
    let world = World::new();
    world.grant_log("errors", "team/app", &[Right::Append, Right::Read]);
    let log = appended("one").unwrap();
    world.lose_replies(1);
    let Cause::WriteFailed(failure) = log.flush().unwrap_err().cause().clone() else { panic!() };
    assert!(failure.object.starts_with("errors/batch_"), "{}", failure.object);
    assert!(matches!(failure.fate, WriteFate::Unknown) && failure.transient);
    let said = "the store of the log errors did not confirm a write: see the host's messages";
    assert_eq!((failure.message.as_str(), failure.events_pending), (said, 1));
    log.close().unwrap();
    assert_eq!(world.damage("errors"), failure.object);
    let damaged = Reader::open("errors").unwrap().events().next().unwrap().unwrap_err();
    assert!(damaged.to_string().contains(&format!("{} is damaged", failure.object)), "{damaged}");
}

#[test]
fn right_that_is_taken_back_denies_the_next_call() {
    let world = granted();
    world.grant("other");
    let log = appended("one").unwrap();
    world.deny("errors", Right::Append);
    let denied = log.append("two").unwrap_err().to_string();
    let said = "log.append on the log errors needs the right to append; granted: read";
    assert_eq!(denied, format!("cannot append to the log \"errors\": {said}"));
    assert!(!log.tick() && log.pending().lines.is_empty());
    world.deny("errors", Right::Read);
    let said = "read on the log errors needs the right to read; granted: nothing";
    assert!(Reader::open("errors").unwrap_err().to_string().ends_with(said));
    // The test itself needs no right.
    world.end();
    assert_eq!(world.events("errors"), ["one"]);
    Log::open("other").unwrap();
}

#[test]
fn dropped_handle_is_flushed_twice_at_most() {
    for (failures, lost, stored) in [(1, 0, 1), (2, 1, 0)] {
        let world = granted();
        let log = appended("one").unwrap();
        world.fail_creates(failures);
        drop(log);
        assert_eq!(world.events("errors").len(), stored, "{failures}");
        assert_eq!(world.end().len(), lost, "{failures}");
        assert!(world.end().is_empty());
    }
}

#[test]
fn plugin_that_ends_leaves_no_open_log() {
    let world = granted();
    let log = appended("one").unwrap();
    world.fail_creates(1);
    assert_eq!(world.end(), ["errors"]);
    assert!(world.events("errors").is_empty());
    assert!(log.append("two").unwrap_err().to_string().contains("its plugin has ended"));
}

#[test]
fn call_beyond_a_limit_is_refused_once() {
    let world = granted();
    let log = appended("one").unwrap();
    world.limit_calls(1);
    let limited = log.append("two").unwrap_err();
    let said = "log.append on the log errors: calls_per_second = 1,000,000 is reached; raise it with --calls-per-second";
    assert!(limited.is_transient() && limited.to_string().ends_with(said), "{limited}");
    log.append("two").unwrap();
    log.close().unwrap();
    assert_eq!(world.events("errors"), ["one", "two"]);
}

#[test]
fn handles_of_a_crashed_plugin_are_gone() {
    let world = granted();
    let log = appended("one").unwrap();
    world.crash();
    let gone = log.flush().unwrap_err().to_string();
    assert!(gone.contains("its plugin has ended: open the log again"), "{gone}");
    drop(log);
    assert!(world.events("errors").is_empty());
}

#[test]
fn faults_hit_the_plugin_and_not_the_test() {
    let world = granted();
    appended("one").unwrap().close().unwrap();
    world.fail_reads(1);
    assert_eq!(world.events("errors"), ["one"]);
    let failed = Reader::open("errors").unwrap().events().next().unwrap().unwrap_err();
    assert!(failed.is_transient());
    assert_eq!(Reader::open("errors").unwrap().events().count(), 1);
}

#[test]
fn clock_moves_only_when_the_test_moves_it() {
    let world = granted();
    let before = world.now();
    let log = appended("one").unwrap();
    log.close().unwrap();
    assert!(world.now().duration_since(before).unwrap() < Duration::from_millis(1));
    world.advance(Duration::from_secs(3600));
    let moved = world.now().duration_since(before).unwrap();
    assert!(moved >= Duration::from_secs(3600) && moved < Duration::from_secs(3601));
    let time = Reader::open("errors").unwrap().events().next().unwrap().unwrap().time.unwrap();
    assert!(time.duration_since(before).unwrap() < Duration::from_millis(1));
}

#[test]
#[should_panic(expected = "\".errors\" is not a label for a log: use 1 to 64 letters")]
fn label_that_is_not_valid_panics() {
    World::new().grant(".errors");
}

#[test]
#[should_panic(expected = "no log is granted under the label \"errors\"; granted: other")]
fn label_that_is_not_granted_panics() {
    let world = World::new();
    world.grant("other");
    world.events("errors");
}

#[test]
fn verification_and_compaction_name_objects_below_the_label() {
    let world = World::new();
    world.grant_log("errors", "team/app", &Right::ALL);
    for event in ["one", "two"] {
        appended(event).unwrap().close().unwrap();
    }
    world.fail_deletes(1);
    let log = Log::open("errors").unwrap();
    assert!(log.compact().unwrap().new_key.unwrap().starts_with("errors/segment_"));
    let verifier = append_log::verify("errors").unwrap();
    let mut found = Vec::new();
    while let Some(checked) = verifier.next().unwrap() {
        found.extend(checked.findings.iter().map(|finding| format!("{finding:?}")));
    }
    assert!(found.len() == 2 && found.iter().all(|it| it.contains("\"errors/")), "{found:?}");
}
