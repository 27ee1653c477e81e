//! Tests that unusable credentials are explained in our own words, and never repeated.

use super::TempFolder;
use super::opening::{NONE, open};
use crate::store::OpenError;

/// A part of every secret.
const SECRET: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC";

fn key_file(private_key: &str) -> String {
    format!(
        r#"{{"type": "service_account", "private_key_id": "0123456789abcdef",
            "client_email": "a@b", "private_key": "{private_key}"}}"#
    )
}

fn assert_no_secret(shown: &str) {
    assert!(!shown.to_lowercase().contains(&SECRET.to_lowercase()), "{shown}");
    // As numbers, in the form of a parser's error.
    assert!(!shown.contains("45, 45") && !shown.contains("77, 73"), "{shown}");
}

#[test]
fn unusable_keys_of_google_are_explained_without_their_text() {
    let pem = |ends: &str| {
        format!("-----BEGIN PRIVATE KEY-----{ends}{SECRET}{ends}-----END PRIVATE KEY-----{ends}")
    };
    let cases = [
        // In JSON, `\\n` is a backslash and an n.
        (key_file(&pem("\\\\n")), "is not PEM: its line ends are written as \\n"),
        (key_file(&pem(" ")), "is not PEM: it is one line"),
        (key_file(&pem("\\n")), "is not an RSA key"),
        (key_file(&format!("-----BEGIN PRIVATE KEY-----\\n{SECRET}")), "its end is missing"),
        (key_file(SECRET), "is not PEM: it does not begin with"),
        (key_file(&pem("\n")), "have to be written as \\n"),
        (key_file(&pem("\\n")).replace(SECRET, "?"), "is not PEM: a line of it is damaged"),
        (SECRET.to_owned(), "are not JSON: line 1, column 1"),
        (format!("\"{SECRET}\""), "are not a JSON object"),
        (format!("{{\"private_key\": [\"{SECRET}\"]}}"), "the private_key in"),
        (format!("{{\"{SECRET}\": 1}}"), "have no private_key"),
    ];
    let folder = TempFolder::new();
    let path = folder.0.join("key.json").display().to_string();
    for (text, expected) in cases {
        std::fs::write(&path, &text).unwrap();
        let ways = [
            ([format!("google_service_account={path}")], path.as_str()),
            ([format!("google_service_account_key={text}")], "google_service_account_key"),
        ];
        for ([option], origin) in ways {
            let error = open("gs://bucket/x", &[&option], &[]).expect_err(expected);
            let shown = format!("{error} {error:?}");
            assert!(matches!(error, OpenError::BadCredentials { .. }), "{shown}");
            assert!(error.to_string().contains(expected), "{expected}: {shown}");
            assert!(shown.contains(origin), "{shown}");
            assert_no_secret(&shown);
        }
    }
}

#[test]
fn application_default_credentials_are_looked_into() {
    let folder = TempFolder::new();
    let path = folder.0.join("adc.json").display().to_string();
    let user = format!(
        "{{\"type\": \"authorized_user\", \"client_id\": \"a\", \"client_secret\": \"{SECRET}\""
    );
    let cases = [
        (
            format!("{{\"type\": \"external_account\", \"token\": \"{SECRET}\"}}"),
            "external_account",
        ),
        (format!("{{\"type\": \"{SECRET}\"}}"), "do not have the type"),
        (format!("{user}}}"), "have no refresh_token"),
        (format!("{user}, \"refresh_token\": 1}}"), "is not a text"),
        (key_file("x").replace("\"x\"", "\"a\\\\nb\""), "its line ends are written as \\n"),
    ];
    for (text, expected) in cases {
        std::fs::write(&path, &text).unwrap();
        let variables = [("GOOGLE_APPLICATION_CREDENTIALS", path.as_str())];
        let error = open("gs://bucket/x", &NONE, &variables).expect_err(expected);
        assert!(error.to_string().contains(expected), "{expected}: {error}");
        assert_no_secret(&format!("{error} {error:?}"));
    }
    std::fs::write(&path, format!("{user}, \"refresh_token\": \"{SECRET}\"}}")).unwrap();
    open("gs://bucket/x", &NONE, &[("GOOGLE_APPLICATION_CREDENTIALS", path.as_str())]).unwrap();
}

