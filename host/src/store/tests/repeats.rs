//! Tests of the repeated requests, and of the time limit of the repetition.

use std::time::{Duration, Instant};

use super::http::{Answer, Server};
use crate::store::{StoreErrorKind as Kind, WriteError};

fn error(code: &str) -> String {
    format!("<Error><Code>{code}</Code><Message>said</Message></Error>")
}

#[tokio::test]
async fn codes_that_pass_are_repeated_whatever_their_status() {
    let codes = [
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "InternalError",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    ];
    for code in codes {
        for status in [400, 403, 409] {
            let server = Server::start(move |_| Answer::new(status, error(code)));
            let store = server.store_with("s3", &["retry_max=1"]);
            let fate = store.create("log/a", "bytes".into(), false).await;
            // The request may have been carried out.
            let Err(WriteError::Unknown(failed)) = fate else { panic!("{code}: {fate:?}") };
            assert_eq!(failed.kind, Kind::Unavailable, "{code}: {failed}");
            assert!(failed.message.contains(code), "{code}: {failed}");
            let read = store.get("log/a", None).await.unwrap_err();
            assert_eq!(read.kind, Kind::Unavailable, "{code}: {read}");
            assert_eq!(server.seen().len(), 4, "{code} {status}");
        }
    }
}

#[tokio::test]
async fn permanent_failure_is_not_repeated() {
    let cases = [
        (403, "RequestTimeTooSkewed", Kind::PermissionDenied, "credentials"),
        (400, "RequestTimeTooSkewed", Kind::Invalid, "the clock of this machine is wrong"),
        (400, "InvalidArgument", Kind::Invalid, "InvalidArgument"),
        (403, "AccessDenied", Kind::PermissionDenied, "AccessDenied"),
        (501, "NotImplemented", Kind::Unsupported, "aws_conditional_put=disabled"),
    ];
    for (status, code, kind, words) in cases {
        let server = Server::start(move |_| Answer::new(status, error(code)));
        let store = server.store_with("s3", &[]);
        let fate = store.create("log/a", "bytes".into(), false).await;
        let Err(WriteError::NotWritten(failed)) = fate else { panic!("{code}: {fate:?}") };
        assert_eq!(failed.kind, kind, "{code}: {failed}");
        assert!(failed.message.contains(words), "{code}: {failed}");
        assert_eq!(server.seen().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn retries_continue_until_the_timeout_unless_they_are_counted() {
    let server = Server::start(|_| Answer::new(503, error("SlowDown")));
    let begun = Instant::now();
    let store = server.store_with("s3", &["retry_timeout=4"]);
    let failed = store.get("log/a", None).await.unwrap_err();
    assert_eq!(failed.kind, Kind::Unavailable);
    let elapsed = begun.elapsed();
    // Ten retries took about two seconds.
    assert!(elapsed >= Duration::from_millis(3_900), "given up after {elapsed:?}");
    assert!(failed.message.contains("not done within 4s"), "{failed}");
    // A server that is down is asked now and then, not all the time.
    let requests = server.seen().len();
    assert!((2..=25).contains(&requests), "{requests} requests in {elapsed:?}");

    let server = Server::start(|_| Answer::new(503, error("SlowDown")));
    let store = server.store_with("s3", &["retry_timeout=60", "retry_max=1"]);
    let failed = store.get("log/a", None).await.unwrap_err();
    assert!(failed.message.contains("SlowDown"), "{failed}");
    assert_eq!(server.seen().len(), 2);
}
