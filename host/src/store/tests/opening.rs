//! Opening stores on the network: options, environment, credentials. Nothing is requested.

use std::time::Duration;

use super::TempFolder;
use crate::store::{Location, OpenError, OptionError, Store, StoreOptions};

pub(super) fn open<T: AsRef<str>>(
    text: &str,
    options: &[T],
    environment: Variables<'_>,
) -> Result<Store, OpenError> {
    let root = Location::parse(text).unwrap().root;
    let options = StoreOptions::parse(options)?;
    let environment = environment.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    Store::open_in(&root, &options, &environment)
}

/// No options.
pub(super) const NONE: [&str; 0] = [];

pub(super) type Variables<'a> = &'a [(&'a str, &'a str)];

const AWS: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", "id12"), ("AWS_SECRET_ACCESS_KEY", "hunter2")];

#[test]
fn open_with_credentials_succeeds() {
    let azure =
        [("AZURE_STORAGE_ACCOUNT_NAME", "acc"), ("AZURE_STORAGE_ACCOUNT_KEY", "aHVudGVyMg==")];
    let cases: [(&str, &[&str], Variables); 16] = [
        ("s3://bucket/a/x", &[], &AWS),
        ("s3://bucket/x", &["aws_skip_signature=true"], &[]),
        ("s3://bucket/x", &["aws_access_key_id=a", "secret_access_key=b", "region=r"], &[]),
        ("s3://bucket/x", &["instance_credentials=true"], &[]),
        ("s3://bucket/x", &["retry_max=3", "retry_timeout=20", "timeout=5s"], &AWS),
        ("s3://bucket/x", &["aws_endpoint=http://h:1", "aws_allow_http=true"], &AWS),
        ("s3://bucket/x", &["aws_endpoint=http://h:1", "allow_http=true"], &AWS),
        ("gs://bucket/x", &["google_bearer_token=t"], &[]),
        ("gs://bucket/x", &["google_skip_signature=true"], &[]),
        ("gs://b12/x", &["google_base_url=http://h:1", "allow_http=true", "bearer_token=t"], &[]),
        ("az://container/x", &[], &azure),
        ("az://container/x", &["azure_storage_use_emulator=true"], &[]),
        ("abfss://c@acc.dfs.core.windows.net/x", &["azure_storage_account_key=aHVudA=="], &[]),
        ("http://host/x", &[], &[]),
        ("https://host:99/a/x", &["timeout=3s"], &[]),
        ("memory:x", &[], &AWS),
    ];
    for (text, options, environment) in cases {
        let store = open(text, options, environment).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert!(format!("{store:?}").contains(store.description()));
    }
}