#[test]
fn files_that_cannot_be_read_are_named_by_their_setting() {
    let folder = TempFolder::new();
    let own = folder.0.display().to_string();
    let cases = [
        ("gs://bucket/x", vec![format!("google_service_account={SECRET}")], "does not exist"),
        ("gs://bucket/x", vec![format!("google_service_account={own}")], "is not a file"),
        (
            "gs://bucket/x",
            vec![format!("google_service_account={}", key_file(SECRET).replace('\n', " "))],
            "has a key as its value",
        ),
        ("gs://bucket/x", vec![format!("application_credentials={SECRET}")], "does not exist"),
        (
            "s3://bucket/x",
            vec![format!("web_identity_token_file={SECRET}"), "role_arn=arn:a".to_owned()],
            "does not exist",
        ),
        (
            "az://container/x",
            vec![
                format!("federated_token_file={SECRET}"),
                "client_id=a".to_owned(),
                "tenant_id=b".to_owned(),
                "account_name=acc".to_owned(),
            ],
            "does not exist",
        ),
    ];
    for (location, options, expected) in cases {
        let error = open(location, &options, &[]).expect_err(expected);
        let shown = error.to_string();
        let name = options[0].split('=').next().unwrap();
        assert!(shown.contains(expected) && shown.contains(name), "{shown}");
        assert_no_secret(&shown);
    }
}

#[test]
fn tokens_in_files_are_one_word() {
    let folder = TempFolder::new();
    let path = folder.0.join("token").display().to_string();
    let pod = [
        "container_credentials_full_uri=http://169.254.170.23/v1",
        &format!("container_authorization_token_file={path}"),
    ];
    for text in [format!("{SECRET}\n{SECRET}"), format!("{SECRET} \u{e9}"), String::new()] {
        std::fs::write(&path, text).unwrap();
        let error = open("s3://bucket/x", &pod, &[]).unwrap_err().to_string();
        assert!(error.contains("is not one word") && error.contains(&path), "{error}");
        assert_no_secret(&error);
    }
    std::fs::write(&path, format!("{SECRET}\n")).unwrap();
    let store = open("s3://bucket/x", &pod, &[]).unwrap();
    assert_eq!(store.inner.context.redactor.clean(&format!("no: {SECRET}")), "no: ***");
}

#[test]
fn values_that_hold_secrets_are_refused_without_them() {
    let azure = "account_name=acc";
    let cases = [
        ("az://container/x", format!("azure_storage_account_key={SECRET}?"), vec![azure]),
        ("az://container/x", format!("azure_storage_sas_token={SECRET}"), vec![azure]),
        ("az://container/x", format!("azure_storage_encryption_key={SECRET}"), vec![azure]),
        ("s3://bucket/x", format!("aws_sse_customer_key_base64={SECRET}"), vec![]),
        ("s3://bucket/x", format!("aws_endpoint=https://me:{SECRET}@host"), vec![]),
        ("s3://bucket/x", format!("proxy_url=me:{SECRET}@host"), vec![]),
        ("s3://bucket/x", format!("aws_session_token={SECRET}\n"), vec![]),
        ("s3://bucket/x", format!("aws_server_side_encryption={SECRET}"), vec![]),
        ("s3://bucket/x", format!("timeout={SECRET}"), vec![]),
    ];
    for (location, option, others) in cases {
        let options: Vec<&str> = others.into_iter().chain([option.as_str()]).collect();
        let error = open(location, &options, &[]).expect_err(location);
        assert!(matches!(error, OpenError::BadSetting { .. }), "{error}");
        assert_no_secret(&format!("{error} {error:?}"));
    }
}
