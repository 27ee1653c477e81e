//! Answers between the host and an S3 server that do not come from the store. They never make
//! the host or the adapter take a log for shorter than it is, or delete any of it.

use rig::subject::FULL;

use super::*;

/// The answer of an S3 server that fails late, with the status 200.
const ERROR: &str = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>";
const LOGIN_PAGE: &str = "<html xmlns=\"http://www.w3.org/1999/xhtml\"><body>Sign in</body></html>";

/// An event for each batch.
const EVENTS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

fn append(world: &World, events: &[&str]) {
    let log = world.open("log");
    for event in events {
        log.append(event).unwrap();
        log.flush().unwrap();
    }
    log.close().unwrap();
}

#[track_caller]
fn assert_is_reported<T: std::fmt::Debug>(name: &str, done: Result<T, Error>) {
    let Err(Error::StoreFailed(StoreFailure { message, .. })) = &done else {
        panic!("{name}: {done:?}")
    };
    // "the server's answer is" by the host, and "the answer is" by the adapter.
    assert!(message.contains("answer is not a listing"), "{name}: {message}");
}

#[test]
fn log_whose_listing_is_a_lie_is_not_taken_for_empty() {
    on_each_server(|wire| {
        let place = wire.place();
        let world = wire.world_at(&place, Tries::many(WireFault::None));
        let store = wire.store_at(&place, Tries::many(WireFault::None));
        append(&world, &EVENTS[..4]);
        world.compact("log").unwrap();
        append(&world, &EVENTS[4..]);
        let before = store.list("log/", None, 100).unwrap();
        // For all listings, and for those of the manifests alone.
        for (lie, part) in [(ERROR, ""), (LOGIN_PAGE, ""), (ERROR, "manifest_")] {
            wire.proxy.play(move |seen| match seen.is_list() && seen.target.contains(part) {
                true => WireFault::Lie(lie),
                false => WireFault::None,
            });
            assert_is_reported("read", world.read("log"));
            assert_is_reported("stat", world.stat("log"));
            assert_is_reported("compact", world.compact_with("log", FULL));
            // But for the objects of a probe, which are the first that an instance writes.
            let deleted = wire.proxy.seen().iter().any(|(seen, _)| seen.method == "DELETE");
            assert!(!deleted, "something was deleted");
        }
        wire.proxy.play(|_| WireFault::None);
        assert_eq!(store.list("log/", None, 100).unwrap(), before);
        assert_eq!(world.read("log").unwrap(), EVENTS);
    });
}

#[test]
fn listing_that_lost_its_token_is_not_taken_for_all() {
    let Some(server) = require_or_skip(shared_moto()) else { return };
    for client in [Client::Host, Client::Adapter] {
        let wire = Wire::before(server, client);
        let store = wire.store(Tries::many(WireFault::None));
        for event in EVENTS {
            store.create(&format!("log/{event}"), event.into(), false).unwrap();
        }
        assert!(store.list("log/", None, 4).unwrap().more);
        wire.proxy.play(|_| WireFault::DropElement("NextContinuationToken"));
        let error = store.list("log/", None, 4).unwrap_err();
        assert_eq!(error.kind, Kind::Other, "{error}");
        assert!(error.message.contains("continuation token"), "{error}");
    }
}

#[test]
fn upload_whose_end_is_answered_by_an_error_is_checked_by_a_get() {
    const FAILED: &str = "<Error><Code>InternalError</Code></Error>";
    on_each_server(|wire| {
        let upload = |store: &dyn Objects| {
            let mut upload = store.start_upload("log/a").unwrap();
            upload.write(vec![7; 9_000_000].into()).unwrap();
            upload.finish()
        };
        let is_end = |seen: &Seen| seen.method == "POST" && seen.target.contains("uploadId");
        // The operation was done. The repeated request finds no upload any more, and the lookup
        // finds the object.
        let mut faults = vec![WireFault::DoneButLie(FAILED)];
        wire.proxy.play(move |seen| match is_end(seen) {
            true => faults.pop().unwrap_or(WireFault::None),
            false => WireFault::None,
        });
        upload(&*wire.store(Tries::within(60))).unwrap();
        assert_eq!(wire.proxy.faults(), 1);
        // The operation was not done, and no answer reveals it.
        wire.each([FAILED, ERROR], |wire, lie| {
            let store = wire.store(Tries::few(1));
            wire.proxy
                .play(move |seen| if is_end(seen) { WireFault::Lie(lie) } else { WireFault::None });
            let fate = upload(&*store);
            assert!(matches!(fate, Err(WriteError::Unknown(_))), "{fate:?}");
            wire.proxy.play(|_| WireFault::None);
            assert_eq!(wire.get(&*store, "log/a"), Err(Kind::NotFound));
        });
    });
}

#[test]
fn objects_are_deleted_only_if_the_server_confirms_it() {
    on_each_server(|wire| {
        let store = wire.store(Tries::many(WireFault::None));
        wire.create(&*store, "log/a").unwrap();
        wire.proxy.play(|seen| match seen.method.as_str() {
            "POST" => WireFault::Lie(LOGIN_PAGE),
            _ => WireFault::None,
        });
        let failures = store.delete(&["log/a"]);
        assert_eq!(failures.len(), 1);
        assert!(failures[0].error.message.contains("the root element is <html>"), "{failures:?}");
        wire.proxy.play(|_| WireFault::None);
        assert_eq!(wire.get(&*store, "log/a").unwrap(), "bytes");
    });
}
