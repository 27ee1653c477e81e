//! Faults on the wire between the host and an S3 server, made by a proxy. The host is never wrong
//! about a write, and a log on it has each event once, in order.

use std::time::Duration;

use bytes::Bytes;
use rig::faults::{Silence, WireFault};
use rig::proxy::{Proxy, Seen};
use rig::servers::{S3Server, require_or_skip, shared_moto, shared_radosgw};
use stratalog::store::{Location, Store, StoreErrorKind as Kind, StoreOptions, WriteError};
use stratalog::{CompactOptions, Error, Host, LogOptions, StoreFailure, WriteFailure, WriteFate};
use tokio::runtime::Runtime;

mod lies;
mod logs;
mod webdav;

/// A server, with a proxy before it.
struct Wire {
    server: &'static S3Server,
    proxy: Proxy,
    runtime: Runtime,
}

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

/// The silence of a server after which an attempt has failed. `SOON` is for silence by the proxy,
/// `LATE` is longer than a busy server needs, and `NEVER` is for a server that always answers.
const SOON: &str = "1s";
const LATE: &str = "10s";
const NEVER: &str = "10m";

/// Enough repetitions for a server that is slower than [`SOON`] now and then.
const REPEATED_MAX: usize = 100;

/// The largest number of stalled requests of a script: each takes its time.
const STALLS_MAX: usize = 2;

impl Wire {
    fn before(server: &'static S3Server) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        Self { server, proxy: Proxy::start(&server.endpoint), runtime }
    }

    fn options(&self, retry_max: usize, silence_max: &str) -> StoreOptions {
        let options = self.server.store_options_at(&self.proxy.endpoint);
        let options = options.into_iter().fold(StoreOptions::new(), |options, (key, value)| {
            options.with_option(key, value).unwrap()
        });
        let options = options.with_option("read_timeout", silence_max).unwrap();
        options.with_retry_max(retry_max).with_timeout(stratalog::store::TIMEOUT_LIMIT)
    }

    /// Returns a new place.
    fn place(&self) -> Location {
        Location::parse(&self.server.url("log")).unwrap()
    }

    /// Opens the store of a place, through the proxy.
    fn store_at(&self, place: &Location, retry_max: usize, silence_max: &str) -> Store {
        Store::open(&place.root, &self.options(retry_max, silence_max)).unwrap()
    }

    /// Opens a new store that ends an attempt in time for this fault.
    fn store_for(&self, fault: WireFault, retry_max: usize) -> Store {
        let silence_max = if fault.is_stall() { SOON } else { NEVER };
        self.store_at(&self.place(), retry_max, silence_max)
    }

    /// Opens a new store whose server always answers.
    fn store(&self, retry_max: usize) -> Store {
        self.store_for(WireFault::None, retry_max)
    }

    fn create(&self, store: &Store, key: &str) -> Result<(), WriteError> {
        self.runtime.block_on(store.create(key, Bytes::from_static(b"bytes"), false))
    }

    fn get(&self, store: &Store, key: &str) -> Result<Bytes, Kind> {
        self.runtime.block_on(store.get(key, None)).map_err(|error| error.kind)
    }
}

/// Runs a test on each available S3 server.
fn on_each_server(test: impl Fn(&Wire)) {
    for server in [shared_moto(), shared_radosgw()] {
        if let Some(server) = require_or_skip(server) {
            eprintln!("--- {}", server.kind);
            test(&Wire::before(server));
        }
    }
}

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

fn fate_of(created: &Result<(), WriteError>) -> Fate {
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
        for (fault, fate, is_there) in &table {
            let (place, fault) = (wire.place(), *fault);
            let store = wire.store_at(&place, 0, if fault.is_stall() { LATE } else { NEVER });
            wire.proxy.play(move |_| fault);
            assert_eq!(fate_of(&wire.create(&store, "log/a")), *fate, "{fault:?}");
            assert_eq!(wire.proxy.seen().len(), 1, "{fault:?} was repeated");
            wire.proxy.wait_for_server();
            let store = wire.store_at(&place, 0, NEVER);
            wire.proxy.play(|_| WireFault::None);
            assert_eq!(wire.get(&store, "log/a").is_ok(), *is_there, "{fault:?}");
            // The same create, repeated, ends the doubt.
            let again = fate_of(&wire.create(&store, "log/a"));
            let expected = if *is_there { Fate::Exists } else { Fate::Durable };
            assert_eq!(again, expected, "{fault:?}");
            assert_eq!(wire.get(&store, "log/a").unwrap(), "bytes", "{fault:?}");
        }
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
        for (faults, fate) in &table {
            let is_stall = faults.iter().any(|fault| fault.is_stall());
            let silence_max = if is_stall { LATE } else { NEVER };
            let store = wire.store_at(&wire.place(), 5, silence_max);
            let script = faults.to_vec();
            wire.proxy.play(move |seen| script.get(seen.before).copied().unwrap_or(FORBIDDEN));
            assert_eq!(fate_of(&wire.create(&store, "log/a")), *fate, "{faults:?}");
            assert_eq!(wire.proxy.seen().len(), faults.len(), "{faults:?}");
        }
    });
}

