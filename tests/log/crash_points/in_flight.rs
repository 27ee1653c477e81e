//! Crashes of a writer with several creates in flight, on the store of a host: natively and by the
//! built component.

use rig::faults::{Call, Fault};
use rig::subject::{FULL, Log, NO_MERGE, Settings, World, events, on_both};
use rig::waits::until;
use stratalog::{Finding, Garbage, GarbageReason};

/// Opens a log of batches of one event.
fn open(world: &World) -> Log {
    world.open_with("log", Settings { flush_threshold: 1, ..Settings::default() }).unwrap()
}

/// Appends events, each in a batch whose create has started then.
fn append(log: &Log, events: &[String]) {
    for event in events {
        log.append_lines(&format!("{event}\n")).unwrap();
        assert_eq!(log.read_all().unwrap().last(), Some(event));
    }
}

fn batches(world: &World) -> Vec<String> {
    world.keys().into_iter().filter(|key| key.contains("/batch_")).collect()
}

/// Checks that a verification finds exactly these batches stranded, and nothing else.
fn strands(world: &World, batches: &[String]) {
    let findings = world.verify("log").unwrap().0.into_iter();
    let stranded = findings.map(|finding| match finding {
        Finding::Stranded(stranded) => stranded.object,
        other => panic!("{other:?}"),
    });
    assert_eq!(stranded.collect::<Vec<_>>(), batches);
}

/// The create of the first batch is in flight, and those of the next ones have ended.
#[test]
fn batches_behind_one_in_flight_are_hidden_until_it_lands() {
    for crashes in [false, true] {
        on_both(|world| {
            let log = open(world);
            world.faults.arm(Call::Create, [Fault::Stalls]);
            append(&log, &events(4));
            until("the creates of three batches", || batches(world).len() == 3);
            let hidden = batches(world);
            // No reader is shown them, no compaction absorbs them, and no trim covers them.
            let mut follower = world.start_read("log").unwrap();
            assert_eq!(follower.rest().unwrap(), Vec::<String>::new());
            assert_eq!(log.read_all().unwrap(), events(4));
            let stats = world.stat("log").unwrap();
            assert_eq!((stats.batches, stats.hidden_batches, stats.events), (0, 3, 0));
            strands(world, &hidden);
            let other = world.open("log");
            for event in ["one", "two"] {
                other.append(event).unwrap();
                other.flush().unwrap();
            }
            assert_eq!(world.compact_with("log", FULL).unwrap().batches, 2);
            assert_eq!(world.repair("log").unwrap(), 0);
            strands(world, &hidden);
            assert_eq!(batches(world), hidden);
            assert_eq!(follower.rest().unwrap(), ["one", "two"]);
            if crashes {
                drop(log);
                assert_eq!(batches(world), hidden);
                world.faulty.release();
                // Nothing was acknowledged. It may land all the same.
                until("the create of the first batch", || batches(world).len() == 4);
            } else {
                world.faulty.release();
                assert_eq!(log.flush().unwrap().events, 4);
            }
            strands(world, &[]);
            assert_eq!(follower.rest().unwrap(), events(4));
            assert_eq!(world.compact_with("log", NO_MERGE).unwrap().batches, 4);
            let mut all = vec!["one".to_owned(), "two".to_owned()];
            all.extend(events(4));
            assert_eq!(world.read("log").unwrap(), all);
            assert_eq!(follower.rest().unwrap(), Vec::<String>::new());
            assert_eq!(world.verify("log").unwrap(), (Vec::new(), 6));
        });
    }
}

/// A try of a batch lands when a later try has been absorbed.
#[test]
fn second_object_of_a_batch_that_lands_after_a_compaction_is_garbage() {
    for trims in [false, true] {
        on_both(|world| {
            let log = open(world);
            world.faults.arm(Call::Create, [Fault::Stalls, Fault::LandsLate]);
            append(&log, &events(2));
            world.faulty.release();
            // The second batch waits for no other any more.
            while log.flush().is_err() {}
            append(&log, &events(3)[2..]);
            assert_eq!(log.flush().unwrap().events, 3);
            world.compact_with("log", FULL).unwrap();
            if trims {
                world.trim("log", stratalog::TrimPoint::KeepEvents(1)).unwrap();
            }
            let left = if trims { &events(3)[2..] } else { &events(3)[..] };
            assert_eq!(batches(world), Vec::<String>::new());
            world.runtime.block_on(world.faulty.land());
            let late = batches(world);
            assert_eq!(late.len(), 1);
            assert_eq!(world.read("log").unwrap(), left);
            let findings = world.verify("log").unwrap().0;
            let [Finding::Garbage(Garbage { object, reason, .. })] = &findings[..] else {
                panic!("{findings:?}")
            };
            assert_eq!((object, *reason), (&late[0], GarbageReason::AbsorbedBatch));
            append(&log, &["more".to_owned()]);
            log.flush().unwrap();
            world.compact_with("log", FULL).unwrap();
            assert_eq!(batches(world), Vec::<String>::new());
            assert_eq!(world.read("log").unwrap().len(), left.len() + 1);
            assert_eq!(world.verify("log").unwrap().0, []);
        });
    }
}

/// A batch has two objects while it is live.
#[test]
fn both_objects_of_a_batch_are_read_as_one_and_removed_together() {
    for trims in [false, true] {
        on_both(|world| {
            let log = open(world);
            world.faults.arm(Call::Create, [Fault::Stalls, Fault::ReplyLost]);
            append(&log, &events(2));
            until("the create of the second batch", || batches(world).len() == 1);
            world.faulty.release();
            // It waits for the creates. A retry of the second then says that the first is stored.
            assert_eq!(log.file_count().unwrap(), 2);
            log.flush().unwrap();
            assert_eq!(batches(world).len(), 3);
            assert_eq!(world.read("log").unwrap(), events(2));
            let stats = world.stat("log").unwrap();
            assert_eq!((stats.objects, stats.batches, stats.events), (3, 2, 2));
            assert_eq!(world.verify("log").unwrap(), (Vec::new(), 2));
            if trims {
                world.trim("log", stratalog::TrimPoint::KeepEvents(0)).unwrap();
            } else {
                world.compact_with("log", FULL).unwrap();
            }
            assert_eq!(batches(world), Vec::<String>::new());
            assert_eq!(world.read("log").unwrap().len(), if trims { 0 } else { 2 });
            assert_eq!(world.verify("log").unwrap().0, []);
        });
    }
}
