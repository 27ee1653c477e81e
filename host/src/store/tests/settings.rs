//! Settings that are odd, that have no effect, or that point to unusable credentials.

use std::time::Duration;

use object_store::ClientConfigKey;
use object_store::aws::AmazonS3ConfigKey;
use object_store::azure::AzureConfigKey;
use object_store::gcp::GoogleConfigKey;
use serde::de::DeserializeOwned;

use super::TempFolder;
use super::opening::{NONE, Variables, open};
use crate::store::OpenError;
use crate::store::config::settings::{ServiceKey, known};

/// Values that no test of a single form would try.
fn odd_values() -> [String; 20] {
    [
        "",
        " ",
        "\n",
        "a\nb",
        "\0",
        "\u{e9}",
        "://",
        "http://",
        "http://[",
        "ftp://x",
        "LONG",
        "-1",
        "1e999",
        "99999999999999999999",
        "true ",
        "'",
        "\"",
        "%zz",
        "{}",
        "\u{202e}",
    ]
    .map(|value| match value {
        "LONG" => "x".repeat(100_000),
        value => value.to_owned(),
    })
}

/// A store of each service that opens. Nothing listens there.
const BASES: [(&str, &str, &[&str]); 4] = [
    (
        "s3://bucket/x",
        "AWS_",
        &[
            "aws_access_key_id=id12",
            "aws_secret_access_key=hunter2",
            "aws_endpoint=http://127.0.0.1:1",
            "allow_http=true",
        ],
    ),
    (
        "gs://bucket/x",
        "GOOGLE_",
        &["google_bearer_token=t", "google_base_url=http://127.0.0.1:1", "allow_http=true"],
    ),
    (
        "az://container/x",
        "AZURE_",
        &[
            "account_name=acc",
            "account_key=aHVudGVyMg==",
            "azure_storage_endpoint=http://127.0.0.1:1/acc",
            "allow_http=true",
        ],
    ),
    ("http://127.0.0.1:1/x", "", &["connect_timeout=1s"]),
];

fn names_of(location: &str) -> Vec<&'static str> {
    let names = |known: &'static crate::store::config::settings::Known| known.name;
    match location.split(':').next() {
        Some("s3") => known::<AmazonS3ConfigKey>().map(names).collect(),
        Some("gs") => known::<GoogleConfigKey>().map(names).collect(),
        Some("az") => known::<AzureConfigKey>().map(names).collect(),
        _ => known::<ClientConfigKey>().map(names).collect(),
    }
}

