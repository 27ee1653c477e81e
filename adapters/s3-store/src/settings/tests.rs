//! Settings from variables of the environment.

use super::*;

const GOOD: [(&str, &str); 3] = [
    ("STRATALOG_ROOT", "s3://logs/app/errors/"),
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "sEcReT"),
];

fn read(more: &[(&str, &str)]) -> Result<Settings, StoreError> {
    Settings::read(|name| {
        let all = more.iter().chain(&GOOD);
        let found = all.into_iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn few_settings_are_needed() {
    let found = read(&[]).unwrap();
    assert_eq!(found.description, "s3://logs/app/errors");
    assert_eq!(found.prefix, "app/errors/");
    assert_eq!(found.endpoint, Endpoint::of_amazon("logs", "us-east-1", false));
    assert_eq!(found.timeout, Duration::from_secs(60));
    assert!(found.signs_bodies && found.deletes_in_bulk && found.has_conditional_create);
    let root = read(&[("STRATALOG_ROOT", "s3://logs")]).unwrap();
    assert_eq!((root.prefix.as_str(), root.description.as_str()), ("", "s3://logs/"));
}

#[test]
fn more_specific_settings_come_first() {
    let regions = [("AWS_REGION", "eu-west-1"), ("AWS_DEFAULT_REGION", "eu-west-2")];
    assert_eq!(read(&regions).unwrap().region, "eu-west-1");
    assert_eq!(read(&[("AWS_REGION", ""), regions[1]]).unwrap().region, "eu-west-2");
    let urls = [("AWS_ENDPOINT_URL_S3", "https://s3.test"), ("AWS_ENDPOINT", "https://all.test")];
    assert_eq!(read(&urls).unwrap().endpoint.authority, "s3.test");
}

#[test]
fn encryption_becomes_headers_of_creates() {
    let algorithm = ("AWS_SERVER_SIDE_ENCRYPTION", "aws:kms");
    let found = read(&[algorithm, ("AWS_SSE_KMS_KEY_ID", "key/1")]).unwrap().create_headers;
    let name = "x-amz-server-side-encryption";
    assert_eq!(found.first(), Some(&(name, "aws:kms".to_owned())));
    assert_eq!(found.len(), 2);
    for bad in [
        &[("AWS_SSE_KMS_KEY_ID", "key/1")][..],
        &[("AWS_SERVER_SIDE_ENCRYPTION", "sse-c")],
        &[algorithm, ("AWS_SSE_KMS_KEY_ID", "key 1")],
        &[("AWS_SERVER_SIDE_ENCRYPTION", "AES256"), ("AWS_SSE_BUCKET_KEY_ENABLED", "true")],
    ] {
        assert!(read(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn setting_that_cannot_be_followed_is_refused_without_its_value() {
    let cases = [
        ("STRATALOG_ROOT", "file:///sEcReT2"),
        ("STRATALOG_ROOT", "s3://logs/../sEcReT2"),
        ("STRATALOG_ROOT", "s3://logs/a#sEcReT2"),
        ("STRATALOG_ROOT", "s3://logs/a?sEcReT2/b"),
        ("AWS_ENDPOINT", "http://sEcReT2"),
        ("AWS_ENDPOINT_URL", "https://user:sEcReT2@s3.test"),
        ("AWS_ENDPOINT", "https://s3.test:99999"),
        ("AWS_ENDPOINT_URL_S3", "https://s3.test:sEcReT2"),
        ("AWS_DEFAULT_REGION", "sEcReT2/x"),
        ("AWS_ACCESS_KEY_ID", "sEcReT2\n"),
        ("AWS_REGION", "sEcReT2/x"),
        ("AWS_SESSION_TOKEN", "sEcReT2 x"),
        ("AWS_SECRET_ACCESS_KEY", ""),
        ("AWS_SECRET_ACCESS_KEY", "sEcReT2\n"),
        ("AWS_SECRET_ACCESS_KEY", "sEcReT2ü"),
        ("AWS_SSE_CUSTOMER_KEY_BASE64", "sEcReT2"),
        ("AWS_UNSIGNED_PAYLOAD", "sEcReT2"),
        ("AWS_CONDITIONAL_PUT", "sEcReT2"),
        ("AWS_S3_EXPRESS", "true"),
        ("STRATALOG_RETRY_TIMEOUT", "241"),
    ];
    for case in cases {
        let error = read(&[case]).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Invalid, "{case:?}");
        // The key without its secret is the one that cannot be used.
        let (name, value) = case;
        let named = if value.is_empty() { "AWS_ACCESS_KEY_ID" } else { name };
        let start = format!("cannot use {named}: ");
        assert!(error.message.starts_with(&start), "{case:?}: {}", error.message);
        assert!(!error.message.contains("sEcReT"), "{}", error.message);
    }
}

#[test]
fn bucket_without_signatures_needs_no_credentials() {
    let none = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")];
    assert!(read(&none).is_err());
    let unsigned = [none[0], none[1], ("AWS_SKIP_SIGNATURE", "true")];
    assert_eq!(read(&unsigned).unwrap().credentials, None);
}

#[test]
fn texts_of_others_are_shown_without_secrets_in_one_line() {
    let settings = read(&[("AWS_SESSION_TOKEN", "tOkEn")]).unwrap();
    let found = settings.clean("the key AKIDEXAMPLE\nhas\u{202e} sEc\u{200b}ReT and tOkEn");
    assert_eq!(found, "the key *** has *** and ***");
    assert_eq!(settings.clean(&"x".repeat(1_000)).len(), 800);
    let short = read(&[("AWS_ACCESS_KEY_ID", "a")]).unwrap();
    assert_eq!(short.clean("no answer"), "no answer");
    assert!(!format!("{settings:?}").contains("sEcReT"));
}
