//! The settings of the store, from variables of the environment.
//!
//! 1. An empty variable counts as not set.
//! 2. A setting that this adapter cannot follow is refused, never dropped.
//! 3. No value is shown in an error: it may be a secret.

use std::time::Duration;

use stratalog_store_rules::error::{StoreError, StoreErrorKind};
use stratalog_store_rules::key;
use stratalog_store_rules::secrets::Secrets;

use crate::endpoint::Endpoint;
use crate::signer::Credentials;

/// The time limit of one operation, its retries included, and the limits of that setting.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(60);
const TIMEOUT_SECONDS: std::ops::RangeInclusive<u64> = 1..=240;

const REGION_DEFAULT: &str = "us-east-1";

/// The variables that the native store follows and this one cannot.
const REFUSED: [(&str, &str); 4] = [
    ("AWS_SSE_CUSTOMER_KEY_BASE64", "this store has no encryption by a key of your own"),
    ("AWS_CHECKSUM_ALGORITHM", "this store sends no checksums but signed digests"),
    ("AWS_METADATA_ENDPOINT", "this store asks no server for credentials"),
    ("AWS_ENDPOINT_URL_STS", "this store asks no server for credentials"),
];

/// The settings of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The location, for errors.
    pub description: String,
    /// The prefix of all keys: empty, or ended by a slash.
    pub prefix: String,
    /// The address of the bucket.
    pub endpoint: Endpoint,
    /// The region of signatures.
    pub region: String,
    /// None to sign no request.
    pub credentials: Option<Credentials>,
    /// False to leave bodies out of signatures.
    pub signs_bodies: bool,
    /// True to delete many objects in one request.
    pub deletes_in_bulk: bool,
    /// True if the server takes create-if-absent.
    pub has_conditional_create: bool,
    /// The headers of every request.
    pub headers: Vec<(&'static str, String)>,
    /// The headers of requests that create an object.
    pub create_headers: Vec<(&'static str, String)>,
    /// The time limit of one operation.
    pub timeout: Duration,
}

impl Settings {
    /// Reads the settings. `variable` returns the value of a variable of the environment.
    ///
    /// # Errors
    /// [`StoreErrorKind::Invalid`], with the variable and the reason.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, StoreError> {
        let get = |name: &str| variable(name).filter(|value| !value.is_empty());
        for (name, reason) in REFUSED {
            if get(name).is_some() {
                return Err(refused(name, &format!("{reason}; leave it out")));
            }
        }
        let flag = |name: &str, default: bool| match get(name).map(|value| truth_of(&value)) {
            None => Ok(default),
            Some(Some(is)) => Ok(is),
            Some(None) => Err(refused(name, "it is neither true nor false; write one of them")),
        };
        if flag("AWS_S3_EXPRESS", false)? {
            return Err(refused("AWS_S3_EXPRESS", "this store has no directory buckets"));
        }
        let (bucket, prefix) = root(get("STRATALOG_ROOT"))?;
        let region = region(get)?;
        let is_virtual_hosted = flag("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", false)?;
        let urls = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"];
        let endpoint = match urls.iter().find_map(|name| Some((*name, get(name)?))) {
            None => Endpoint::of_amazon(&bucket, &region, is_virtual_hosted),
            Some((name, url)) => Endpoint::parse(&url, &bucket, is_virtual_hosted)
                .map_err(|reason| refused(name, reason))?,
        };
        if !endpoint.is_https && !flag("AWS_ALLOW_HTTP", false)? {
            let name = urls.iter().find(|name| get(name).is_some()).unwrap_or(&"AWS_ENDPOINT");
            return Err(refused(name, "http:// is not encrypted; set AWS_ALLOW_HTTP=true"));
        }
        Ok(Self {
            description: format!("s3://{bucket}/{}", prefix.trim_end_matches('/')),
            prefix,
            endpoint,
            region,
            credentials: credentials(get, flag("AWS_SKIP_SIGNATURE", false)?)?,
            signs_bodies: !flag("AWS_UNSIGNED_PAYLOAD", false)?,
            deletes_in_bulk: !flag("AWS_DISABLE_BULK_DELETE", false)?,
            has_conditional_create: has_conditional_create(get("AWS_CONDITIONAL_PUT"))?,
            headers: match flag("AWS_REQUEST_PAYER", false)? {
                true => vec![("x-amz-request-payer", "requester".to_owned())],
                false => Vec::new(),
            },
            create_headers: encryption(get, flag("AWS_SSE_BUCKET_KEY_ENABLED", false)?)?,
            timeout: timeout(get("STRATALOG_RETRY_TIMEOUT"))?,
        })
    }

    /// Returns the text without secrets, in one line of limited length.
    pub fn clean(&self, text: &str) -> String {
        let secrets = self.credentials.iter().flat_map(|Credentials { key_id, secret, token }| {
            [Some(secret), token.as_ref(), Some(key_id)].into_iter().flatten()
        });
        Secrets::new(secrets).clean(text)
    }
}

fn refused(name: &str, reason: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Invalid, format!("cannot use {name}: {reason}"))
}

fn truth_of(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "true" | "on" | "yes" | "y" | "requester" => Some(true),
        "0" | "false" | "off" | "no" | "n" => Some(false),
        _ => None,
    }
}

