//! What the doctor says of stores that misbehave, and what it leaves in them.

use bytes::Bytes;
use futures::FutureExt as _;
use object_store::{Error, ObjectStore, PutMode};

use super::{Fake, OnPut, keys, not_implemented};
use crate::store::doctor::{Ability, Doctor, Use, Verdict};
use crate::store::{ConditionalCreate as C, Store};

/// Examines a store; returns what it is good for, and what has failed.
async fn examine(store: &Store) -> (Use, Vec<Ability>) {
    let mut doctor = Doctor::new(store, "log");
    while doctor.next().await.is_some() {}
    assert_eq!(doctor.clean_up().await, vec![]);
    let failed = doctor.found().iter().filter(|found| found.verdict == Verdict::Failed);
    (doctor.use_for_a_log(), failed.map(|found| found.ability).collect())
}

#[tokio::test]
async fn doctor_finds_what_each_store_cannot_do() {
    type Case = (&'static str, fn() -> Fake, Use, &'static [Ability]);
    const BOTH: &[Ability] = &[Ability::CreateIfAbsent, Ability::CreateIfAbsentRaced];
    let cases: [Case; 6] = [
        ("obedient", Fake::new, Use::All, &[]),
        (
            "ignores the condition",
            || Fake::new().on_put(|_, _| OnPut::Overwrite),
            Use::SoleCompactor,
            BOTH,
        ),
        (
            "has no condition",
            || {
                Fake::new().on_put(|_, mode| match mode {
                    PutMode::Create => OnPut::Fail(not_implemented()),
                    _ => OnPut::Pass,
                })
            },
            Use::SoleCompactor,
            BOTH,
        ),
        (
            "checks it, but not atomically",
            || {
                Fake::new().on_put(|path, _| match path.as_ref().contains("/race_") {
                    true => OnPut::Overwrite,
                    false => OnPut::Pass,
                })
            },
            Use::SoleCompactor,
            &[Ability::CreateIfAbsentRaced],
        ),
        (
            "reads something else",
            || {
                Fake::new().on_get(|path| {
                    let is_read = path.as_ref().ends_with("/read_7");
                    is_read.then(|| vec![Ok(Bytes::from_static(b"rounD 7\n"))])
                })
            },
            Use::None,
            &[Ability::ReadAfterWrite],
        ),
        (
            "takes no writes",
            || {
                Fake::new().on_put(|_, _| {
                    let source = "status code: 403".into();
                    OnPut::Fail(Error::PermissionDenied { path: "p".into(), source })
                })
            },
            Use::None,
            &[Ability::Credentials],
        ),
    ];
    for (name, fake, use_for_a_log, failed) in cases {
        let store = fake().store(C::Unproven);
        assert_eq!(examine(&store).await, (use_for_a_log, failed.to_vec()), "{name}");
        let everything = store.inner.for_read().await.unwrap().list(None);
        let left: Vec<_> = futures::StreamExt::collect(everything).await;
        assert!(left.is_empty(), "{name}: {left:?}");
    }
}

#[tokio::test]
async fn doctor_that_is_stopped_half_way_cleans_up() {
    let store = Fake::new().store(C::Unproven);
    store.create("log/batch_1", Bytes::from_static(b"a log's"), false).await.unwrap();
    for steps in 0..=14 {
        let mut doctor = Doctor::new(&store, "log");
        for _ in 0..steps {
            doctor.next().await;
        }
        if steps < 14 {
            assert_eq!(doctor.use_for_a_log(), Use::None, "not all was tried");
        }
        assert_eq!(doctor.clean_up().await, vec![]);
        let folder = format!("{}/", doctor.folder());
        let left = store.list(&folder, None, 10).await.unwrap();
        assert!(keys(&left).is_empty(), "after {steps}: {left:?}");
    }
    assert_eq!(store.get("log/batch_1", None).await.unwrap(), "a log's");
}

#[tokio::test]
async fn a_step_that_was_dropped_half_way_has_failed_and_leaves_nothing() {
    let store = Fake::new().store(C::Unproven);
    let mut doctor = Doctor::new(&store, "log");
    doctor.next().await.unwrap();
    assert!(doctor.next().now_or_never().is_none());
    let found = doctor.next().await.unwrap();
    assert_eq!((found.ability, found.verdict), (Ability::Credentials, Verdict::Failed));
    assert_eq!(found.detail, "it was stopped before its end: try the store again");
    assert_eq!(doctor.clean_up().await, vec![]);
    let page = store.list("log/", None, 10).await.unwrap();
    assert_eq!(keys(&page), Vec::<&str>::new());
}
