//! The values that a setting may have.
//!
//! Owns: each form of a value, its limits, and the text that asks for it.
//! Must not know: the setting or the origin of a value.
//!
//! 1. A value that passes cannot make a client panic. It fits into its URL or header.
//! 2. The text never repeats the value.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use stratalog_store_rules::authority;
use url::Url;

use crate::store::config::truth::truth_of;

const NAME_BYTES_MAX: usize = 255;
const URL_BYTES_MAX: usize = 2_000;
const PATH_BYTES_MAX: usize = 4_000;
const HEADER_BYTES_MAX: usize = 1_000;
/// The longest token or signature. Servers accept request heads up to about this size.
const WORD_BYTES_MAX: usize = 16_000;
/// The longest key or certificate, which is sent nowhere.
const TEXT_BYTES_MAX: usize = 1_000_000;

/// The bounds of a time. A longer one is no sensible wait. The sum of the current time and any time
/// within the bounds is representable.
const DURATION_MIN: Duration = Duration::from_millis(1);
const DURATION_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The sizes of a frame that HTTP/2 knows (RFC 9113, 6.5.2).
const FRAME_BYTES: std::ops::RangeInclusive<u32> = 16_384..=16_777_215;

/// The form of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A truth value.
    Flag,
    /// A truth value, or the word `requester`.
    Payer,
    /// A time of 1 ms to 24 hours.
    Time,
    /// A whole number.
    Count,
    /// The size of an HTTP/2 frame.
    FrameBytes,
    /// An `http` or `https` URL that is the base of others.
    Endpoint,
    /// An `http` or `https` URL that may hold a user and a password.
    Proxy,
    /// The host of a URL, perhaps with a port.
    Host,
    /// The part of a URL after its host.
    UrlPath,
    /// A name that becomes a part of a host or a path.
    Name,
    /// Visible ASCII without spaces: a key, a token, an identifier.
    Word,
    /// Visible ASCII and spaces within: the value of a header.
    Header,
    /// The path of a file.
    File,
    /// Bytes in base64.
    Base64,
    /// A key of 256 bits in base64.
    Key256,
    /// A shared access signature.
    SharedAccess,
    /// Certificates in PEM.
    Certificates,
    /// The key of a Google service account, in JSON. It is examined where it is used.
    AccountKey,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

impl Form {
    /// Fails with the text that should be written instead.
    pub(crate) fn check(self, value: &str) -> Result<(), &'static str> {
        if self.fits(value) { Ok(()) } else { Err(self.expected()) }
    }

    fn fits(self, value: &str) -> bool {
        match self {
            Self::Flag => truth_of(value).is_some(),
            Self::Payer => truth_of(value).is_some() || value.eq_ignore_ascii_case("requester"),
            // By the crate that object_store then reads the value with.
            Self::Time => humantime::parse_duration(value)
                .is_ok_and(|time| (DURATION_MIN..=DURATION_MAX).contains(&time)),
            Self::Count => value.parse::<usize>().is_ok(),
            Self::FrameBytes => value.parse().is_ok_and(|bytes| FRAME_BYTES.contains(&bytes)),
            Self::Endpoint => endpoint_of(value).is_some_and(|url| !has_user(&url)),
            Self::Proxy => endpoint_of(value).is_some(),
            Self::Host => {
                !value.contains(['/', '@']) && endpoint_of(&format!("http://{value}")).is_some()
            }
            Self::UrlPath => {
                value.starts_with('/')
                    && !value.contains(['?', '#'])
                    && endpoint_of(&format!("http://host{value}")).is_some()
            }
            Self::Name => {
                let is_usual = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
                (1..=NAME_BYTES_MAX).contains(&value.len()) && value.chars().all(is_usual)
            }
            Self::Word => is_word(value, WORD_BYTES_MAX),
            Self::Header => {
                let words = || value.split(' ');
                value.len() <= HEADER_BYTES_MAX && words().all(|w| is_word(w, HEADER_BYTES_MAX))
            }
            Self::File => {
                (1..=PATH_BYTES_MAX).contains(&value.len())
                    && !value.trim().is_empty()
                    && !value.chars().any(char::is_control)
            }
            Self::Base64 => is_word(value, WORD_BYTES_MAX) && BASE64_STANDARD.decode(value).is_ok(),
            Self::Key256 => BASE64_STANDARD.decode(value).is_ok_and(|key| key.len() == 32),
            Self::SharedAccess => is_shared_access(value),
            Self::Certificates => has_certificates(value),
            Self::AccountKey => value.len() <= TEXT_BYTES_MAX,
            Self::OneOf(words) => words.contains(&value),
        }
    }

    /// Returns the permitted values, as the end of a sentence.
    fn expected(self) -> &'static str {
        match self {
            Self::Flag => "true or false",
            Self::Payer => "requester, true or false",
            Self::Time => "a time from 1ms to 24h, such as 30s",
            Self::Count => "a whole number",
            Self::FrameBytes => "a number from 16384 to 16777215",
            Self::Endpoint => {
                "a URL such as https://host:9000, that begins with https:// or http:// and has no \
                 user, password, query or space, and no port but 1 to 65535"
            }
            Self::Proxy => {
                "a URL such as http://host:3128 or https://user:password@host:3128, without a \
                 query or a space, and with no port but 1 to 65535"
            }
            Self::Host => "the name of a host, optionally with a port",
            Self::UrlPath => "a path that begins with /, without a query or a space",
            Self::Name => "a name of letters, digits, `-`, `_` and `.`",
            Self::Word => "ASCII characters without spaces and line ends, at most 16,000",
            Self::Header => {
                "ASCII characters without line ends, and spaces only between words, at most 1,000"
            }
            Self::File => "the path of a file",
            Self::Base64 => "the key as you received it, in base64",
            Self::Key256 => "a key of 256 bits in base64, which is 44 characters",
            Self::SharedAccess => {
                "a shared access signature as you received it, such as sv=...&sig=..."
            }
            Self::Certificates => {
                "certificates in PEM, with line ends in them and not with \\n in place of those"
            }
            Self::AccountKey => "the JSON of a service account's key",
            Self::OneOf(words) => match words {
                ["sha256", ..] => "sha256 or crc64nvme",
                ["etag", ..] => "etag or disabled",
                ["AES256", ..] => "AES256, aws:kms, aws:kms:dsse or sse-c",
                _ => {
                    "auto, access_key, azure_cli, bearer_token, client_secret, managed_identity, \
                     sas_token or workload_identity"
                }
            },
        }
    }
}

