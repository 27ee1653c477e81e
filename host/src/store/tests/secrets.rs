//! Secrets stay out of messages.

use bytes::Bytes;
use object_store::Error;

use super::{Fake, OnPut};
use crate::store::ConditionalCreate;
use crate::store::redact::Redactor;

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
        ("line\none", "line one"),
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
