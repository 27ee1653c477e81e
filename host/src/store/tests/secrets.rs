//! Tests that secrets stay out of messages.

use bytes::Bytes;
use object_store::Error;

use super::{Fake, OnPut};
use crate::store::config::redact::{Redactor, hide_secrets};
use crate::store::config::settings::user_of_url;
use crate::store::{ConditionalCreate, WriteError};

#[test]
fn foreign_texts_lose_their_secrets_and_keep_the_rest() {
    let redactor = Redactor::new(["hunter2".to_owned(), "abc".to_owned()]);
    let cases = [
        ("plain text stays", "plain text stays"),
        ("abc is too short to be hidden", "abc is too short to be hidden"),
        ("key hunter2!", "key ***!"),
        ("PUT https://h/a/b?X-Amz-Signature=00ff in 1s", "PUT https://h/a/b?*** in 1s"),
        ("at http://user:pass@h:80/x ok", "at http://***@h:80/x ok"),
        ("at http://u:p/q@h/x", "at http://***@h/x"),
        ("at http://u:p?q@h/x", "at http://***@h/x?***"),
        ("\"https://h/?sig=1\" and https://i/?t=2", "\"https://h/?***\" and https://i/?***"),
        ("Authorization: Bearer ey.x.y, next", "Authorization: Bearer ***, next"),
        (
            "Credential: x-amz-credential=AK/1&Signature=9f a",
            "Credential: x-amz-credential=***&Signature=*** a",
        ),
        ("use aws_skip_signature=true here", "use aws_skip_signature=true here"),
        ("abfss://CONTAINER@a.dfs.net/N", "abfss://CONTAINER@a.dfs.net/N"),
        ("abfss://c:hunter3@a.dfs.net/N", "abfss://***@a.dfs.net/N"),
        ("line\none", "line one"),
        ("x-amz-security-token: AQoDY\r\nnext: 1", "x-amz-security-token: ***  next: 1"),
        (r#"{"x-ms-encryption-key": "abcd", "a": 1}"#, r#"{"x-ms-encryption-key": "***", "a": 1}"#),
        ("SignedHeaders=host;x-amz-security-token;b", "SignedHeaders=host;x-amz-security-token;b"),
        ("Authorization: Basic dXNlcjpwYXNzd29yZA==", "Authorization: Basic ***"),
        ("a basic matter", "a basic matter"),
        ("line: [45, 45, 45, 45, 66, 69]", "line: [***]"),
        ("sizes [1, 2] and [1000, 2000, 3000, 4000]", "sizes [1, 2] and [1000, 2000, 3000, 4000]"),
        (
            "token eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJodHRwcyJ9.c2ln ends",
            "token eyJ*** ends",
        ),
        (
            "403: <?xml version=\"1.0\"?><Error><Code>Denied</Code><Message>No way</Message>\
             <StringToSign>AWS4 secret</StringToSign></Error>",
            "403: Denied: No way",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(redactor.clean(text), expected);
    }
    assert!(redactor.clean(&"ü".repeat(5000)).chars().count() <= 800);
    assert!(!format!("{redactor:?}").contains("hunter2"));
}

#[tokio::test]
async fn errors_of_a_store_lose_urls_with_secrets() {
    let store = Fake::new()
        .on_put(|_, _| {
            OnPut::Fail(Error::Generic {
                store: "S3",
                source: "PUT https://me:hunter2@host/k?sig=hunter2 failed".into(),
            })
        })
        .store(ConditionalCreate::Honoured);
    let error = store.create("a", Bytes::new(), false).await.unwrap_err();
    let shown = format!("{error} {error:?} {store:?}");
    assert!(!shown.contains("hunter2") && shown.contains("host/k"), "{shown}");
}

/// A secret with every character that some encoding changes.
const SECRET: &str = "Ab/cD+eF=gH&12";

#[test]
fn secrets_are_hidden_in_every_form() {
    let forms = [
        SECRET.to_owned(),
        SECRET.to_lowercase(),
        SECRET.to_uppercase(),
        "Ab%2FcD%2BeF%3DgH%2612".to_owned(),
        "Ab%2fcD%2beF%3dgH%2612".to_owned(),
        "ab%2fcd%2bef%3dgh%2612".to_owned(),
        "Ab%252FcD%252BeF%253DgH%252612".to_owned(),
        "Ab\\/cD+eF\\u003dgH\\u002612".to_owned(),
        "Ab/cD+eF=gH&amp;12".to_owned(),
        "QWIvY0QrZUY9Z0gmMTI=".to_owned(),
    ];
    let redactor = Redactor::new([SECRET.to_owned()]);
    for form in &forms {
        assert_eq!(redactor.clean(&format!("before {form} behind")), "before *** behind");
        assert_eq!(hide_secrets(&format!("before {form} behind")), "before *** behind");
    }
    drop(redactor);
    assert_eq!(hide_secrets(SECRET), SECRET, "of a store that is gone");
}

#[test]
fn users_in_urls_are_secrets_in_every_form() {
    for url in [
        "http://me:hunter%3D2@proxy:3128",
        "me:hunter%3D2@proxy:3128",
        "http://me:hunter%3D2@proxy:3128/path",
    ] {
        let redactor = Redactor::new(user_of_url(url));
        // As typed, decoded, and in the form of a header: base64 of `me:hunter=2`.
        for form in ["hunter%3D2", "hunter%3d2", "hunter=2", "bWU6aHVudGVyPTI="] {
            assert_eq!(redactor.clean(&format!("to {form} ok")), "to *** ok", "{url}");
        }
    }
    assert!(user_of_url("http://proxy:3128").is_empty());
}

#[tokio::test]
async fn store_that_panics_is_an_error_without_secrets() {
    let store = Fake::new()
        .on_put(|_, _| panic!("called on https://me:hunter2@host"))
        .on_get(|_| panic!("called on https://me:hunter2@host"))
        .store(ConditionalCreate::Honoured);
    let error = store.create("a", Bytes::new(), false).await.unwrap_err();
    assert!(matches!(error, WriteError::Unknown(_)), "{error}");
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("create \"a\" in fake: a library behind the store failed"), "{shown}");
    assert!(shown.contains("check the store's settings"), "{shown}");
    assert!(!shown.contains("hunter2") && shown.contains("***@host"), "{shown}");
}