/// Returns the bucket, and the prefix of all keys.
fn root(root: Option<String>) -> Result<(String, String), StoreError> {
    const NAME: &str = "STRATALOG_ROOT";
    let Some(root) = root else {
        return Err(refused(NAME, "it is not set; set it to s3://BUCKET/PREFIX"));
    };
    let Some(rest) = root.strip_prefix("s3://") else {
        return Err(refused(NAME, "it does not begin with s3://; set it to s3://BUCKET/PREFIX"));
    };
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let is_name = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    if bucket.is_empty() || !bucket.chars().all(is_name) {
        return Err(refused(NAME, "a bucket's name has letters, digits and .-_ only"));
    }
    let prefix = prefix.trim_end_matches('/');
    if prefix.is_empty() {
        return Ok((bucket.to_owned(), String::new()));
    }
    // The native host takes them for the query and the fragment of a URL.
    if prefix.contains(['?', '#']) {
        return Err(refused(NAME, "its prefix has a ? or a #; use a prefix without"));
    }
    key::check(prefix).map_err(|_| refused(NAME, "its prefix is not a valid key; correct it"))?;
    Ok((bucket.to_owned(), format!("{prefix}/")))
}

fn credentials(
    get: impl Fn(&str) -> Option<String>,
    is_unsigned: bool,
) -> Result<Option<Credentials>, StoreError> {
    if is_unsigned {
        return Ok(None);
    }
    const TOKEN: &str = "AWS_SESSION_TOKEN";
    let (id, secret) = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
    let token = get(TOKEN);
    let found = match (get(id), get(secret)) {
        (Some(key_id), Some(secret)) => Credentials { key_id, secret, token },
        (Some(_), None) => return Err(refused(id, &format!("it needs {secret}; set both"))),
        (None, Some(_)) => return Err(refused(secret, &format!("it needs {id}; set both"))),
        (None, None) => {
            let reason = format!(
                "it is not set, and this store asks no server for credentials; set it and \
                 {secret}, or AWS_SKIP_SIGNATURE=true for a public bucket"
            );
            return Err(refused(id, &reason));
        }
    };
    check_word(id, &found.key_id)?;
    check_word(secret, &found.secret)?;
    check_word(TOKEN, found.token.as_deref().unwrap_or_default())?;
    Ok(Some(found))
}

/// The longest value of a credential, in bytes. The native store has the same limit.
const WORD_BYTES_MAX: usize = 16_000;

/// Checks a credential. The key and the token become parts of headers.
fn check_word(name: &str, value: &str) -> Result<(), StoreError> {
    if value.len() > WORD_BYTES_MAX {
        return Err(refused(name, &format!("it has more than {WORD_BYTES_MAX} bytes; correct it")));
    }
    if value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    let reason = "it has a space, a line end, or a character that is not of ASCII; correct it";
    Err(refused(name, reason))
}

fn region(get: impl Fn(&str) -> Option<String>) -> Result<String, StoreError> {
    let names = ["AWS_REGION", "AWS_DEFAULT_REGION"];
    let Some((name, region)) = names.iter().find_map(|name| Some((name, get(name)?))) else {
        return Ok(REGION_DEFAULT.to_owned());
    };
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match region.chars().all(is_of_name) {
        true => Ok(region),
        false => Err(refused(name, "a region has letters, digits and - only")),
    }
}

fn has_conditional_create(value: Option<String>) -> Result<bool, StoreError> {
    match value.as_deref() {
        None | Some("etag") => Ok(true),
        Some("disabled") => Ok(false),
        Some(_) => Err(refused("AWS_CONDITIONAL_PUT", "it is neither etag nor disabled")),
    }
}

/// Returns the headers that set the encryption of objects.
fn encryption(
    get: impl Fn(&str) -> Option<String>,
    has_bucket_key: bool,
) -> Result<Vec<(&'static str, String)>, StoreError> {
    const ALGORITHM: &str = "AWS_SERVER_SIDE_ENCRYPTION";
    const KEY: &str = "AWS_SSE_KMS_KEY_ID";
    let key = get(KEY);
    let algorithm = get(ALGORITHM);
    let is_kms = matches!(algorithm.as_deref(), Some("aws:kms" | "aws:kms:dsse"));
    if key.is_some() && !is_kms {
        return Err(refused(KEY, &format!("it needs {ALGORITHM}=aws:kms")));
    }
    check_word(KEY, key.as_deref().unwrap_or_default())?;
    if has_bucket_key && algorithm.as_deref() != Some("aws:kms") {
        let reason = format!("it needs {ALGORITHM}=aws:kms");
        return Err(refused("AWS_SSE_BUCKET_KEY_ENABLED", &reason));
    }
    let Some(algorithm) = algorithm else { return Ok(Vec::new()) };
    if !is_kms && algorithm != "AES256" {
        return Err(refused(ALGORITHM, "it is none of AES256, aws:kms and aws:kms:dsse"));
    }
    let mut headers = vec![("x-amz-server-side-encryption", algorithm)];
    headers.extend(key.map(|key| ("x-amz-server-side-encryption-aws-kms-key-id", key)));
    if has_bucket_key {
        let name = "x-amz-server-side-encryption-bucket-key-enabled";
        headers.push((name, "true".to_owned()));
    }
    Ok(headers)
}

fn timeout(value: Option<String>) -> Result<Duration, StoreError> {
    let Some(value) = value else { return Ok(TIMEOUT_DEFAULT) };
    let seconds = value.parse().ok().filter(|seconds| TIMEOUT_SECONDS.contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| {
        refused("STRATALOG_RETRY_TIMEOUT", "it is no number of seconds from 1 to 240")
    })
}

#[cfg(test)]
mod tests;
