//! The fate of a write, error by error.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use object_store::Error;
use object_store::client::{HttpError, HttpErrorKind};
use stratalog_store_rules::folder::failure::Step;

use super::{Fake, OnPut, not_implemented};
use crate::store::backend::local::Failure;
use crate::store::{ConditionalCreate, StoreErrorKind as Kind, WriteError};

#[derive(Debug, PartialEq)]
enum Fate {
    Durable,
    Exists,
    NotWritten(Kind),
    Unknown(Kind),
}

fn fate_of(result: &Result<(), WriteError>) -> Fate {
    match result {
        Ok(()) => Fate::Durable,
        Err(WriteError::AlreadyExists) => Fate::Exists,
        Err(WriteError::NotWritten(error)) => Fate::NotWritten(error.kind),
        Err(WriteError::Unknown(error)) => Fate::Unknown(error.kind),
    }
}

fn local(step: Step, source: impl Into<io::Error>) -> Error {
    Failure::new(step, "write", "/f".as_ref(), source.into()).into_library()
}

fn generic(text: &str) -> Error {
    Error::Generic { store: "S3", source: text.into() }
}

fn http(kind: HttpErrorKind) -> Error {
    Error::Generic {
        store: "S3",
        source: Box::new(HttpError::new(kind, io::Error::other("refused"))),
    }
}

const RETRIED: &str = "error performing PUT http://h/k in 2s, after 3 retries, max_retries: 10, \
                       retry_timeout: 60s  - Server returned non-2xx status code: 403 Forbidden: ";

async fn check(name: &str, error: impl Fn() -> Error + Send + Sync + 'static, expected: Fate) {
    let store =
        Fake::new().on_put(move |_, _| OnPut::Fail(error())).store(ConditionalCreate::Honoured);
    let result = store.create("a/b", Bytes::from_static(b"x"), false).await;
    assert_eq!(fate_of(&result), expected, "{name}: {result:?}");
    if let Some(error) = result.unwrap_err().store_error() {
        let is_named = error.message.contains("a/b") && error.message.contains("fake");
        assert!(is_named, "{name}: {}", error.message);
    }
}

#[tokio::test]
async fn create_that_fails_reports_its_fate() {
    let path = || "a/b".to_owned();
    let source = || "status code: 404 Not Found".into();
    check(
        "no bucket",
        move || Error::NotFound { path: path(), source: source() },
        Fate::NotWritten(Kind::NotFound),
    )
    .await;
    check(
        "forbidden",
        || Error::PermissionDenied { path: "p".into(), source: "403".into() },
        Fate::NotWritten(Kind::PermissionDenied),
    )
    .await;
    check(
        "forbidden after retries",
        || Error::PermissionDenied { path: "p".into(), source: RETRIED.into() },
        Fate::Unknown(Kind::PermissionDenied),
    )
    .await;
    check(
        "unauthenticated",
        || Error::Unauthenticated { path: "p".into(), source: "401".into() },
        Fate::NotWritten(Kind::PermissionDenied),
    )
    .await;
    check(
        "not supported",
        || Error::NotSupported { source: "no".into() },
        Fate::NotWritten(Kind::Unsupported),
    )
    .await;
    check("timeout", || http(HttpErrorKind::Timeout), Fate::Unknown(Kind::Unavailable)).await;
    check("unreachable", || http(HttpErrorKind::Connect), Fate::Unknown(Kind::Unavailable)).await;
    let statuses = [
        ("status code: 500 Internal Server Error", Kind::Unavailable),
        ("status code: 503 Service Unavailable", Kind::Unavailable),
        ("status code: 429 Too Many Requests", Kind::Unavailable),
        ("status code: 501 Not Implemented", Kind::Unsupported),
        ("status code: 400 Bad Request", Kind::Invalid),
        ("Received redirect without LOCATION, check the region", Kind::Invalid),
        ("something else", Kind::Other),
    ];
    for (text, kind) in statuses {
        check(text, move || generic(text), Fate::Unknown(kind)).await;
    }
}