fn is_word(value: &str, bytes_max: usize) -> bool {
    (1..=bytes_max).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Reads a URL as the two parsers of the clients do, with a path that may be added to it.
fn endpoint_of(value: &str) -> Option<Url> {
    if value.len() > URL_BYTES_MAX || !is_word(value, URL_BYTES_MAX) || value.contains('\\') {
        return None;
    }
    let lower = value.to_ascii_lowercase();
    if !lower.starts_with("http://") && !lower.starts_with("https://") {
        return None;
    }
    let (_, behind) = value.split_once("://")?;
    let authority = behind.split('/').next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    authority::check(host).ok()?;
    let url = Url::parse(value).ok()?;
    let in_use: http::Uri = format!("{}/bucket/key", value.trim_end_matches('/')).parse().ok()?;
    Url::parse(&in_use.to_string()).ok()?;
    let is_whole = url.host_str().is_some_and(|host| !host.is_empty())
        && in_use.host().is_some_and(|host| !host.is_empty())
        && url.port() != Some(0)
        && url.query().is_none()
        && url.fragment().is_none();
    is_whole.then_some(url)
}

fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// Reads a signature as the library does: percent-encoded pairs.
fn is_shared_access(value: &str) -> bool {
    let Ok(decoded) = percent_encoding::percent_decode_str(value).decode_utf8() else {
        return false;
    };
    let pairs = || decoded.trim_start_matches('?').split('&').map(|pair| pair.split_once('='));
    is_word(value, WORD_BYTES_MAX)
        && !decoded.chars().any(|c| c.is_control())
        && pairs().all(|pair| pair.is_some())
        && pairs().flatten().any(|(name, signature)| name == "sig" && !signature.is_empty())
}

fn has_certificates(value: &str) -> bool {
    let mut found = CertificateDer::pem_slice_iter(value.as_bytes()).peekable();
    value.len() <= TEXT_BYTES_MAX && found.peek().is_some() && found.all(|found| found.is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_taken_as_their_form_says() {
        let long = "x".repeat(20_000);
        let cases: [(Form, &[&str], &[&str]); 13] = [
            (Form::Flag, &["true", "0", "On"], &["", "true ", "2"]),
            (Form::Payer, &["requester", "true"], &["bucket-owner"]),
            (Form::Time, &["30s", "1m 30s", "24h"], &["0s", "25h", "-1", "1e999", "30"]),
            (Form::FrameBytes, &["16384", "16777215"], &["16383", "16777216", "-1"]),
            (
                Form::Endpoint,
                &["https://h", "http://h:9000/", "HTTPS://h/path", "http://[::1]:80"],
                &[
                    "h:9000",
                    "localhost",
                    "http:h",
                    "http://",
                    "http:///x",
                    "http://[",
                    "ftp://h",
                    "http://u:p@h",
                    "https://h?q",
                    "https://h#f",
                    "https://h h",
                    "https://h\n",
                    "https://h:99999",
                    "https://h:",
                    "https://h:/path",
                    "https://[::1]:",
                    "https://h:0",
                    "https://h:x",
                    "https://\u{e9}",
                    "//h",
                    "http:\\\\h",
                    "https://h/%zz\u{0}",
                ],
            ),
            (
                Form::Proxy,
                &["http://u:p@h:3128", "https://h"],
                &["h:3128", "socks5://h", "http://h:0", "http://u:p@h:"],
            ),
            (Form::Host, &["h", "h:9000"], &["h:", "h:0", "h:99999", "h/x", "u@h"]),
            (Form::UrlPath, &["/v2/c"], &["v2", "@evil/", "/a b", "/a?b", ".evil.com"]),
            (Form::Name, &["eu-central-1", "a_b.c"], &["", "a b", "a/b", "a\nb", &long]),
            (Form::Word, &["a/b+c=", "%zz"], &["", " ", "a b", "a\nb", "\u{e9}", &long]),
            (Form::Header, &["text/plain; charset=utf-8"], &["", " ", "a\n", "a\tb", " a", &long]),
            (Form::Key256, &["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="], &["AAAA", "?"]),
            (
                Form::SharedAccess,
                &["sv=1&sig=a%3D", "?sv=1&sig=a", "sv%3D1%26sig%3Da"],
                &["", "sig", "sv=1", "sig=", "sig=a&b", "sig=a b", "sig=%0a", "sig=%ff"],
            ),
        ];
        for (form, good, bad) in cases {
            for value in good {
                assert_eq!(form.check(value), Ok(()), "{form:?} {value:?}");
            }
            for value in bad {
                assert_eq!(form.check(value), Err(form.expected()), "{form:?} {value:?}");
            }
        }
        assert!(!Form::Certificates.fits("-----BEGIN CERTIFICATE-----\\nAAAA"));
    }
}
