//! Opening buckets of S3 from their settings.
//!
//! Owns: the needs of the service before its first request. Must not know: the stored objects.

use std::sync::Arc;

use object_store::ClientConfigKey;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey as S3};
use object_store::list::PaginatedListStore;

use crate::store::backend::client::{WatchedConnector, client_options};
use crate::store::backend::remote::{RemoteStore, built, check_token};
use crate::store::config::open_error::OpenError;
use crate::store::config::opening::Opening;
use crate::store::config::settings::Settings;
use crate::store::config::settings::s3::{check, encryption};
use crate::store::encryption::Asked;
use crate::store::reply::Protocol;

/// Opens a bucket of S3.
pub(crate) fn open(bucket: &str, opening: &Opening<'_>) -> Result<RemoteStore, OpenError> {
    let mut settings = Settings::<S3>::collect(opening, Some("AWS_"))?;
    let option_keys: Vec<S3> =
        opening.options.pairs.iter().filter_map(|(name, _)| name.parse().ok()).collect();
    // An option replaces everything that the environment says about the same thing. A session token
    // belongs to its key, and the library prefers the S3 endpoint to the general one.
    let replaced = [
        (S3::AccessKeyId, S3::Token),
        (S3::Endpoint, S3::S3Endpoint),
        (S3::DefaultRegion, S3::Region),
    ];
    for (chosen, displaced) in replaced {
        if option_keys.contains(&chosen) {
            settings.drop_from_environment(&[displaced]);
        }
    }
    settings.prefer_options();
    check(&settings, bucket)?;
    let endpoint = settings.get(S3::S3Endpoint).or(settings.get(S3::Endpoint));
    settings.refuse_plain_http(endpoint, S3::Client(ClientConfigKey::AllowHttp))?;
    let has_key = settings.has(S3::AccessKeyId) || settings.has(S3::SecretAccessKey);
    let has_role = settings.has(S3::WebIdentityTokenFile) && settings.has(S3::RoleArn);
    let has_task = settings.has(S3::ContainerCredentialsRelativeUri);
    let has_pod = settings.has(S3::ContainerCredentialsFullUri)
        && settings.has(S3::ContainerAuthorizationTokenFile);
    let is_anonymous = settings.is_true(S3::SkipSignature);
    settings.need_credentials(
        is_anonymous
            || has_key
            || has_role
            || has_task
            || has_pod
            || settings.has(S3::MetadataEndpoint),
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (profiles in ~/.aws are not read)",
        "aws_skip_signature=true",
    )?;
    match (is_anonymous || has_key, has_role, has_task) {
        (true, ..) | (false, false, true) => {}
        (false, true, _) => check_token(&mut settings, S3::WebIdentityTokenFile)?,
        (false, false, false) if has_pod => {
            check_token(&mut settings, S3::ContainerAuthorizationTokenFile)?;
        }
        (false, false, false) => {}
    }
    let store = built(&settings, || {
        let mut builder = AmazonS3Builder::new()
            .with_client_options(client_options())
            .with_http_connector(WatchedConnector::to(Protocol::S3))
            .with_retry(settings.retry.clone());
        for setting in &settings.values {
            builder = builder.with_config(setting.key, &setting.value);
        }
        builder.with_bucket_name(bucket).build()
    })?;
    // Directory buckets list in no order and cannot start after a key.
    let is_express = settings.is_true(S3::S3Express) || bucket.ends_with("--x-s3");
    let pages: Arc<dyn PaginatedListStore> = store.clone();
    Ok(RemoteStore {
        kind: Protocol::S3.store_kind(),
        pages: (!is_express).then_some(pages),
        store,
        redactor: settings.redactor(),
        settings: settings.names(),
        encryption: encryption(&settings).map(Asked),
    })
}
