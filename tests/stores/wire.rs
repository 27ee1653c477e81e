//! Faults on the wire to an S3 server, made by a proxy. Neither the host nor the adapter of a
//! bucket is ever wrong about a write, and a log on it has each event once, in order.
//!
//! The adapter differs in two things, for all faults. It has no number of retries: it retries until
//! the time limit of the operation. And its attempts end by silence after a third of that time.

use std::thread;

use bytes::Bytes;
use rig::faults::{Silence, WireFault};
use rig::objects::{HostObjects, Objects, Outcome};
use rig::proxy::{Proxy, Seen};
use rig::servers::{require_or_skip, shared_moto, shared_radosgw};
use rig::subject::World;
use stratalog::store::{Location, StoreErrorKind as Kind, StoreOptions, WriteError};
use stratalog::{Error, StoreFailure, WriteFailure, WriteFate};

use client::{Client, Tries, Wire, on_each_server};

mod adapter;
mod client;
mod lies;
mod logs;
mod webdav;

/// Every way in which a request fails and its repetition succeeds.
const FAULTS: [WireFault; 10] = [
    WireFault::Lost(Silence::Reset),
    WireFault::ReplyLost(Silence::Reset),
    WireFault::Lost(Silence::Stall),
    WireFault::ReplyLost(Silence::Stall),
    WireFault::Status("500 Internal Server Error"),
    WireFault::Status("503 Slow Down"),
    WireFault::Status("429 Too Many Requests"),
    WireFault::DoneButStatus("503 Slow Down"),
    WireFault::DoneButStatus("500 Internal Server Error"),
    WireFault::CutBody(10),
];

/// The largest number of stalled requests of a script: each takes its time.
const STALLS_MAX: usize = 2;

/// Applies a fault to the first attempt of each request that `which` chooses.
fn first_attempts(
    fault: WireFault,
    which: impl Fn(&Seen) -> bool + Send + 'static,
) -> impl FnMut(&Seen) -> WireFault + Send + 'static {
    let mut left = if fault.is_stall() { STALLS_MAX } else { usize::MAX };
    move |seen| {
        if seen.before > 0 || left == 0 || !which(seen) {
            return WireFault::None;
        }
        left -= 1;
        fault
    }
}

fn is_object(seen: &Seen) -> bool {
    seen.target.contains("/log/")
}

#[derive(Debug, PartialEq)]
enum Fate {
    Durable,
    Exists,
    NotWritten(Kind),
    Unknown(Kind),
}

impl Fate {
    fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }
}

fn fate_of(created: &Outcome) -> Fate {
    match created {
        Ok(()) => Fate::Durable,
        Err(WriteError::AlreadyExists) => Fate::Exists,
        Err(WriteError::NotWritten(error)) => Fate::NotWritten(error.kind),
        Err(WriteError::Unknown(error)) => Fate::Unknown(error.kind),
    }
}

#[test]
fn create_without_retries_has_the_fate_that_can_be_known() {
    use Fate::{NotWritten, Unknown};
    let table = [
        (WireFault::None, Fate::Durable, true),
        (WireFault::Lost(Silence::Reset), Unknown(Kind::Unavailable), false),
        (WireFault::ReplyLost(Silence::Reset), Unknown(Kind::Unavailable), true),
        (WireFault::Lost(Silence::Stall), Unknown(Kind::Unavailable), false),
        (WireFault::ReplyLost(Silence::Stall), Unknown(Kind::Unavailable), true),
        (WireFault::Status("500 Internal Server Error"), Unknown(Kind::Unavailable), false),
        (WireFault::Status("503 Slow Down"), Unknown(Kind::Unavailable), false),
        (WireFault::Status("429 Too Many Requests"), Unknown(Kind::Unavailable), false),
        (WireFault::DoneButStatus("503 Slow Down"), Unknown(Kind::Unavailable), true),
        (WireFault::Status("403 Forbidden"), NotWritten(Kind::PermissionDenied), false),
        (WireFault::Status("404 Not Found"), NotWritten(Kind::NotFound), false),
        (WireFault::Status("400 Bad Request"), NotWritten(Kind::Invalid), false),
    ];
    on_each_server(|wire| {
        wire.each(&table, |wire, (fault, fate, is_there)| {
            let (place, fault) = (wire.place(), *fault);
            let tries = if fault.is_stall() { Tries::patient(0) } else { Tries::few(0) };
            let store = wire.store_at(&place, tries.ending_soon());
            wire.proxy.play(move |_| fault);
            assert_eq!(fate_of(&wire.create(&*store, "log/a")), *fate, "{fault:?}");
            let is_repeated = wire.client == Client::Adapter && fate.is_unknown();
            let attempts = wire.proxy.seen().len();
            assert_eq!(attempts > 1, is_repeated, "{fault:?}: {attempts} attempts");
            wire.proxy.wait_for_server();
            let store = wire.store_at(&place, Tries::many(WireFault::None));
            wire.proxy.play(|_| WireFault::None);
            assert_eq!(wire.get(&*store, "log/a").is_ok(), *is_there, "{fault:?}");
            // The same create, repeated, ends the doubt.
            let again = fate_of(&wire.create(&*store, "log/a"));
            let expected = if *is_there { Fate::Exists } else { Fate::Durable };
            assert_eq!(again, expected, "{fault:?}");
            assert_eq!(wire.get(&*store, "log/a").unwrap(), "bytes", "{fault:?}");
        });
    });
}

