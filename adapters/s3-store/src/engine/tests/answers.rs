//! The outcome of a call after each answer of a server, and the requests that follow.

use stratalog_store_exports::store::Listing as _;

use super::*;
use crate::delete;
use crate::listing::BucketListing;

/// An answer with a status, headers and a body.
fn answer(
    status: u16,
    headers: &[(&str, &str)],
    body: &'static str,
) -> Option<Result<Answer, Broken>> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Some(Ok(Answer { status, headers: headers.collect(), body: body.into() }))
}

fn fate(outcome: &Result<(), WriteError>) -> (&'static str, Option<StoreErrorKind>) {
    match outcome {
        Ok(()) => ("durable", None),
        Err(WriteError::AlreadyExists) => ("exists", None),
        Err(WriteError::NotWritten(error)) => ("not written", Some(error.kind)),
        Err(WriteError::Unknown(error)) => ("unknown", Some(error.kind)),
    }
}

#[test]
fn fate_of_a_create_follows_from_its_answer() {
    use StoreErrorKind::{Invalid, Other, PermissionDenied, Unsupported};
    let table = [
        (error(403, "AccessDenied"), ("not written", Some(PermissionDenied))),
        (error(412, "PreconditionFailed"), ("exists", None)),
        (error(501, "NotImplemented"), ("not written", Some(Unsupported))),
        (status(307), ("not written", Some(Invalid))),
        (answer(200, &[], "<html>log in</html>"), ("unknown", Some(Other))),
        (answer(404, &[], "<html>none</html>"), ("not written", Some(Other))),
        (status(202), ("unknown", Some(Other))),
    ];
    for (answered, expected) in table {
        let (outcome, sent) = create([answered.clone()]);
        assert_eq!((fate(&outcome), sent), (expected, 1), "{answered:?}");
    }
}

#[test]
fn answer_that_is_not_the_object_is_refused() {
    use StoreErrorKind::{Other, Unsupported};
    let range = ("content-range", "bytes 0-1/9");
    let table = [
        (answer(206, &[range], "abc"), None, Other),
        (answer(206, &[("content-range", "bytes 1-2/9")], "ab"), None, Other),
        (answer(206, &[], "ab"), None, Other),
        (answer(200, &[], "ab"), Some(0..2), Unsupported),
        (answer(200, &[("content-type", "text/html")], "ab"), None, Other),
        (answer(200, &[("content-encoding", "gzip")], "ab"), None, Other),
        (answer(202, &[], "ab"), None, Other),
        (answer(404, &[], "<html/>"), None, Other),
    ];
    for (answered, wanted, kind) in table {
        let (_, engine) = engine([answered.clone()]);
        let refused = read::get(&engine, "a", wanted).unwrap_err();
        assert_eq!(refused.kind, kind, "{answered:?}: {refused}");
        assert!(refused.message.contains("\"a\""), "{refused}");
    }
    // One that is shorter than announced is requested again.
    let short = answer(200, &[("content-length", "5")], "ab");
    let (server, engine) = engine([short, answer(200, &[], "whole")]);
    assert_eq!(read::get(&engine, "a", None).unwrap(), b"whole");
    assert_eq!(server.sent.borrow().len(), 2);
}

#[test]
fn failed_deletes_are_reported_key_by_key() {
    const RESULT: &str = "<DeleteResult><Deleted><Key>app/1</Key></Deleted><Error><Key>app/2</Key>\
                          <Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>";
    use StoreErrorKind::{Invalid, Other, PermissionDenied, Unavailable};
    let delete = |script: Vec<_>, keys: &[&str]| {
        let (server, engine) = engine(script);
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        let failures = delete::delete(&engine, keys).into_iter();
        let mut kinds: Vec<_> = failures.map(|failed| (failed.key, failed.error.kind)).collect();
        kinds.sort_by(|one, other| one.0.cmp(&other.0));
        (kinds, server)
    };
    let failed = |failures: &[(&str, StoreErrorKind)]| -> Vec<(String, StoreErrorKind)> {
        failures.iter().map(|(key, kind)| ((*key).to_owned(), *kind)).collect()
    };
    let (found, server) = delete(vec![answer(200, &[], RESULT)], &["1", "2", "3", "../4"]);
    let expected = [("../4", Invalid), ("2", PermissionDenied), ("3", Unavailable)];
    assert_eq!(found, failed(&expected));
    let request = &server.sent.borrow()[0];
    assert_eq!(request.path_with_query, "/logs?delete=");
    assert!(!header(request, "content-md5").is_empty());
    // A result with another key is no result.
    let stray = "<DeleteResult><Deleted><Key>app/9</Key></Deleted></DeleteResult>";
    let (found, _) = delete(vec![answer(200, &[], stray)], &["1", "2"]);
    assert_eq!(found, failed(&[("1", Other), ("2", Other)]));
    // What is temporary is requested again.
    let busy = "<DeleteResult><Error><Key>app/1</Key><Code>SlowDown</Code></Error></DeleteResult>";
    let done = "<DeleteResult><Deleted><Key>app/1</Key></Deleted></DeleteResult>";
    let (found, _) = delete(vec![answer(200, &[], busy), answer(200, &[], done)], &["1"]);
    assert_eq!(found, []);
}