/// Building a client without a provider of cryptography panics. So does building one of the clients
/// that fetch credentials for the library.
#[test]
fn open_over_https_finds_cryptography_for_every_client() {
    let account = ("AZURE_STORAGE_ACCOUNT_NAME", "acc");
    let folder = TempFolder::new();
    std::fs::write(folder.0.join("token"), "token").unwrap();
    let token = format!("aws_web_identity_token_file={}/token", folder.0.display());
    let cases: [(&str, &[&str], Variables); 9] = [
        ("s3://bucket/x", &["aws_endpoint=https://h:1"], &AWS),
        ("s3://bucket/x", &[&token, "aws_role_arn=arn:aws:r"], &[]),
        ("s3://bucket/x", &["aws_container_credentials_relative_uri=/v2/c"], &[]),
        ("s3://bucket/x", &["instance_credentials=true"], &[]),
        ("gs://bucket/x", &["google_bearer_token=token"], &[]),
        ("gs://bucket/x", &["instance_credentials=true"], &[]),
        ("az://container/x", &["account_key=aHVudGVyMg=="], &[account]),
        ("az://container/x", &["instance_credentials=true"], &[account]),
        ("https://host/x", &[], &[]),
    ];
    for (text, options, environment) in cases {
        open(text, options, environment).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
    assert!(rustls::crypto::CryptoProvider::get_default().is_some());
}

#[test]
fn open_without_credentials_says_what_to_set() {
    let home = [("HOME", "/nowhere/at/all")];
    let cases: [(&str, Variables, &str); 6] = [
        ("s3://bucket/x", &[], "AWS_ACCESS_KEY_ID"),
        ("s3://bucket/x", &[("AWS_ACCESS_KEY_ID", "")], "AWS_ACCESS_KEY_ID"),
        ("s3://bucket/x", &[("AWS_REGION", "eu")], "instance_credentials=true"),
        ("gs://bucket/x", &home, "GOOGLE_APPLICATION_CREDENTIALS"),
        ("az://container/x", &[], "AZURE_STORAGE_ACCOUNT_NAME"),
        ("az://container/x", &[("AZURE_STORAGE_ACCOUNT_NAME", "a")], "AZURE_STORAGE_ACCOUNT_KEY"),
    ];
    for (text, environment, expected) in cases {
        let error = open(text, &NONE, environment).expect_err(text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
        assert!(error.contains(text.trim_end_matches("/x")), "{text}: {error}");
    }
}

#[test]
fn open_over_plain_http_needs_a_word() {
    let cases: [(&str, &[&str]); 3] = [
        ("s3://bucket/x", &["aws_endpoint=http://h:1", "skip_signature=true"]),
        ("gs://bucket/x", &["google_base_url=http://h:1", "bearer_token=t"]),
        ("az://c/x", &["account_name=a", "azure_endpoint=http://h:1/a", "account_key=aHVudA=="]),
    ];
    for (text, options) in cases {
        let error = open(text, options, &[]).unwrap_err();
        assert!(matches!(error, OpenError::PlainHttp { .. }), "{text}: {error}");
        assert!(error.to_string().contains("allow_http=true"), "{error}");
    }
}

#[test]
fn unknown_options_are_refused_with_the_nearest() {
    let cases = [
        ("s3://bucket/x", "aws_regoin=x", "aws_region"),
        ("s3://bucket/x", "acces_key_id=x", "aws_access_key_id"),
        ("s3://bucket/x", "retries=x", "retry_max"),
        ("gs://bucket/x", "service_acount=x", "google_service_account"),
        ("az://container/x", "azure_acount_name=x", "azure_storage_account_name"),
        ("https://host/x", "time_out=x", "timeout"),
        ("/tmp/x", "aws_region=x", "this store takes no options"),
        ("memory:x", "retry_max=3", "this store takes no options"),
    ];
    for (text, option, expected) in cases {
        let error = open(text, &[option], &AWS).expect_err(option);
        assert!(matches!(error, OpenError::Option(OptionError::Unknown { .. })), "{error}");
        let shown = error.to_string();
        assert!(
            shown.contains(expected) && shown.contains(option.split('=').next().unwrap()),
            "{shown}"
        );
    }
    // A text that does not look like a name may be a secret that contains a `=`.
    for option in ["uexbtlrfrhnly3jldfbmqu5urursc2vjcmv0ndi=", "Hunter2=", "hunter2=x"] {
        for text in ["s3://bucket/x", "gs://bucket/x", "https://host/x", "/tmp/x"] {
            let error = open(text, &["region=x", option], &AWS).or(open(text, &[option], &AWS));
            let shown = format!("{:?}", error.unwrap_err()).to_lowercase();
            assert!(!shown.contains(option.to_lowercase().split('=').next().unwrap()), "{shown}");
            let options = StoreOptions::parse([option]).unwrap();
            assert!(!format!("{options:?}").to_lowercase().contains("hunter2"), "{options:?}");
        }
    }
    for option in ["bucket=b", "aws_bucket_name=b"] {
        let error = open("s3://bucket/x", &[option], &AWS).unwrap_err();
        assert!(matches!(error, OpenError::Option(OptionError::BucketInOption { .. })));
    }
}

#[test]
fn options_that_are_wrong_are_refused_without_their_values() {
    let cases = ["hunter2", "=hunter2", "retry_max=hunter2", "retry_max=101", "retry_timeout=0"];
    for option in cases.into_iter().chain(["instance_credentials=hunter2"]) {
        let error = StoreOptions::parse([option]).expect_err(option);
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
    let options = StoreOptions::parse(["aws_secret_access_key=hunter2", "retry_max=7"]).unwrap();
    let shown = format!("{options:?}");
    assert!(!shown.contains("hunter2") && shown.contains("aws_secret_access_key"), "{shown}");
    assert_eq!((options.retry_max, options.timeout), (Some(7), Duration::from_secs(60)));
}
