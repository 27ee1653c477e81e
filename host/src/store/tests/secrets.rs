//! Tests that secrets stay out of messages.

use bytes::Bytes;
use object_store::Error;

use super::{Fake, OnPut};
use crate::store::config::redact::{Redactor, hide_secrets};
use crate::store::config::settings::user_of_url;
use crate::store::{ConditionalCreate, WriteError};

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

#[test]
fn secrets_are_hidden_while_their_store_is_open() {
    const SECRET: &str = "open/Store+secret";
    let redactor = Redactor::new([SECRET.to_owned()]);
    for form in [SECRET, "open%2FStore%2Bsecret", "open\u{200b}/Store+secret"] {
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
