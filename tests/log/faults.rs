//! A store that fails. After each failure and a retry, every event is there once and in order. The
//! failed flush has reported the fate of the write.

use std::sync::Arc;

use rig::faults::{Call, Fault};
use rig::faulty::Faulty;
use rig::subject::{Kind, Settings, World, events, on_both};
use rig::waits::until;
use stratalog::store::{ConditionalCreate, Store};
use stratalog::{Error, StoreFailure, WriteFailure, WriteFate};

mod existing;

/// Flushes three events into the fault, then retries. Every event must be there once.
fn check_flush(fault: Fault, fate: WriteFate, text: &str) {
    on_both(|world| {
        let log = world.open("log");
        let all = events(6);
        for event in &all[..3] {
            log.append(event).unwrap();
        }
        world.faults.arm(Call::Create, [fault]);
        let failed = log.flush().unwrap_err();
        let Error::WriteFailed(WriteFailure {
            object, fate: found, events_pending, message, ..
        }) = &failed
        else {
            panic!("{failed:?}");
        };
        assert_eq!((*found, *events_pending), (fate, 3));
        assert!(object.starts_with("log/batch_") && object.contains("_3_"), "{object}");
        assert!(failed.to_string().contains(text), "{failed}");
        assert_eq!(failed.to_string().matches("log/batch_").count(), 1, "{failed}");
        assert!(message.contains("faulty"), "{message}");
        assert_eq!(log.read_all().unwrap(), all[..3], "before the retry");
        for event in &all[3..] {
            log.append(event).unwrap();
        }
        // A create that lands late may do so before or after the retry.
        if world.kind == Kind::Native {
            world.runtime.block_on(world.faulty.land());
        }
        assert_eq!(log.flush().unwrap().events, 6);
        world.runtime.block_on(world.faulty.land());
        assert_eq!(log.read_all().unwrap(), all);
        assert_eq!(world.read("log").unwrap(), all);
        assert_eq!(log.file_count().unwrap(), 2);
        log.compact().unwrap();
        assert_eq!(world.read("log").unwrap(), all);
    });
}

#[test]
fn create_that_is_refused_was_not_written() {
    check_flush(Fault::Refused, WriteFate::NotWritten, "the object was not written");
}

#[test]
fn create_that_is_lost_has_an_unknown_fate() {
    check_flush(Fault::Lost, WriteFate::Unknown, "the object may have been written");
}

#[test]
fn create_whose_reply_is_lost_is_unknown_and_counts_once() {
    check_flush(Fault::ReplyLost, WriteFate::Unknown, "the object may have been written");
}

#[test]
fn create_that_lands_late_has_an_unknown_fate_and_counts_once() {
    check_flush(Fault::LandsLate, WriteFate::Unknown, "the object may have been written");
}

#[test]
fn many_failures_in_a_row_keep_everything_in_order() {
    on_both(|world| {
        let log = world.open("log");
        let all = events(8);
        let faults =
            [Fault::Refused, Fault::ReplyLost, Fault::Lost, Fault::LandsLate, Fault::Refused];
        for (event, fault) in all.iter().zip(faults) {
            log.append(event).unwrap();
            world.faults.arm(Call::Create, [fault]);
            // If the previous batch landed without a reply, the retry finds it and the fault waits.
            log.flush().ok();
            assert_eq!(log.read_all().unwrap().last(), Some(event));
        }
        for event in &all[faults.len()..] {
            log.append(event).unwrap();
        }
        while log.flush().is_err() {}
        world.runtime.block_on(world.faulty.land());
        assert_eq!(world.read("log").unwrap(), all);
        assert_eq!(log.close().unwrap().events, 8);
    });
}