#[tokio::test]
async fn create_failing_in_a_folder_is_unknown_after_the_link_only() {
    use io::ErrorKind as K;
    let kinds = [
        (K::PermissionDenied, Kind::PermissionDenied),
        (K::ReadOnlyFilesystem, Kind::PermissionDenied),
        (K::InvalidFilename, Kind::Invalid),
        (K::NotADirectory, Kind::Invalid),
        (K::StorageFull, Kind::Unavailable),
        (K::QuotaExceeded, Kind::Unavailable),
        (K::NotFound, Kind::NotFound),
        (K::Other, Kind::Other),
    ];
    for (io_kind, kind) in kinds {
        for step in [Step::Staging, Step::Linking] {
            let name = format!("{step:?} {io_kind}");
            check(&name, move || local(step, io_kind), Fate::NotWritten(kind)).await;
        }
        let published = move || local(Step::Publishing, io_kind);
        check("after the link", published, Fate::Unknown(kind)).await;
    }
    let unsupported = || local(Step::Linking, K::Unsupported);
    check("no links", unsupported, Fate::NotWritten(Kind::Unsupported)).await;
    let eperm = || local(Step::Linking, io::Error::from_raw_os_error(1));
    check("no hard links", eperm, Fate::NotWritten(Kind::Unsupported)).await;
}

#[tokio::test]
async fn create_whose_reply_is_lost_is_unknown_and_then_exists() {
    let store = Fake::new()
        .on_put(|_, _| OnPut::WriteAndFail(http(HttpErrorKind::Timeout)))
        .store(ConditionalCreate::Honoured);
    let bytes = Bytes::from_static(b"x");
    let first = store.create("a", bytes.clone(), false).await;
    assert_eq!(fate_of(&first), Fate::Unknown(Kind::Unavailable));
    let second = store.create("a", bytes.clone(), false).await;
    assert_eq!(fate_of(&second), Fate::Exists);
    assert_eq!(store.get("a", None).await.unwrap(), bytes);
}

#[tokio::test]
async fn create_answered_by_a_conflict_exists_only_if_the_object_does() {
    let conflict = || Error::AlreadyExists {
        path: "a".into(),
        source: "Server returned non-2xx status code: 409 Conflict: ".into(),
    };
    let store = Fake::new()
        .on_put(move |path, _| match path.as_ref() {
            "absent" => OnPut::Fail(conflict()),
            _ => OnPut::WriteAndFail(conflict()),
        })
        .store(ConditionalCreate::Honoured);
    let absent = store.create("absent", Bytes::new(), false).await;
    assert_eq!(fate_of(&absent), Fate::Unknown(Kind::Unavailable));
    let there = store.create("there", Bytes::new(), false).await;
    assert_eq!(fate_of(&there), Fate::Exists);
}

#[tokio::test]
async fn create_without_a_conditional_create_checks_first() {
    let fake = Fake::new().on_put(|_, mode| match mode {
        object_store::PutMode::Create => OnPut::Fail(not_implemented()),
        _ => OnPut::Pass,
    });
    let store = fake.store(ConditionalCreate::Absent);
    let first = store.create("a", Bytes::from_static(b"1"), false).await;
    assert_eq!(fate_of(&first), Fate::Durable);
    let second = store.create("a", Bytes::from_static(b"2"), false).await;
    assert_eq!(fate_of(&second), Fate::Exists);
    assert_eq!(store.get("a", None).await.unwrap(), "1");
}