/// Opens with one more setting, and uses the store if it opens. No library may panic in the
/// process.
async fn try_setting(
    location: &str,
    base: &[&str],
    option: Option<&str>,
    variables: Variables<'_>,
) {
    let shown: String = format!("{location} {option:?} {variables:?}").chars().take(150).collect();
    let options: Vec<&str> = base.iter().copied().chain(["retry_max=0"]).chain(option).collect();
    let name = option.and_then(|option| option.split('=').next());
    let name = name.or(variables.first().map(|(name, _)| *name)).unwrap();
    match open(location, &options, variables) {
        Err(error) => assert!(error.to_string().contains(name), "{shown}: {error}"),
        Ok(store) => {
            let store = store.with_timeout(Duration::from_secs(1));
            for error in [
                store.list("x/", None, 1).await.expect_err(&shown).to_string(),
                store.create("x", "x".into(), false).await.expect_err(&shown).to_string(),
            ] {
                assert!(!error.contains("behind the store failed"), "{shown}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn odd_values_of_every_option_are_errors_that_name_it() {
    for (location, prefix, base) in BASES {
        for name in names_of(location) {
            for value in odd_values() {
                try_setting(location, base, Some(&format!("{name}={value}")), &[]).await;
                if !prefix.is_empty() && !value.contains('\0') {
                    let bare = name.to_ascii_uppercase();
                    let bare = bare.strip_prefix(prefix).unwrap_or(&bare);
                    let variable = format!("{prefix}{bare}");
                    try_setting(location, base, None, &[(&variable, &value)]).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn bad_values_of_settings_of_the_library_are_errors_that_name_them() {
    const INSTANCE: &[&str] = &["instance_credentials=true"];
    const AZURE: &[&str] = &["instance_credentials=true", "account_name=a"];
    let cases: [(&str, &str, &[&str]); 5] = [
        ("gs://bucket/x", "GCE_METADATA_HOST", INSTANCE),
        ("gs://bucket/x", "GCE_METADATA_IP", INSTANCE),
        ("gs://bucket/x", "SERVICE_ACCOUNT", &[]),
        ("az://container/x", "IDENTITY_HEADER", AZURE),
        ("az://container/x", "IDENTITY_ENDPOINT", AZURE),
    ];
    for (location, variable, options) in cases {
        for value in ["a\nb", "\0", "\u{e9}", "a b"] {
            let error = open(location, options, &[(variable, value)]).expect_err(variable);
            assert!(error.to_string().contains(variable), "{variable}={value:?}: {error}");
        }
    }
    let emulator = ["azure_storage_use_emulator=true"];
    for value in ["mailto:x", "http://", "h:1"] {
        let variables = [("AZURITE_BLOB_STORAGE_URL", value)];
        let error = open("az://container/x", &emulator, &variables).unwrap_err();
        assert!(error.to_string().contains("AZURITE_BLOB_STORAGE_URL"), "{error}");
    }
}

/// The names that serde knows for the variants of an enum.
fn variants<K: DeserializeOwned + std::fmt::Debug>(json: &str) -> Vec<String> {
    let error = serde_json::from_str::<K>(json).unwrap_err().to_string();
    error.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

fn assert_all_known<K>(nested: &[&str])
where
    K: ServiceKey + DeserializeOwned + std::fmt::Debug,
{
    let mut keys: Vec<K> = Vec::new();
    for variant in variants::<K>("\"none\"") {
        match nested.contains(&variant.as_str()) {
            false => keys.push(serde_json::from_str(&format!("{variant:?}")).unwrap()),
            true => {
                for inner in variants::<K>(&format!("{{{variant:?}: \"none\"}}")) {
                    let json = format!("{{{variant:?}: {inner:?}}}");
                    keys.push(serde_json::from_str(&json).unwrap());
                }
            }
        }
    }
    assert!(keys.len() > 15, "{keys:?}");
    for key in &keys {
        let is_key = |known: &&crate::store::config::settings::Known| {
            known.name.parse::<K>().is_ok_and(|parsed| parsed == *key)
        };
        assert_eq!(known::<K>().filter(is_key).count(), 1, "{key:?}");
    }
    assert_eq!(known::<K>().count(), keys.len());
}

#[test]
fn every_option_of_the_library_is_known() {
    assert_all_known::<ClientConfigKey>(&[]);
    assert_all_known::<AmazonS3ConfigKey>(&["Client", "Encryption"]);
    assert_all_known::<GoogleConfigKey>(&["Client"]);
    assert_all_known::<AzureConfigKey>(&["Client"]);
}

const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

#[test]
fn options_without_effect_are_refused_with_what_they_need() {
    const S3: &[&str] = &["access_key_id=id12", "secret_access_key=hunter2"];
    const AZ: &[&str] = &["account_name=acc", "account_key=aHVudGVyMg=="];
    const GS: &[&str] = &["bearer_token=t"];
    let customer_key = format!("aws_sse_customer_key_base64={KEY}");
    // The location, the other settings, the option without effect, and its requirement.
    type Case<'a> = (&'a str, &'a [&'a str], &'a [&'a str], &'a str, &'a str);
    let cases: Vec<Case<'_>> = vec![
        ("s3", S3, &[], "aws_sse_kms_key_id=k", "server_side_encryption=aws:kms"),
        ("s3", S3, &["server_side_encryption=AES256"], "aws_sse_kms_key_id=k", "aws:kms"),
        ("s3", S3, &[], "aws_sse_bucket_key_enabled=true", "server_side_encryption=aws:kms"),
        (
            "s3",
            S3,
            &["server_side_encryption=aws:kms:dsse"],
            "aws_sse_bucket_key_enabled=true",
            "server_side_encryption=aws:kms",
        ),
        ("s3", S3, &[], &customer_key, "server_side_encryption=sse-c"),
        ("s3", S3, &["server_side_encryption=aws:kms"], &customer_key, "sse-c"),
        ("s3", S3, &[], "aws_server_side_encryption=sse-c", "aws_sse_customer_key_base64"),
        ("s3", S3, &[], "aws_copy_if_not_exists=multipart", "leave this setting out"),
        ("s3", S3, &[], "aws_disable_tagging=true", "leave this setting out"),
        ("s3", S3, &[], "aws_imdsv1_fallback=true", "instance_credentials=true"),
        ("s3", S3, &[], "aws_metadata_endpoint=http://h", "instance_credentials=true"),
        ("s3", S3, &[], "instance_credentials=true", "secret_access_key"),
        ("s3", S3, &[], "aws_role_arn=arn:aws:r", "aws_web_identity_token_file"),
        ("s3", S3, &[], "aws_endpoint_url_sts=https://h", "aws_role_arn"),
        ("s3", S3, &[], "aws_s3_express=true", "directory bucket"),
        ("s3", S3, &["region=a"], "aws_default_region=b", "aws_region"),
        ("s3", S3, &["aws_endpoint_url_s3=https://h"], "aws_endpoint=https://h", "_s3"),
        ("s3", &["skip_signature=true"], &[], "aws_access_key_id=id12", "skip_signature"),
        ("s3", &["skip_signature=true"], &[], "aws_session_token=token", "skip_signature"),
        ("s3", &["skip_signature=true"], &[], "aws_request_payer=requester", "skip_signature"),
        ("s3", &["skip_signature=true"], &[], "aws_unsigned_payload=true", "skip_signature"),
        ("s3", &["instance_credentials=true"], &[], "aws_session_token=t", "aws_access_key_id"),
        ("s3", &[], &[], "aws_access_key_id=id12", "aws_secret_access_key"),
        ("s3", S3, &[], "http2_max_frame_size=20000", "http2_only=true"),
        (
            "s3",
            S3,
            &["http2_only=true"],
            "http2_keep_alive_timeout=9s",
            "http2_keep_alive_interval",
        ),
        ("s3", S3, &["http2_only=true"], "http1_only=true", "http2_only"),
        ("gs", GS, &[], "proxy_excludes=a", "proxy_url"),
        ("gs", GS, &[], "google_service_account=/f", "other credentials"),
        ("gs", GS, &[], "google_service_account_key={}", "other credentials"),
        ("gs", GS, &[], "google_application_credentials=/f", "other credentials"),
        ("gs", GS, &[], "instance_credentials=true", "bearer_token"),
        ("gs", &["skip_signature=true"], &[], "google_bearer_token=t", "skip_signature"),
        ("az", AZ, &[], "azure_storage_token=t", "other credentials"),
        ("az", AZ, &[], "azure_storage_sas_token=sig=a", "other credentials"),
        ("az", AZ, &[], "azure_client_id=a", "azure_tenant_id"),
        ("az", AZ, &[], "azure_client_secret=abcd", "azure_tenant_id"),
        ("az", AZ, &[], "azure_federated_token_file=/f", "azure_tenant_id"),
        ("az", AZ, &[], "azure_msi_endpoint=http://h", "instance_credentials=true"),
        ("az", AZ, &[], "azure_disable_tagging=true", "leave this setting out"),
        ("az", AZ, &[], "azure_use_azure_cli=true", "other credentials"),
        ("az", AZ, &["azure_endpoint=https://h"], "azure_use_fabric_endpoint=true", "endpoint"),
        ("az", AZ, &[], "azure_fabric_workload_host=h", "azure_fabric_token_service_url"),
        ("az", AZ, &["use_emulator=true"], "azure_storage_endpoint=https://h", "emulator"),
        ("az", &["account_name=a", "skip_signature=true"], &[], "azure_storage_token=t", "skip"),
        ("http", &[], &[], "instance_credentials=true", "no credentials"),
        ("http", &[], &[], "proxy_ca_certificate=PEM", "proxy_url"),
    ];
    for (scheme, base, besides, option, needed) in cases {
        let option = option.replace("PEM", &certificate());
        let options: Vec<&str> =
            base.iter().chain(besides).copied().chain([option.as_str()]).collect();
        let error = open(&location(scheme), &options, &[]).expect_err(&option);
        assert!(matches!(error, OpenError::WithoutEffect { .. }), "{option}: {error}");
        let (shown, name) = (error.to_string(), option.split('=').next().unwrap());
        assert!(shown.contains(name), "{option}: {shown}");
        assert!(shown.contains(needed), "{option}: {shown}");
        assert!(!shown.contains(KEY) && !shown.contains("hunter2"), "{shown}");
    }
}

fn location(scheme: &str) -> String {
    match scheme {
        "s3" => "s3://bucket/x",
        "gs" => "gs://bucket/x",
        "az" => "az://container/x",
        _ => "http://host/x",
    }
    .to_owned()
}

/// Any certificate. It is examined, and not used.
fn certificate() -> String {
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned()
}

#[test]
fn variables_for_encryption_are_enforced_and_others_are_ignored() {
    let s3 = [("AWS_ACCESS_KEY_ID", "id12"), ("AWS_SECRET_ACCESS_KEY", "hunter2")];
    for (name, value) in [
        ("AWS_SSE_KMS_KEY_ID", "k"),
        ("AWS_SSE_BUCKET_KEY_ENABLED", "true"),
        ("AWS_SSE_CUSTOMER_KEY_BASE64", KEY),
        ("AWS_SERVER_SIDE_ENCRYPTION", "sse-c"),
    ] {
        let error = open("s3://bucket/x", &NONE, &[s3[0], s3[1], (name, value)]).expect_err(name);
        assert!(matches!(error, OpenError::WithoutEffect { .. }), "{error}");
        assert!(error.to_string().contains(&format!("variable {name}")), "{error}");
    }
    for others in [("AWS_ROLE_ARN", "arn:aws:r"), ("AWS_COPY_IF_NOT_EXISTS", "multipart")] {
        open("s3://bucket/x", &NONE, &[s3[0], s3[1], others]).unwrap();
    }
}

#[test]
fn encryption_that_is_whole_is_taken() {
    let key = format!("aws_sse_customer_key_base64={KEY}");
    let cases: [&[&str]; 5] = [
        &["aws_server_side_encryption=AES256"],
        &["aws_server_side_encryption=aws:kms"],
        &["aws_server_side_encryption=aws:kms", "sse_kms_key_id=k", "sse_bucket_key_enabled=true"],
        &["aws_server_side_encryption=aws:kms:dsse", "sse_kms_key_id=arn:aws:kms:a:1:key/b"],
        &["aws_server_side_encryption=sse-c", &key],
    ];
    for options in cases {
        let keys = [("AWS_ACCESS_KEY_ID", "id12"), ("AWS_SECRET_ACCESS_KEY", "hunter2")];
        let store = open("s3://bucket/x", options, &keys).unwrap();
        assert!(store.inner.encryption.is_some());
    }
}

#[test]
fn options_beat_credentials_of_any_kind_from_the_environment() {
    let folder = TempFolder::new();
    let token = folder.0.join("token");
    std::fs::write(&token, "the-token\n").unwrap();
    let token = format!("aws_web_identity_token_file={}", token.display());
    let s3 = [("AWS_ACCESS_KEY_ID", "id12"), ("AWS_SECRET_ACCESS_KEY", "hunter2")];
    let azure = [("AZURE_STORAGE_ACCOUNT_NAME", "a"), ("AZURE_STORAGE_ACCOUNT_KEY", "aHVu")];
    let google = [("GOOGLE_SERVICE_ACCOUNT", "/nowhere"), ("GOOGLE_BEARER_TOKEN", "t")];
    let cases: [(&str, &[&str], Variables); 6] = [
        ("s3://bucket/x", &[&token, "aws_role_arn=arn:aws:r"], &s3),
        ("s3://bucket/x", &["instance_credentials=true", "imdsv1_fallback=true"], &s3),
        ("s3://bucket/x", &["skip_signature=true"], &s3),
        ("az://container/x", &["sas_token=sv=1&sig=a"], &azure),
        ("az://container/x", &["instance_credentials=true", "object_id=o"], &azure),
        ("gs://bucket/x", &["google_skip_signature=true"], &google),
    ];
    for (location, options, environment) in cases {
        open(location, options, environment).unwrap_or_else(|error| panic!("{options:?}: {error}"));
    }
}
