//! The requests of the adapter of a bucket: their number, and those in flight together.

use rig::adapter::objects::AdapterObjects;
use rig::adapter::{Adapter, Given};
use rig::waits::until;
use stratalog::store::ObjectRange;

use super::*;

/// Checks the adapter on each server, at a new place.
fn on_each_server(check: impl Fn(&Wire)) {
    for server in [shared_moto(), shared_radosgw()] {
        if let Some(server) = require_or_skip(server) {
            check(&Wire::before(server, Client::Adapter));
        }
    }
}

fn count(wire: &Wire, which: impl Fn(&Seen) -> bool) -> usize {
    wire.proxy.seen().iter().filter(|(seen, _)| which(seen)).count()
}

#[test]
fn creates_of_an_adapter_are_in_flight_together() {
    on_each_server(|wire| {
        let store = wire.store(Tries::patient(0));
        // None is answered before all were sent.
        wire.proxy.play(|seen| match seen.before {
            0 => WireFault::Lost(Silence::Stall),
            _ => WireFault::None,
        });
        let start = |n| store.start_create(&format!("log/{n}"), vec![n; 300_000].into(), false);
        let mut creates: Vec<_> = (0..8).map(start).collect();
        until("all creates are in flight", || {
            assert!(creates.iter_mut().all(|create| create.poll().is_none()));
            count(wire, |seen| seen.method == "PUT") == 8
        });
        for create in &mut creates {
            create.wait().unwrap();
            assert_eq!(create.poll(), Some(Ok(())));
        }
        wire.proxy.play(|_| WireFault::None);
        for n in 0..8 {
            assert_eq!(wire.get(&*store, &format!("log/{n}")).unwrap(), vec![n; 300_000]);
        }
    });
}

#[test]
fn ordered_read_of_an_adapter_fetches_ahead() {
    on_each_server(|wire| {
        let store = wire.store(Tries::patient(0));
        wire.proxy.play(|_| WireFault::None);
        let ranges: Vec<_> = (0..8).map(|n| format!("log/{n}")).collect();
        ranges.iter().for_each(|key| wire.create(&*store, key).unwrap());
        // The first object comes late, and the others were requested by then.
        wire.proxy.play(|seen| match (seen.before, seen.target.ends_with("/0")) {
            (0, true) => WireFault::Lost(Silence::Stall),
            _ => WireFault::None,
        });
        let range = |key: &String| ObjectRange { key: key.clone(), range: None };
        let mut read = store.read(ranges.iter().map(range).collect());
        assert_eq!(read.next(1 << 20).unwrap().unwrap().number, 0);
        let reads = wire.proxy.seen();
        let last = reads.iter().rposition(|(seen, _)| seen.target.ends_with("/0")).unwrap();
        assert_eq!(last, 8, "{reads:?}");
        assert_eq!(reads.len(), 9, "{reads:?}");
    });
}

#[test]
fn create_that_an_adapter_drops_continues_with_the_next_call() {
    on_each_server(|wire| {
        let store = wire.store(Tries::within(60));
        drop(store.start_create("log/a", "bytes".into(), false));
        let found = || wire.get(&*store, "log/a");
        until("the create", || found().is_ok_and(|bytes| bytes == "bytes"));
    });
}

#[test]
fn adapter_deletes_thousands_of_keys_in_few_requests() {
    on_each_server(|wire| {
        let place = wire.place();
        let store = wire.store_at(&place, Tries::within(60));
        let there: Vec<String> = (0..20).map(|n| format!("log/{n}&<>'\"é")).collect();
        for key in &there {
            wire.create(&*store, key).unwrap();
        }
        let absent: Vec<String> = (0..1_500).map(|n| format!("log/none-{n}")).collect();
        let keys: Vec<&str> = there.iter().chain(&absent).map(String::as_str).collect();
        wire.proxy.play(|_| WireFault::None);
        assert_eq!(store.delete(&keys), []);
        assert_eq!(wire.proxy.seen().len(), 2);
        assert_eq!(store.list("log/", None, 10).unwrap().objects, []);
        // One by one, where the server has no bulk deletes.
        let single = [("aws_disable_bulk_delete", "true")];
        let store = wire.store_with(&place, Tries::within(60), &single);
        wire.create(&*store, "log/a").unwrap();
        wire.proxy.play(|_| WireFault::None);
        assert_eq!(store.delete(&["log/a", "log/none"]), []);
        assert_eq!(count(wire, |seen| seen.method == "DELETE"), 2);
        assert_eq!(store.list("log/", None, 10).unwrap().objects, []);
    });
}

