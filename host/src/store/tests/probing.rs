//! Tests of the trust in create-if-absent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use object_store::{Error, PutMode};

use super::{Fake, OnPut, keys, not_implemented};
use crate::store::{ConditionalCreate as C, Store, StoreErrorKind as Kind, WriteError};

fn obedient() -> Fake {
    Fake::new()
}

/// Accepts the condition and ignores it.
fn ignoring() -> Fake {
    Fake::new().on_put(|_, _| OnPut::Overwrite)
}

/// Checks, but not atomically: refuses a later second create, but lets a race have two winners.
fn racy() -> Fake {
    let raced = AtomicUsize::new(0);
    Fake::new().on_put(move |_, _| match raced.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => OnPut::Pass,
        _ => OnPut::Overwrite,
    })
}

/// Has no condition at all.
fn plain() -> Fake {
    Fake::new().on_put(|_, mode| match mode {
        PutMode::Create => OnPut::Fail(not_implemented()),
        _ => OnPut::Pass,
    })
}

#[tokio::test]
async fn probe_distinguishes_honouring_stores_from_others() {
    type Case = (&'static str, fn() -> Fake, C, bool);
    let cases: [Case; 7] = [
        ("obedient", obedient, C::Unproven, true),
        ("ignoring", ignoring, C::Unproven, false),
        ("racy", racy, C::Unproven, false),
        ("plain", plain, C::Unproven, false),
        ("known to honour", obedient, C::Honoured, true),
        ("known to have none", plain, C::Absent, false),
        ("known, not asked", ignoring, C::Honoured, true),
    ];
    for (name, fake, conditional, expected) in cases {
        let fake = fake();
        let puts = Arc::clone(&fake.puts);
        let store = fake.store(conditional);
        assert_eq!(store.honours_exclusive("log/").await, Ok(expected), "{name}");
        let cost = puts.load(Ordering::SeqCst);
        assert!(cost <= 6 && (conditional == C::Unproven || cost == 0), "{name}: {cost}");
        assert_eq!(store.clone().honours_exclusive("log/").await, Ok(expected), "{name}");
        assert_eq!(puts.load(Ordering::SeqCst), cost, "{name}: probed twice");
        let left = store.list("log/", None, 10).await.unwrap();
        assert!(keys(&left).is_empty(), "{name}: {left:?}");
    }
}

#[tokio::test]
async fn exclusive_create_is_refused_where_it_could_overwrite() {
    for (name, fake, conditional) in [
        ("ignoring", ignoring as fn() -> Fake, C::Unproven),
        ("racy", racy, C::Unproven),
        ("plain", plain, C::Absent),
    ] {
        let store = fake().store(conditional);
        let refused = store.create("log/m", Bytes::new(), true).await;
        let Err(WriteError::NotWritten(error)) = refused else {
            panic!("{name}: {refused:?}");
        };
        assert_eq!(error.kind, Kind::Unsupported, "{name}");
        assert!(error.message.contains("--sole-compactor"), "{name}: {error}");
        assert!(store.get("log/m", None).await.is_err(), "{name}: it was written");

        let store = store.with_sole_compactor(true);
        store.create("log/m", Bytes::from_static(b"1"), true).await.unwrap();
        let again = store.create("log/m", Bytes::from_static(b"2"), true).await;
        assert_eq!(again, Err(WriteError::AlreadyExists), "{name}");
        assert_eq!(store.get("log/m", None).await.unwrap(), "1", "{name}");
    }
}

#[tokio::test]
async fn exclusive_create_on_a_proven_store_succeeds_once() {
    let store = obedient().store(C::Unproven);
    store.create("log/m", Bytes::from_static(b"1"), true).await.unwrap();
    let again = store.create("log/m", Bytes::from_static(b"2"), true).await;
    assert_eq!(again, Err(WriteError::AlreadyExists));
    assert_eq!(keys(&store.list("log/", None, 10).await.unwrap()), ["log/m"]);
}

#[tokio::test]
async fn probe_in_doubt_is_an_error_and_asked_again() {
    let count = AtomicUsize::new(0);
    let fake = Fake::new().on_put(move |_, _| match count.fetch_add(1, Ordering::SeqCst) {
        0 => OnPut::Fail(Error::Generic {
            store: "S3",
            source: "status code: 503 Service Unavailable".into(),
        }),
        _ => OnPut::Pass,
    });
    let store: Store = fake.store(C::Unproven);
    let doubt = store.honours_exclusive("log/").await;
    assert!(matches!(doubt, Err(WriteError::Unknown(_))), "{doubt:?}");
    assert_eq!(store.honours_exclusive("log/").await, Ok(true));
}