#[test]
fn listing_continues_by_tokens_behind_its_start() {
    let script = [
        answer(
            200,
            &[],
            "<ListBucketResult><Prefix>app/a/</Prefix><KeyCount>0</KeyCount>\
             <IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>\
             </ListBucketResult>",
        ),
        answer(
            200,
            &[],
            "<ListBucketResult><Prefix>app/a/</Prefix><KeyCount>2</KeyCount>\
             <IsTruncated>false</IsTruncated><Contents><Key>app/a/1</Key><Size>1</Size></Contents>\
             <Contents><Key>app/a/2</Key><Size>1</Size></Contents></ListBucketResult>",
        ),
    ];
    let (server, engine) = engine(script);
    let start = Some("a/1".to_owned());
    let mut listing = BucketListing::new(Rc::clone(&engine), "a/".to_owned(), start);
    let page = listing.next(10).unwrap();
    assert!(page.objects.iter().map(|object| object.key.as_str()).eq(["a/2"]) && !page.more);
    let sent = server.sent.borrow();
    assert!(sent[0].path_with_query.contains("start-after=app%2Fa%2F1"));
    assert!(sent[1].path_with_query.contains("continuation-token=t"));
}

#[test]
fn listing_of_nothing_but_empty_pages_ends_at_the_time_limit() {
    let empty = |token: u32| {
        let body = format!(
            "<ListBucketResult><Prefix>app/a/</Prefix><KeyCount>0</KeyCount>\
             <IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>\
             </ListBucketResult>"
        );
        Some(Ok(Answer { status: 200, body: body.into(), ..Answer::default() }))
    };
    let (server, engine) = engine((0..1_000).map(empty).collect::<Script>());
    // Less than what counts as time that the caller has spent.
    server.takes.set(Duration::from_millis(500));
    let error = BucketListing::new(engine, "a/".to_owned(), None).next(10).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unavailable);
    assert!(error.message.contains("only empty pages for 60 s"), "{}", error.message);
    assert_eq!(server.sent.borrow().len(), 120);
}

#[test]
fn request_is_signed_with_its_token_in_the_style_of_the_settings() {
    let request = |more: &[(&str, &str)]| {
        let settings = Settings::read(|name| {
            let known = [
                ("STRATALOG_ROOT", "s3://logs/app"),
                ("AWS_ENDPOINT", "https://s3.example.org"),
                ("AWS_ACCESS_KEY_ID", "AKI"),
                ("AWS_SECRET_ACCESS_KEY", "SEC"),
            ];
            let found = known.iter().chain(more).find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        Request::object(Method::Put, "a b").signed(&settings.unwrap(), Duration::ZERO)
    };
    let has = |sent: &Outgoing, name: &str| sent.headers.iter().any(|(known, _)| known == name);
    let sent = request(&[("AWS_SESSION_TOKEN", "tOkEn")]);
    assert_eq!(sent.path_with_query, "/logs/app/a%20b");
    assert_eq!(header(&sent, "x-amz-security-token"), "tOkEn");
    assert!(header(&sent, "authorization").contains("x-amz-security-token"));
    // The host adds it.
    assert!(!has(&sent, "host"));
    assert_eq!(header(&sent, "content-length"), "0");
    let style = [("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "true"), ("AWS_SKIP_SIGNATURE", "true")];
    let sent = request(&style);
    assert_eq!(sent.path_with_query, "/app/a%20b");
    assert!(!has(&sent, "authorization"));
}