#[test]
fn upload_that_an_adapter_drops_is_aborted() {
    on_each_server(|wire| {
        let store = wire.store(Tries::within(60));
        let mut upload = store.start_upload("log/a").unwrap();
        upload.write(vec![1; 20_000_000].into()).unwrap();
        wire.proxy.play(|_| WireFault::None);
        drop(upload);
        let is_abort = |seen: &Seen| seen.method == "DELETE" && seen.target.contains("uploadId=");
        assert_eq!(count(wire, is_abort), 1, "{:?}", wire.proxy.seen());
    });
}

#[test]
fn adapter_names_wrong_credentials_and_buckets_without_secrets() {
    const SECRET: &str = "wRoNgSeCrEtWrOnGsEcReT";
    on_each_server(|wire| {
        let store = wire.store_with(
            &Location::parse("s3://no-such-bucket-1a2b3c/app/log").unwrap(),
            Tries::within(60),
            &[],
        );
        let error = store.list("log/", None, 10).unwrap_err();
        assert_eq!(error.kind, Kind::NotFound, "{error}");
        assert!(error.message.contains("no such bucket"), "{error}");
        if !wire.server.checks_signatures() {
            return;
        }
        let wrong = [("aws_secret_access_key", SECRET)];
        let store = wire.store_with(&wire.place(), Tries::within(60), &wrong);
        let Err(WriteError::NotWritten(created)) = wire.create(&*store, "log/a") else {
            panic!("wrong credentials were accepted")
        };
        let got = store.get("log/a", None).unwrap_err();
        let listed = store.list("log/a", None, 10).unwrap_err();
        for error in [created, got, listed] {
            assert_eq!(error.kind, Kind::PermissionDenied, "{error}");
            for word in ["log/a", "check the credentials"] {
                assert!(error.message.contains(word), "{error}");
            }
            assert!(!error.message.contains(SECRET), "{error}");
        }
    });
}

#[test]
fn setting_that_an_adapter_cannot_use_is_named_by_each_call() {
    let good = [
        ("STRATALOG_ROOT", "s3://logs/app"),
        ("AWS_ACCESS_KEY_ID", "AKI"),
        ("AWS_SECRET_ACCESS_KEY", "SEC"),
    ];
    let given =
        good.iter().fold(Given::default(), |given, (name, value)| given.with_variable(name, value));
    let cases = [
        ("STRATALOG_ROOT", ""),
        ("STRATALOG_ROOT", "/tmp"),
        ("STRATALOG_ROOT", "s3:///a"),
        ("AWS_ACCESS_KEY_ID", ""),
        ("AWS_SECRET_ACCESS_KEY", ""),
        ("AWS_ENDPOINT", "http://127.0.0.1:1"),
        ("AWS_CONDITIONAL_PUT", "maybe"),
        ("AWS_SSE_CUSTOMER_KEY_BASE64", "x"),
        ("STRATALOG_RETRY_TIMEOUT", "0"),
    ];
    for (name, value) in cases {
        let given = given.clone().with_variable(name, value);
        let store = AdapterObjects::open(Adapter::Bucket, given);
        let failures = store.delete(&["a"]);
        let mut errors = vec![
            store.get("a", None).unwrap_err(),
            store.list("", None, 10).unwrap_err(),
            failures.into_iter().next().unwrap().error,
        ];
        let creates = [store.create("a", Bytes::new(), false), store.start_upload("a").map(drop)];
        for created in creates {
            let Err(WriteError::NotWritten(error)) = created else { panic!("{created:?}") };
            errors.push(error);
        }
        for error in errors {
            assert_eq!(error.kind, Kind::Invalid, "{name}={value}: {error}");
            assert!(error.message.contains("cannot use"), "{name}={value}: {error}");
        }
    }
}
