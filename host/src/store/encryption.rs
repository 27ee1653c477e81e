//! The encryption that a server reports for an object.
//!
//! Owns: the headers that report it, and the comparison with the requested encryption.
//! Must not know: how a request is made.
//!
//! 1. Keys are named by their last characters only.

use std::sync::{Mutex, PoisonError};

use http::HeaderMap;

/// The text for a server that reports no encryption.
pub(super) const NONE_REPORTED: &str = "none reported";

/// The longest name of an algorithm or a scope that is shown, and the end of a key's name.
const SHOWN_CHARS_MAX: usize = 64;
const KEY_CHARS_SHOWN: usize = 8;

/// The encryption that the settings request: an algorithm by its S3 name, or `customer key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked(pub(super) String);

impl Asked {
    /// Returns whether the report names the requested encryption.
    pub(super) fn is_met_by(&self, report: &str) -> bool {
        let wanted = match self.0.as_str() {
            "sse-c" => "customer key",
            algorithm => algorithm,
        };
        report == wanted || report.strip_prefix(wanted).is_some_and(|rest| rest.starts_with(','))
    }
}

/// The report of the last answer that named an encryption.
#[derive(Debug, Default)]
pub(super) struct Reported(Mutex<Option<String>>);

impl Reported {
    /// Records the report of an answer.
    pub(super) fn note(&self, headers: &HeaderMap) {
        if let Some(report) = report_of(headers) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(report);
        }
    }

    /// Takes the report that was recorded since the last call.
    pub(super) fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

fn report_of(headers: &HeaderMap) -> Option<String> {
    let value = |name: &str| {
        let text = headers.get(name)?.to_str().ok()?;
        Some(text.chars().take(SHOWN_CHARS_MAX).collect::<String>())
    };
    let key = |name: &str| Some(format!("key {}", ending(headers.get(name)?.to_str().ok()?)));
    let flag = |name: &str, words: &str| (value(name)? == "true").then(|| words.to_owned());
    let customer = |name: &str| headers.contains_key(name).then(|| "customer key".to_owned());
    let algorithm = [
        customer("x-amz-server-side-encryption-customer-algorithm"),
        customer("x-goog-encryption-algorithm"),
        customer("x-ms-encryption-key-sha256"),
        value("x-amz-server-side-encryption"),
        flag("x-ms-request-server-encrypted", "by the service"),
        flag("x-ms-server-encrypted", "by the service"),
        headers.contains_key("x-goog-encryption-kms-key-name").then(|| "KMS".to_owned()),
    ];
    let details = [
        value("x-amz-server-side-encryption-customer-algorithm"),
        value("x-goog-encryption-algorithm"),
        key("x-amz-server-side-encryption-aws-kms-key-id"),
        key("x-goog-encryption-kms-key-name"),
        value("x-ms-encryption-scope").map(|scope| format!("scope {scope}")),
        flag("x-amz-server-side-encryption-bucket-key-enabled", "with a bucket key"),
    ];
    let algorithm = algorithm.into_iter().flatten().next()?;
    let parts: Vec<String> =
        std::iter::once(algorithm).chain(details.into_iter().flatten()).collect();
    Some(parts.join(", "))
}

/// Returns the end of a key's name, which distinguishes the key.
fn ending(name: &str) -> String {
    let count = name.chars().count();
    match count > KEY_CHARS_SHOWN {
        true => {
            let shown = name.chars().skip(count.saturating_sub(KEY_CHARS_SHOWN));
            format!("...{}", shown.collect::<String>())
        }
        false => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_read_from_the_headers_of_each_service() {
        let key = "arn:aws:kms:us-east-1:123456789012:key/abcd-1234-efgh-5678";
        type Case<'a> = (&'a [(&'static str, &'static str)], Option<&'a str>, &'a [&'a str]);
        let cases: [Case<'_>; 7] = [
            (&[("content-length", "1")], None, &[]),
            (&[("x-amz-server-side-encryption", "AES256")], Some("AES256"), &["AES256"]),
            (
                &[
                    ("x-amz-server-side-encryption", "aws:kms"),
                    ("x-amz-server-side-encryption-aws-kms-key-id", key),
                    ("x-amz-server-side-encryption-bucket-key-enabled", "true"),
                ],
                Some("aws:kms, key ...fgh-5678, with a bucket key"),
                &["aws:kms"],
            ),
            (
                &[("x-amz-server-side-encryption-customer-algorithm", "AES256")],
                Some("customer key, AES256"),
                &["sse-c", "customer key"],
            ),
            (
                &[("x-ms-request-server-encrypted", "true"), ("x-ms-encryption-scope", "s1")],
                Some("by the service, scope s1"),
                &[],
            ),
            (
                &[
                    ("x-ms-request-server-encrypted", "true"),
                    ("x-ms-encryption-key-sha256", "abc="),
                ],
                Some("customer key"),
                &["customer key", "sse-c"],
            ),
            (
                &[("x-goog-encryption-kms-key-name", "projects/p/keys/key-of-logs")],
                Some("KMS, key ...-of-logs"),
                &[],
            ),
        ];
        for (headers, expected, met) in cases {
            let reported = Reported::default();
            reported.note(
                &headers
                    .iter()
                    .map(|(name, value)| {
                        (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
                    })
                    .collect(),
            );
            let report = reported.take();
            assert_eq!(report.as_deref(), expected);
            assert_eq!(reported.take(), None);
            for asked in ["AES256", "aws:kms", "aws:kms:dsse", "sse-c", "customer key"] {
                let is_met = Asked(asked.to_owned()).is_met_by(expected.unwrap_or(NONE_REPORTED));
                assert_eq!(is_met, met.contains(&asked), "{asked} by {expected:?}");
            }
        }
    }
}