#[test]
fn repeated_create_has_the_fate_that_all_its_attempts_prove() {
    use Fate::{NotWritten, Unknown};
    const FORBIDDEN: WireFault = WireFault::Status("403 Forbidden");
    let table: [(&[WireFault], Fate); 8] = [
        (&[WireFault::Status("503 Slow Down"), WireFault::None], Fate::Durable),
        (
            &[WireFault::Lost(Silence::Reset), WireFault::Lost(Silence::Stall), WireFault::None],
            Fate::Durable,
        ),
        // The answer to the repeated request reflects its own first attempt.
        (&[WireFault::DoneButStatus("503 Slow Down"), WireFault::None], Fate::Exists),
        (&[WireFault::ReplyLost(Silence::Reset), WireFault::None], Fate::Exists),
        (&[WireFault::ReplyLost(Silence::Stall), WireFault::None], Fate::Exists),
        // A refusal reveals nothing of the attempts before it.
        (&[WireFault::DoneButStatus("503 Slow Down"), FORBIDDEN], Unknown(Kind::PermissionDenied)),
        (&[WireFault::Lost(Silence::Reset), FORBIDDEN], Unknown(Kind::PermissionDenied)),
        (&[FORBIDDEN], NotWritten(Kind::PermissionDenied)),
    ];
    on_each_server(|wire| {
        wire.each(&table, |wire, (faults, fate)| {
            let is_stall = faults.iter().any(|fault| fault.is_stall());
            let tries = if is_stall { Tries::patient(5) } else { Tries::within(60) };
            let store = wire.store(tries);
            let script = faults.to_vec();
            wire.proxy.play(move |seen| script.get(seen.before).copied().unwrap_or(FORBIDDEN));
            assert_eq!(fate_of(&wire.create(&*store, "log/a")), *fate, "{faults:?}");
            assert_eq!(wire.proxy.seen().len(), faults.len(), "{faults:?}");
        });
    });
}

#[test]
fn server_that_cannot_be_reached_has_written_nothing() {
    on_each_server(|wire| {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let endpoint = format!("http://{nobody}");
        let options = [("aws_endpoint", endpoint.as_str())];
        let store = wire.store_with(&wire.place(), Tries::few(1), &options);
        let fate = fate_of(&wire.create(&*store, "log/a"));
        assert_eq!(fate, Fate::NotWritten(Kind::Unavailable));
    });
}