#[test]
fn server_that_cannot_be_reached_has_written_nothing() {
    on_each_server(|wire| {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let options =
            wire.options(1, NEVER).with_option("aws_endpoint", format!("http://{nobody}"));
        let place = Location::parse(&wire.server.url("log")).unwrap();
        let store = Store::open(&place.root, &options.unwrap()).unwrap();
        let fate = fate_of(&wire.create(&store, "log/a"));
        assert_eq!(fate, Fate::NotWritten(Kind::Unavailable));
    });
}

#[test]
fn operation_ends_at_its_time_limit_with_an_unknown_fate() {
    on_each_server(|wire| {
        let place = wire.place();
        let options = wire.options(5, NEVER).with_timeout(Duration::from_secs(2));
        let store = Store::open(&place.root, &options).unwrap();
        wire.proxy.play(|_| WireFault::ReplyLost(Silence::Stall));
        let created = wire.create(&store, "log/a");
        assert_eq!(fate_of(&created), Fate::Unknown(Kind::Unavailable));
        let read = wire.runtime.block_on(store.get("log/a", None)).unwrap_err();
        let listed = wire.runtime.block_on(store.list("log/", None, 10)).unwrap_err();
        let failures = wire.runtime.block_on(store.delete(vec!["log/b".to_owned()]));
        let Err(WriteError::Unknown(created)) = created else { unreachable!() };
        let [deleted] = &failures[..] else { panic!("{failures:?}") };
        // Nothing else ends them: no attempt times out before.
        for failed in [&created, &read, &listed, &deleted.error] {
            assert_eq!(failed.kind, Kind::Unavailable, "{failed}");
            assert!(failed.to_string().contains("not done within 2s"), "{failed}");
        }
        wire.proxy.wait_for_server();
        wire.proxy.play(|_| WireFault::None);
        let store = wire.store_at(&place, 0, NEVER);
        assert_eq!(fate_of(&wire.create(&store, "log/a")), Fate::Exists);
    });
}

#[test]
fn request_in_progress_is_reported_with_its_attempts() {
    on_each_server(|wire| {
        let store = wire.store(100);
        assert_eq!(store.waiting(), None);
        wire.proxy.play(|_| WireFault::Status("503 Slow Down"));
        let mut create = {
            let _in = wire.runtime.enter();
            store.start_create("log/a", Bytes::new(), false)
        };
        let waiting = loop {
            if let Some(waiting) = store.waiting().filter(|waiting| waiting.attempts > 2) {
                break waiting;
            }
            std::thread::yield_now();
        };
        assert_eq!((waiting.action, waiting.key.as_str()), ("create", "log/a"));
        let shown = waiting.to_string();
        assert!(shown.contains("the last failure: 503") && shown.contains("attempt"), "{shown}");
        wire.proxy.play(|_| WireFault::None);
        wire.runtime.block_on(create.wait()).unwrap();
        assert_eq!(store.waiting(), None);
    });
}

#[test]
fn read_that_is_cut_is_resumed_or_fails_but_is_never_short() {
    let bytes: Vec<u8> = (0..900_000_u32).map(|n| (n % 251) as u8).collect();
    on_each_server(|wire| {
        let store = wire.store(3);
        let created = store.create("log/a", bytes.clone().into(), false);
        wire.runtime.block_on(created).unwrap();
        for cut in [0, 1, 400_000, 899_999] {
            wire.proxy.play(first_attempts(WireFault::CutBody(cut), |seen| seen.method == "GET"));
            assert!(wire.get(&store, "log/a").unwrap() == bytes, "cut at {cut}");
            assert_eq!(wire.proxy.faults(), 1);
            // With repeated cuts, it does not get far.
            wire.proxy.play(move |_| WireFault::CutBody(cut.min(1_000)));
            let read = wire.get(&store, "log/a").map(|bytes| bytes.len());
            assert_eq!(read, Err(Kind::Unavailable), "cut at {cut}");
        }
    });
}

#[test]
fn upload_whose_steps_fail_once_is_complete() {
    let bytes: Vec<u8> = (0..20_000_000_u32).map(|n| (n % 241) as u8).collect();
    on_each_server(|wire| {
        for fault in FAULTS {
            let store = wire.store_for(fault, REPEATED_MAX);
            wire.proxy.play(first_attempts(fault, |seen| seen.method != "GET"));
            wire.runtime.block_on(async {
                let mut upload = store.start_upload("log/a").await.unwrap();
                for piece in bytes.chunks(3_000_000) {
                    upload.write(Bytes::copy_from_slice(piece)).await.unwrap();
                }
                upload.finish().await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
            });
            assert!(wire.proxy.faults() > 0, "{fault:?} never happened");
            wire.proxy.play(|_| WireFault::None);
            assert!(wire.get(&store, "log/a").unwrap() == bytes, "{fault:?}");
        }
    });
}

fn host() -> Host {
    Host::new().unwrap()
}

/// Reads the whole log.
async fn read(host: &Host, store: &Store) -> Result<Vec<String>, Error> {
    let mut reader = host.read(store, "log").await?;
    let mut events = Vec::new();
    while let Some(page) = reader.next().await? {
        events.extend(page.iter().map(|event| String::from_utf8(event.to_vec()).unwrap()));
    }
    Ok(events)
}