#[tokio::test]
async fn create_that_finds_its_own_torn_beginning_writes_it_again() {
    let store = || {
        let fake = Fake::new().on_put(|_, mode| match mode {
            object_store::PutMode::Create => OnPut::Fail(not_implemented()),
            _ => OnPut::Pass,
        });
        fake.store(ConditionalCreate::Absent)
    };
    let whole = "one\ntwo\nthree\n";
    let table = [
        ("", Fate::Durable, whole),
        ("one\nt", Fate::Durable, whole),
        (whole, Fate::Exists, whole),
        ("somebody", Fate::Exists, "somebody"),
        ("one\ntwo\nthree\nfour\n", Fate::Exists, "one\ntwo\nthree\nfour\n"),
    ];
    for (there, fate, left) in table {
        let store = store();
        store.create("a", Bytes::from(there), false).await.unwrap();
        let created = store.create("a", Bytes::from(whole), false).await;
        assert_eq!(fate_of(&created), fate, "{there:?}");
        assert_eq!(store.get("a", None).await.unwrap(), left, "{there:?}");
    }
}

#[tokio::test]
async fn pending_create_answers_the_same_again() {
    for exclusive in [false, true] {
        let store = Fake::new().store(ConditionalCreate::Honoured);
        let mut pending = store.start_create("a", Bytes::from_static(b"x"), exclusive);
        assert!(pending.poll().is_none(), "it has not run yet");
        for _ in 0..2 {
            assert_eq!(fate_of(&pending.wait().await), Fate::Durable);
            assert_eq!(fate_of(&pending.poll().unwrap()), Fate::Durable);
        }
        let mut again = store.start_create("a", Bytes::from_static(b"y"), exclusive);
        for _ in 0..2 {
            assert_eq!(fate_of(&again.wait().await), Fate::Exists);
            assert_eq!(fate_of(&again.poll().unwrap()), Fate::Exists);
        }
    }
}

#[tokio::test]
async fn pending_create_dropped_runs_to_its_end() {
    let store = Fake::new().store(ConditionalCreate::Honoured);
    drop(store.start_create("a", Bytes::from_static(b"x"), false));
    for _ in 0..1000 {
        tokio::task::yield_now().await;
        if store.get("a", None).await.is_ok() {
            return;
        }
    }
    panic!("the create was lost");
}

#[test]
fn pending_create_of_a_stopped_runtime_is_unknown() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let store = Store::from_panicking();
    let mut pending = runtime.block_on(async { store.start_create("a", Bytes::new(), false) });
    runtime.shutdown_timeout(Duration::ZERO);
    assert!(matches!(pending.poll(), Some(Err(WriteError::Unknown(_)))));
    assert!(matches!(pending.poll(), Some(Err(WriteError::Unknown(_)))));
}

#[tokio::test]
async fn pending_create_that_panics_is_unknown() {
    for store in [Store::from_panicking(), Store::from_panicking_immediately()] {
        let mut pending = store.start_create("a", Bytes::new(), false);
        let fate = pending.wait().await;
        assert!(matches!(fate, Err(WriteError::Unknown(_))), "{fate:?}");
    }
}

#[tokio::test]
async fn pending_create_that_need_not_wait_is_done() {
    let store = Fake { puts_immediately: true, ..Fake::new() }.store(ConditionalCreate::Honoured);
    let mut pending = store.start_create("a", Bytes::from_static(b"x"), false);
    assert_eq!(fate_of(&pending.poll().unwrap()), Fate::Durable);
    assert_eq!(store.get("a", None).await.unwrap(), "x");
}

#[test]
fn pending_create_without_a_runtime_is_not_written() {
    let mut pending = Store::from_panicking().start_create("a", Bytes::new(), false);
    assert!(matches!(pending.poll(), Some(Err(WriteError::NotWritten(_)))));
}

/// Makes stores whose every put panics.
struct Store;

impl Store {
    fn from_panicking() -> crate::store::Store {
        Fake::new()
            .on_put(|_, _| panic!("asked for by the test"))
            .store(ConditionalCreate::Honoured)
    }

    fn from_panicking_immediately() -> crate::store::Store {
        let fake = Fake { puts_immediately: true, ..Fake::new() };
        fake.on_put(|_, _| panic!("asked for by the test")).store(ConditionalCreate::Honoured)
    }
}