#[test]
fn operation_ends_at_its_time_limit_with_an_unknown_fate() {
    on_each_server(|wire| {
        let place = wire.place();
        let store = wire.store_at(&place, Tries::within(2));
        wire.proxy.play(|_| WireFault::ReplyLost(Silence::Stall));
        let created = wire.create(&*store, "log/a");
        assert_eq!(fate_of(&created), Fate::Unknown(Kind::Unavailable));
        let read = store.get("log/a", None).unwrap_err();
        let listed = store.list("log/", None, 10).unwrap_err();
        let failures = store.delete(&["log/b"]);
        let Err(WriteError::Unknown(created)) = created else { unreachable!() };
        let [deleted] = &failures[..] else { panic!("{failures:?}") };
        let words = match wire.client {
            // Nothing else ends them: no attempt times out before.
            Client::Host => "not done within 2s",
            Client::Adapter => "no answer in time",
        };
        for failed in [&created, &read, &listed, &deleted.error] {
            assert_eq!(failed.kind, Kind::Unavailable, "{failed}");
            assert!(failed.to_string().contains(words), "{failed}");
        }
        wire.proxy.wait_for_server();
        wire.proxy.play(|_| WireFault::None);
        let store = wire.store_at(&place, Tries::many(WireFault::None));
        assert_eq!(fate_of(&wire.create(&*store, "log/a")), Fate::Exists);
    });
}

/// For the host alone: a call of a component returns when the operation has ended.
#[test]
fn request_in_progress_is_reported_with_its_attempts() {
    for server in [shared_moto(), shared_radosgw()] {
        let Some(server) = require_or_skip(server) else { continue };
        let wire = Wire::before(server, Client::Host);
        let HostObjects { store, runtime } =
            HostObjects::new(wire.host_store(&wire.place(), Tries::few(100), &[]));
        assert_eq!(store.waiting(), None);
        wire.proxy.play(|_| WireFault::Status("503 Slow Down"));
        let mut create = {
            let _in = runtime.enter();
            store.start_create("log/a", Bytes::new(), false)
        };
        let waiting = loop {
            if let Some(waiting) = store.waiting().filter(|waiting| waiting.attempts > 2) {
                break waiting;
            }
            thread::yield_now();
        };
        assert_eq!((waiting.action, waiting.key.as_str()), ("create", "log/a"));
        let shown = waiting.to_string();
        assert!(shown.contains("the last failure: 503") && shown.contains("attempt"), "{shown}");
        wire.proxy.play(|_| WireFault::None);
        runtime.block_on(create.wait()).unwrap();
        assert_eq!(store.waiting(), None);
    }
}

#[test]
fn read_that_is_cut_is_resumed_or_fails_but_is_never_short() {
    let bytes: Vec<u8> = (0..900_000_u32).map(|n| (n % 251) as u8).collect();
    on_each_server(|wire| {
        wire.each([0, 1, 400_000, 899_999], |wire, cut| {
            let place = wire.place();
            let store = wire.store_at(&place, Tries::many(WireFault::None));
            store.create("log/a", bytes.clone().into(), false).unwrap();
            wire.proxy.play(first_attempts(WireFault::CutBody(cut), |seen| seen.method == "GET"));
            assert!(wire.get(&*store, "log/a").unwrap() == bytes, "cut at {cut}");
            assert_eq!(wire.proxy.faults(), 1);
            // With repeated cuts, it does not get far.
            wire.proxy.play(move |_| WireFault::CutBody(cut.min(1_000)));
            let store = wire.store_at(&place, Tries::few(3));
            let read = wire.get(&*store, "log/a").map(|bytes| bytes.len());
            assert_eq!(read, Err(Kind::Unavailable), "cut at {cut}");
        });
    });
}

#[test]
fn upload_whose_steps_fail_once_is_complete() {
    let bytes: Vec<u8> = (0..20_000_000_u32).map(|n| (n % 241) as u8).collect();
    on_each_server(|wire| {
        wire.each(FAULTS, |wire, fault| {
            let store = wire.store(Tries::many(fault));
            wire.proxy.play(first_attempts(fault, |seen| seen.method != "GET"));
            let mut upload = store.start_upload("log/a").unwrap();
            for piece in bytes.chunks(3_000_000) {
                upload.write(Bytes::copy_from_slice(piece)).unwrap();
            }
            upload.finish().unwrap_or_else(|error| panic!("{fault:?}: {error}"));
            assert!(wire.proxy.faults() > 0, "{fault:?} never happened");
            wire.proxy.play(|_| WireFault::None);
            assert!(wire.get(&*store, "log/a").unwrap() == bytes, "{fault:?}");
        });
    });
}
