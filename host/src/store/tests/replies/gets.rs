//! Answers to reads of objects, and to checks of their existence.

use super::*;

const OBJECT: &str = "0123456789";

fn whole() -> Answer {
    Answer::new(200, OBJECT).of_object()
}

async fn get(server: &Server, scheme: &str) -> Result<bytes::Bytes, StoreError> {
    server.store(scheme).get("log/a", None).await
}

#[tokio::test]
async fn page_in_place_of_an_object_is_an_error() {
    let cases = [
        (
            Answer::new(200, LOGIN_PAGE).header("content-type", "text/html; charset=utf-8"),
            "text/html",
        ),
        (Answer::new(200, error("AccessDenied")).header("content-type", "application/xml"), "xml"),
        (
            Answer::new(200, OBJECT).header("content-encoding", "gzip"),
            "the content is encoded as gzip",
        ),
        (Answer::new(203, OBJECT), "the status is 203"),
        (Answer::new(202, OBJECT), "the status is 202"),
        (Answer::new(304, ""), "the status is 304"),
        // A part that was not requested would be taken for the whole.
        (
            Answer::new(206, &OBJECT[..5]).header("content-range", "bytes 0-4/10"),
            "the status is 206",
        ),
    ];
    for scheme in SCHEMES {
        for (answer, words) in &cases {
            let answer = answer.clone().of_object();
            let server = Server::start(move |_| answer.clone());
            let error = get(&server, scheme).await.unwrap_err();
            assert_final(scheme, &error, words);
            assert!(error.message.contains("the server's answer is not the object"), "{error}");
            assert_eq!(server.seen().len(), 1, "{scheme}: {words}");
        }
        let server = Server::start(|_| whole());
        assert_eq!(get(&server, scheme).await.unwrap(), OBJECT, "{scheme}");
    }
}

#[tokio::test]
async fn object_may_have_the_type_of_a_page_that_a_setting_gives_it() {
    let server = Server::start(|_| whole().header("content-type", "text/html"));
    let store = server.store_with("s3", &["default_content_type=text/html; charset=utf-8"]);
    assert_eq!(store.get("log/a", None).await.unwrap(), OBJECT);
    assert!(get(&server, "s3").await.is_err());
}

#[tokio::test]
async fn range_is_the_one_that_was_asked_for() {
    let cases = [
        (206, "bytes 2-4/10", "234", true),
        (206, "bytes 3-5/10", "345", false),
        (206, "bytes 2-5/10", "2345", false),
        (206, "bytes 2-4/3", "234", false),
        (206, "bytes 2-4/*", "234", false),
        (206, "", "234", false),
        (200, "bytes 2-4/10", "234", false),
    ];
    for scheme in SCHEMES {
        for (status, range, body, is_right) in cases {
            let server = Server::start(move |_| {
                Answer::new(status, body).of_object().header("content-range", range)
            });
            let found = server.store(scheme).get("log/a", Some(2..5)).await;
            assert_eq!(found.is_ok(), is_right, "{scheme} {status} {range}: {found:?}");
        }
    }
}

#[tokio::test]
async fn bytes_that_are_not_those_of_the_checksum_are_an_error_that_passes() {
    let sums = [
        ("gs", "x-goog-hash", "crc32c=KAwGng==", "CRC32C"),
        ("gs", "x-goog-hash", "md5=eB5eJF1ptWaXm4bijSPyxw==,crc32c=KAwGng==", "CRC32C"),
        ("gs", "x-goog-hash", "md5=eB5eJF1ptWaXm4bijSPyxw==", "MD5"),
        ("az", "content-md5", "eB5eJF1ptWaXm4bijSPyxw==", "MD5"),
        ("s3", "x-amz-checksum-crc32", "poTHxg==", "CRC32"),
        ("s3", "x-amz-checksum-sha256", "hNiYd/DUBB77a/kaFvAkjy/Vc+avBcGflr7bn4gveII=", "SHA-256"),
    ];
    for (scheme, header, value, name) in sums {
        for (body, is_right) in [(OBJECT, true), ("0123456780", false)] {
            let server =
                Server::start(move |_| Answer::new(200, body).of_object().header(header, value));
            let found = get(&server, scheme).await;
            if is_right {
                assert_eq!(found.unwrap(), OBJECT, "{scheme} {header}");
                continue;
            }
            let error = found.unwrap_err();
            assert_eq!(error.kind, Kind::Unavailable, "{scheme} {header}: {error}");
            assert!(error.message.contains(&format!("do not have the {name}")), "{error}");
        }
    }
    // A checksum of parts, of an unknown kind, or without a readable value is ignored.
    for (header, value) in [
        ("x-amz-checksum-crc32", "poTHxg==-3"),
        ("x-amz-checksum-sha1", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ("content-md5", "none"),
    ] {
        let server = Server::start(move |_| whole().header(header, value));
        assert_eq!(get(&server, "s3").await.unwrap(), OBJECT, "{header}");
    }
}

#[tokio::test]
async fn missing_object_is_one_that_the_store_says_is_missing() {
    for scheme in ["s3", "gs", "az"] {
        for (body, words) in [
            (LOGIN_PAGE, "404 Not Found, and the root element is <html>"),
            ("default backend - 404", "404 Not Found, and the body is not XML"),
        ] {
            let server = Server::start(move |_| Answer::new(404, body));
            let error = get(&server, scheme).await.unwrap_err();
            assert_final(scheme, &error, words);
            assert_eq!(server.seen().len(), 1, "{scheme}");
        }
        for body in [error("NoSuchKey"), String::new()] {
            let server = Server::start(move |_| Answer::new(404, body.clone()));
            assert_eq!(get(&server, scheme).await.unwrap_err().kind, Kind::NotFound, "{scheme}");
        }
    }
    // WebDAV servers answer in various ways.
    let server = Server::start(|_| Answer::new(404, LOGIN_PAGE));
    assert_eq!(get(&server, "http").await.unwrap_err().kind, Kind::NotFound);
}

#[tokio::test]
async fn answer_from_elsewhere_is_no_answer() {
    let page = Server::start(|_| Answer::new(200, "welcome").of_object());
    for scheme in SCHEMES {
        for (status, method) in [(302, "GET"), (303, "GET"), (307, "GET"), (303, "PUT")] {
            let to = format!("{}/login", page.url());
            let server = Server::start(move |_| Answer::new(status, "").header("location", &to));
            let store = server.store(scheme);
            let error = match method {
                "GET" => store.get("log/a", None).await.unwrap_err(),
                _ => match store.create("log/a", "bytes".into(), false).await.unwrap_err() {
                    WriteError::Unknown(error) | WriteError::NotWritten(error) => error,
                    WriteError::AlreadyExists => panic!("{scheme} {status}: it exists"),
                },
            };
            assert_final(scheme, &error, "the request was redirected to 127.0.0.1/login");
        }
        // As when a bucket has moved to another region: the same path and query.
        let object = Server::start(|_| whole());
        let to = object.url();
        let server = Server::start(move |asked| {
            Answer::new(307, "").header("location", &format!("{to}{}", asked.target))
        });
        assert_eq!(get(&server, scheme).await.unwrap(), OBJECT, "{scheme}");
    }
}
