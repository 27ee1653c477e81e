//! Tests of the doctor's report on stores that misbehave, and of the objects that it leaves in
//! them.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use futures::FutureExt as _;
use object_store::{Error, ObjectStore, PutMode};

use super::opening::open;
use super::{Fake, OnPut, keys, not_implemented};
use crate::store::doctor::{Ability, Doctor, Use, Verdict};
use crate::store::encryption::Asked;
use crate::store::{ConditionalCreate as C, Inner, Store};

/// Examines a store. Returns its use, and the abilities that failed.
async fn examine(store: &Store) -> (Use, Vec<Ability>) {
    let mut doctor = Doctor::new(store, "log");
    while doctor.next().await.is_some() {}
    assert_eq!(doctor.clean_up().await, vec![]);
    let failed = doctor.results().iter().filter(|found| found.verdict == Verdict::Failed);
    (doctor.use_for_a_log(), failed.map(|found| found.ability).collect())
}

#[tokio::test]
async fn doctor_finds_missing_abilities_of_each_store() {
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
async fn doctor_fails_where_the_requested_encryption_is_not_reported() {
    let store = Fake::new().store(C::Unproven);
    assert_eq!(examine(&store).await, (Use::All, vec![]));
    let inner =
        Inner { encryption: Some(Asked("aws:kms".to_owned())), ..Inner::clone(&store.inner) };
    let asking = Store { inner: Arc::new(inner) };
    assert_eq!(examine(&asking).await, (Use::None, vec![Ability::Encryption]));
    let mut doctor = Doctor::new(&asking, "log");
    while doctor.next().await.is_some() {}
    let found = doctor.results().iter().find(|found| found.ability == Ability::Encryption).unwrap();
    assert!(found.detail.starts_with("none reported, and aws:kms was requested"), "{found:?}");
    doctor.clean_up().await;
}

/// Serves one answer to every request.
fn answering_server(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && connection.read(&mut byte).unwrap() > 0 {
                head.extend(byte);
            }
            connection.write_all(answer.as_bytes()).unwrap();
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn encryption_in_an_answer_reaches_the_doctor() {
    let answer = "HTTP/1.1 200 OK\r\netag: \"1\"\r\ncontent-length: 0\r\nconnection: close\r\n\
                  x-amz-server-side-encryption: aws:kms\r\n\
                  x-amz-server-side-encryption-aws-kms-key-id: \
                  arn:aws:kms:a:1:key/12345678\r\n\r\n";
    let endpoint = format!("aws_endpoint={}", answering_server(answer));
    let options = [&endpoint, "allow_http=true", "server_side_encryption=aws:kms"];
    let keys = [("AWS_ACCESS_KEY_ID", "id12"), ("AWS_SECRET_ACCESS_KEY", "hunter2")];
    let store = open("s3://bucket/x", &options, &keys).unwrap();
    store.create("a", Bytes::new(), false).await.unwrap();
    let report = store.inner.operations.encryption.take();
    assert_eq!(report.as_deref(), Some("aws:kms, key ...12345678"));
}

#[tokio::test]
async fn doctor_that_is_stopped_half_way_cleans_up() {
    let store = Fake::new().store(C::Unproven);
    store.create("log/batch_1", Bytes::from_static(b"a log's"), false).await.unwrap();
    for steps in 0..=15 {
        let mut doctor = Doctor::new(&store, "log");
        for _ in 0..steps {
            doctor.next().await;
        }
        if steps < 15 {
            assert_eq!(doctor.use_for_a_log(), Use::None, "not all was checked");
        }
        assert_eq!(doctor.clean_up().await, vec![]);
        let folder = format!("{}/", doctor.folder());
        let left = store.list(&folder, None, 10).await.unwrap();
        assert!(keys(&left).is_empty(), "after {steps}: {left:?}");
    }
    assert_eq!(store.get("log/batch_1", None).await.unwrap(), "a log's");
}

#[tokio::test]
async fn step_that_was_dropped_half_way_has_failed_and_leaves_nothing() {
    let store = Fake::new().store(C::Unproven);
    let mut doctor = Doctor::new(&store, "log");
    doctor.next().await.unwrap();
    assert!(doctor.next().now_or_never().is_none());
    let found = doctor.next().await.unwrap();
    assert_eq!((found.ability, found.verdict), (Ability::Credentials, Verdict::Failed));
    assert_eq!(found.detail, "the check was stopped before its end: check the store again");
    assert_eq!(doctor.clean_up().await, vec![]);
    let page = store.list("log/", None, 10).await.unwrap();
    assert_eq!(keys(&page), Vec::<&str>::new());
}
