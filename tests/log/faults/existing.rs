//! A store that answers "already exists".

use super::*;

#[test]
fn batch_reported_as_existing_counts_only_if_it_exists() {
    on_both(|world| {
        let log = world.open("log");
        log.append("event").unwrap();
        world.faults.arm(Call::Create, [Fault::SaysExists]);
        let failed = log.flush().unwrap_err();
        let Error::WriteFailed(WriteFailure { fate, events_pending, transient, message, .. }) =
            &failed
        else {
            panic!("{failed:?}");
        };
        assert_eq!((*fate, *events_pending, *transient), (WriteFate::Unknown, 1, true), "{failed}");
        assert!(message.contains("already exists, but does not return the object"), "{message}");
        assert_eq!(log.flush().unwrap().events, 1);
        assert_eq!(world.read("log").unwrap(), ["event"]);
        // A create that landed without a reply costs one lookup.
        log.append("second").unwrap();
        world.faults.arm(Call::Create, [Fault::ReplyLost]);
        log.flush().unwrap_err();
        world.faults.requests();
        assert_eq!(log.flush().unwrap().events, 2);
        let requests = world.faults.requests();
        let kinds: Vec<_> = requests.iter().map(|request| request.split(' ').next()).collect();
        assert_eq!(kinds, [Some("create"), Some("get")], "{requests:?}");
        assert_eq!(world.read("log").unwrap(), ["event", "second"]);
        log.close().unwrap();
    });
}

#[test]
fn batch_whose_name_is_taken_is_not_written_and_is_kept() {
    on_both(|world| {
        let log = world.open("log");
        log.append("event").unwrap();
        world.faults.arm(Call::Create, [Fault::Taken]);
        for _ in 0..2 {
            let failed = log.flush().unwrap_err();
            let Error::WriteFailed(WriteFailure {
                fate, events_pending, transient, message, ..
            }) = &failed
            else {
                panic!("{failed:?}");
            };
            assert_eq!((*fate, *events_pending, *transient), (WriteFate::Unknown, 1, false));
            assert!(message.contains("already exists with another content"), "{message}");
        }
        // An existing object is damage; once it is gone, the event gets its place.
        assert!(matches!(log.read_all(), Err(Error::Damaged(_))));
        world.delete(&world.keys().concat());
        assert_eq!(log.flush().unwrap().events, 1);
        assert_eq!(world.read("log").unwrap(), ["event"]);
        log.close().unwrap();
    });
}

#[test]
fn segment_or_index_reported_as_existing_counts_only_if_it_exists() {
    for fault in [Fault::SaysExists, Fault::Taken] {
        for at in 0..2 {
            on_both(|world| {
                let log = world.open("log");
                for event in events(3) {
                    log.append(&event).unwrap();
                    log.flush().unwrap();
                }
                world.faults.arm_after(at, Call::Create, fault);
                let failed = log.compact().unwrap_err();
                let fate = WriteFate::Unknown;
                assert!(
                    matches!(&failed, Error::WriteFailed(failure) if failure.fate == fate),
                    "{fault:?} {at}: {failed:?}"
                );
                assert_eq!(world.stat("log").unwrap().generation, 0);
                assert_eq!(log.read_all().unwrap(), events(3));
                if fault == Fault::Taken {
                    return;
                }
                assert_eq!(log.compact().unwrap().events, 3);
                assert_eq!(world.read("log").unwrap(), events(3));
            });
        }
    }
}

#[test]
fn batch_reported_as_existing_is_lost_without_the_check() {
    use stratalog_guest::mutants::{self, Mutant};
    let world = World::new(Kind::Native);
    let log = world.open("log");
    log.append("event").unwrap();
    world.faults.arm(Call::Create, [Fault::SaysExists]);
    mutants::set(Some(Mutant::TrustExisting));
    let flushed = log.flush();
    mutants::set(None);
    assert_eq!(flushed.unwrap().events, 1);
    assert!(world.keys().is_empty());
}