#[test]
fn get_that_fails_is_an_error_and_the_pass_resumes() {
    on_both(|world| {
        let log = world.open("log");
        let all = events(6);
        for event in &all {
            log.append(event).unwrap();
            log.flush().unwrap();
        }
        // The read gets many objects concurrently, so any of them may fail.
        world.faults.arm(Call::Get, [Fault::Lost]);
        let mut pages = log.start_read_all().unwrap();
        let mut read = Vec::new();
        let mut failures = 0;
        loop {
            match pages.next_page() {
                Ok(Some(page)) => read.extend(page),
                Ok(None) => break,
                Err(Error::StoreFailed(StoreFailure { message, transient: true })) => {
                    failures += 1;
                    assert!(message.starts_with("cannot read "), "{message}");
                    assert!(message.contains("log/batch_"), "{message}");
                }
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!((read, failures), (all, 1));
    });
}

#[test]
fn list_that_fails_is_an_error_and_changes_nothing() {
    on_both(|world| {
        world.faults.arm(Call::List, [Fault::Lost]);
        let failed = world.open_with("log", Settings::default()).err();
        assert!(matches!(failed, Some(Error::StoreFailed(_))), "{failed:?}");
        let log = world.open("log");
        for event in events(2) {
            log.append(&event).unwrap();
            log.flush().unwrap();
        }
        let mut all = events(2);
        // The listings of a load. There is one more if a batch without a number is listed.
        for lists in [2, 3] {
            if lists == 3 {
                world.put("log/batch_0001600000000000001.jsonl", "legacy\n");
                all.insert(0, "legacy".to_owned());
            }
            for before in 0..lists {
                let mut pages = log.start_read_all().unwrap();
                world.faults.arm_after(before, Call::List, Fault::Lost);
                let failed = pages.next_page();
                let Err(Error::StoreFailed(StoreFailure { message, .. })) = &failed else {
                    panic!("{failed:?}");
                };
                assert!(message.starts_with("cannot list "), "{message}");
                assert!(message.contains("log/"), "{message}");
                assert_eq!(pages.rest().unwrap(), all);
            }
        }
        world.faults.arm(Call::List, [Fault::Lost]);
        assert!(matches!(log.compact(), Err(Error::StoreFailed(_))));
        world.faults.arm(Call::List, [Fault::Lost]);
        assert!(matches!(world.stat("log"), Err(Error::StoreFailed(_))));
        assert_eq!(log.compact().unwrap().events, 3);
        assert_eq!(log.read_all().unwrap(), all);
    });
}

#[test]
fn deletes_that_fail_are_a_warning_and_not_a_failure() {
    on_both(|world| {
        // Of its own name, since the warnings of the component are those of all tests.
        let log = world.open("deletes-fail");
        for event in events(3) {
            log.append(&event).unwrap();
            log.flush().unwrap();
        }
        world.faults.arm(Call::Delete, [Fault::Lost; 2]);
        assert_eq!(log.compact().unwrap().merged_files, 3);
        world.await_warning("cannot delete 2 of 3 objects, first deletes-fail/");
        assert_eq!(log.read_all().unwrap(), events(3));
    });
}

#[test]
fn commit_whose_fate_is_unknown_is_retried_and_happens_once() {
    for fault in [Fault::ReplyLost, Fault::Lost] {
        on_both(|world| {
            let log = world.open("log");
            for event in events(3) {
                log.append(&event).unwrap();
                log.flush().unwrap();
            }
            // Segment, index, and then the manifest.
            world.faults.arm_after(2, Call::Create, fault);
            assert_eq!(log.compact().unwrap().events, 3);
            assert_eq!(log.read_all().unwrap(), events(3));
            assert_eq!(world.stat("log").unwrap().generation, 1);
            assert_eq!(world.keys().len(), 3);
        });
    }
}

#[test]
fn commit_whose_manifest_is_gone_afterwards_keeps_its_segment() {
    on_both(|world| {
        let log = world.open("log");
        for event in events(3) {
            log.append(&event).unwrap();
            log.flush().unwrap();
        }
        // The commit lands without a reply. The retry finds that it exists. The check of its
        // creator finds it gone, as if others had compacted long before. They would have kept its
        // segment.
        world.faults.arm_after(2, Call::Create, Fault::ReplyLost);
        world.faults.arm_after(3, Call::Get, Fault::NotFound);
        assert_eq!(log.compact().unwrap().events, 0);
        assert_eq!(world.stat("log").unwrap().segments, 1);
        assert_eq!(log.read_all().unwrap(), events(3));
    });
}

#[test]
fn commit_that_lands_after_its_compactor_gave_up_is_a_commit() {
    on_both(|world| {
        let log = world.open("log");
        for event in events(3) {
            log.append(&event).unwrap();
            log.flush().unwrap();
        }
        // The manifest's create and both retries of it.
        world.faults.arm_after(2, Call::Create, Fault::LandsLate);
        world.faults.arm(Call::Create, [Fault::LandsLate; 2]);
        let failed = log.compact().unwrap_err();
        assert!(
            matches!(failed, Error::WriteFailed(WriteFailure { fate: WriteFate::Unknown, .. })),
            "{failed:?}"
        );
        assert_eq!(log.read_all().unwrap(), events(3));
        world.runtime.block_on(world.faulty.land());
        assert_eq!(world.stat("log").unwrap().generation, 1);
        assert_eq!(log.read_all().unwrap(), events(3));
        log.append("later").unwrap();
        log.flush().unwrap();
        log.compact().unwrap();
        assert_eq!(log.read_all().unwrap().len(), 4);
    });
}

#[test]
fn compaction_that_fails_before_its_commit_changes_nothing() {
    // The segment, its index, the manifest.
    for at in 0..3 {
        on_both(|world| {
            let log = world.open("log");
            for event in events(3) {
                log.append(&event).unwrap();
                log.flush().unwrap();
            }
            let before = world.keys();
            world.faults.arm_after(at, Call::Create, Fault::Refused);
            let failed = log.compact().unwrap_err();
            let fate = WriteFate::NotWritten;
            assert!(
                matches!(&failed, Error::WriteFailed(WriteFailure { fate: f, .. }) if *f == fate),
                "{failed:?}"
            );
            assert_eq!(world.keys(), before, "request {at}");
            assert_eq!(log.read_all().unwrap(), events(3));
            assert_eq!(log.compact().unwrap().events, 3);
        });
    }
}

#[test]
fn full_buffer_waits_for_the_store_and_refuses_when_the_store_does() {
    on_both(|world| {
        let settings =
            Settings { buffer_bytes_max: 40, event_bytes_max: 39, ..Settings::default() };
        let log = world.open_with("log", settings).unwrap();
        // The buffer has room for two of these, and the store accepts nothing.
        world.faults.arm(Call::Create, [Fault::Refused; 1000]);
        let mut taken = Vec::new();
        let refused = loop {
            let event = format!("event number {:06}", taken.len());
            match log.append_lines(&format!("{event}\n")) {
                Ok(_) => taken.push(event),
                Err(error) => break error,
            }
            assert!(taken.len() < 100, "memory grows without bound");
        };
        let fate = WriteFate::NotWritten;
        assert!(
            matches!(&refused, Error::WriteFailed(WriteFailure { fate: f, .. }) if *f == fate),
            "{refused:?}"
        );
        assert!(matches!(log.flush(), Err(Error::WriteFailed(WriteFailure { events_pending, .. }))
            if events_pending == u64::try_from(taken.len()).unwrap()));
        world.faults.disarm();
        while log.flush().is_err() {}
        assert_eq!(world.read("log").unwrap(), taken);
    });
}

#[test]
fn appends_made_while_all_creates_are_in_flight_share_the_next_batch() {
    for creates_max in [1, 4] {
        on_both(|world| {
            let settings = Settings { flush_threshold: 2, creates_max, ..Settings::default() };
            let log = world.open_with("log", settings).unwrap();
            let creates = usize::try_from(creates_max).unwrap();
            world.faults.arm(Call::Create, vec![Fault::Stalls; creates]);
            let all = events(creates * 2 + 7);
            for pair in all[..creates * 2].chunks(2) {
                pair.iter().for_each(|event| _ = log.append_lines(&format!("{event}\n")).unwrap());
                // They are sealed and in flight.
                log.read_all().unwrap();
            }
            assert_eq!(log.read_all().unwrap(), all[..creates * 2]);
            for event in &all[creates * 2..] {
                log.append_lines(&format!("{event}\n")).unwrap();
            }
            assert_eq!(log.read_all().unwrap(), all);
            let started = world.faults.requests().into_iter();
            let started = started.filter(|request| request.starts_with("create ")).count();
            assert!(started <= creates, "{started}");
            (0..creates).for_each(|_| world.faulty.release());
            assert_eq!(log.flush().unwrap().batches, u64::from(creates_max) + 1);
            assert_eq!(world.read("log").unwrap(), all);
        });
    }
}

#[test]
fn appends_made_while_another_create_may_start_do_not_wait() {
    on_both(|world| {
        let settings = Settings { flush_threshold: 2, ..Settings::default() };
        let log = world.open_with("log", settings).unwrap();
        world.faults.arm(Call::Create, [Fault::Stalls]);
        let all = events(6);
        for pair in all.chunks(2) {
            pair.iter().for_each(|event| _ = log.append_lines(&format!("{event}\n")).unwrap());
            assert_eq!(log.read_all().unwrap().last(), pair.last());
        }
        until("the creates behind the first", || world.keys().len() == 2);
        // They are behind one that is not stored.
        assert_eq!(world.read("log").unwrap(), Vec::<String>::new());
        world.faulty.release();
        let written = log.flush().unwrap();
        assert_eq!((written.batches, written.events), (3, 6));
        assert_eq!(world.read("log").unwrap(), all);
    });
}

#[test]
fn compact_without_create_if_absent_is_refused_before_any_work() {
    for kind in [Kind::Native, Kind::Component] {
        let faulty = Faulty::default();
        let without = ConditionalCreate::Absent;
        let store = Store::from_object_store(Arc::new(faulty.clone()), "plain", without);
        let world = World::on(kind, store.clone());
        let log = world.open("log");
        for event in events(3) {
            log.append(&event).unwrap();
            log.flush().unwrap();
        }
        let before = world.keys();
        let refused = log.compact().unwrap_err();
        assert!(
            matches!(&refused, Error::Unsupported(why) if why.contains("--sole-compactor")),
            "{refused:?}"
        );
        assert_eq!(world.keys(), before);
        assert_eq!(world.read("log").unwrap(), events(3));
        let world = World::on(kind, store.with_sole_compactor(true));
        assert_eq!(world.compact("log").unwrap().events, 3);
        assert_eq!(world.read("log").unwrap(), events(3));
    }
}

#[test]
fn write_once_in_doubt_stays_in_doubt_until_it_is_confirmed() {
    on_both(|world| {
        let log = world.open("log");
        log.append("event").unwrap();
        world.faults.arm(Call::Create, [Fault::ReplyLost, Fault::Refused]);
        for _ in 0..2 {
            let failed = log.flush().unwrap_err();
            let fate = WriteFate::Unknown;
            assert!(
                matches!(&failed, Error::WriteFailed(WriteFailure { fate: f, .. }) if *f == fate),
                "{failed:?}"
            );
        }
        assert_eq!(log.flush().unwrap().events, 1);
        assert_eq!(world.read("log").unwrap(), ["event"]);
    });
}
