//! Removes secrets from foreign texts before they reach an error or a log line.
//!
//! Owns: the definition of a secret in a text, and the secrets of all open stores.
//! Must not know: the origin of the texts.
//!
//! 1. A configured secret never survives, in any place and in any encoding.
//! 2. Of a URL only scheme, host and path survive: no user, password, query or signature. The
//!    container in an `abfss` URL is part of its path.
//! 3. The headers that carry credentials survive by name only, and lists of bytes not at all.
//! 4. The result of [`Redactor::clean`] is one line of bounded length.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;

use crate::store::config::hiding::find;

const HIDDEN: &str = "***";

/// The longest message kept of a foreign text, in characters. Servers answer whole pages of HTML.
const TEXT_CHARS_MAX: usize = 800;

/// The shortest secret that is searched for. Replacing shorter ones would only garble the text.
const SECRET_BYTES_MIN: usize = 4;

/// The shortest secret whose base64 is also searched for.
const ENCODED_BYTES_MIN: usize = 6;

/// The secrets of the stores that are open in this process.
static OPEN: Mutex<Vec<Weak<Secrets>>> = Mutex::new(Vec::new());

/// In lower case; the longest first, as one may contain another.
type Secrets = Vec<Vec<u8>>;

/// Hides the configured secrets and any text that looks like a secret.
#[derive(Default)]
pub(crate) struct Redactor {
    secrets: Arc<Secrets>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({} secrets)", self.secrets.len())
    }
}

impl Redactor {
    /// Makes a redactor that hides `secrets`. While it lives, [`hide_secrets`] hides them too.
    pub(crate) fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut distinct = BTreeSet::new();
        for secret in secrets {
            if secret.len() >= ENCODED_BYTES_MIN {
                let encoded = BASE64_STANDARD_NO_PAD.encode(&secret);
                distinct.insert(encoded.to_ascii_lowercase().into_bytes());
            }
            if secret.len() >= SECRET_BYTES_MIN {
                distinct.insert(secret.to_ascii_lowercase().into_bytes());
                // Servers and people drop the padding of base64.
                let bare = secret.trim_end_matches('=');
                if bare.len() >= SECRET_BYTES_MIN {
                    distinct.insert(bare.to_ascii_lowercase().into_bytes());
                }
            }
        }
        let mut secrets: Secrets = distinct.into_iter().collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let secrets = Arc::new(secrets);
        if !secrets.is_empty() {
            let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
            open.retain(|known| known.strong_count() > 0);
            open.push(Arc::downgrade(&secrets));
        }
        Self { secrets }
    }

    /// Returns `text` without secrets, as one line of at most 800 characters.
    pub(crate) fn clean(&self, text: &str) -> String {
        let text = without(&condense_xml(text), &self.secrets);
        let text = hide_what_looks_secret(&text);
        let mut line: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(TEXT_CHARS_MAX)
            .collect();
        line.truncate(line.trim_end().len());
        line
    }
}

/// Returns `text` without the secrets of any store that is open in this process, and without texts
/// that look like a secret.
///
/// For programs that print the logs of the libraries below a store, which repeat requests and
/// answers at the levels `debug` and `trace`. Errors and messages of this library need no such
/// care.
pub fn hide_secrets(text: &str) -> String {
    let open: Vec<Arc<Secrets>> = {
        let open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.iter().filter_map(Weak::upgrade).collect()
    };
    let mut text = text.to_owned();
    for secrets in open {
        text = without(&text, &secrets);
    }
    hide_what_looks_secret(&text)
}

fn hide_what_looks_secret(text: &str) -> String {
    hide_bytes(&hide_parameters(&hide_in_urls(&hide_headers(text))))
}

fn without(text: &str, secrets: &Secrets) -> String {
    let mut text = text.to_owned();
    for secret in secrets {
        let mut at = 0;
        while let Some(mut found) = find(text.as_bytes(), secret, at) {
            // The padding of base64 shows the length of the secret.
            let behind = text.get(found.end..).unwrap_or_default();
            let padding = behind.len() - behind.trim_start_matches('=').len();
            found.end += padding;
            // A secret begins and ends with a whole character, and so does its place in the text.
            if !text.is_char_boundary(found.start) || !text.is_char_boundary(found.end) {
                at = found.end;
                continue;
            }
            at = found.start + HIDDEN.len();
            text.replace_range(found, HIDDEN);
        }
    }
    text
}

/// Keeps the code and the message of an S3-like XML error. Drops the rest, which repeats parts of
/// the signed request.
fn condense_xml(text: &str) -> String {
    let Some(code) = between(text, "<Code>", "</Code>") else {
        return text.to_owned();
    };
    let start = text.find("<?xml").or_else(|| text.find("<Error"));
    let before = start.and_then(|at| text.get(..at)).unwrap_or_default();
    match between(text, "<Message>", "</Message>") {
        Some(message) => format!("{before}{code}: {message}"),
        None => format!("{before}{code}"),
    }
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let (_, after) = text.split_once(open)?;
    Some(after.split_once(close)?.0)
}

/// Hides the user, the password and the query of every URL in `text`.
pub(crate) fn hide_in_urls(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let end = after.find(is_url_end).unwrap_or(after.len());
        let (url, tail) = after.split_at(end);
        let (url, is_cut) = match url.split_once('?') {
            // A query may hide in the password. Then only the text after the last `@` is safe.
            Some((_, query)) if query.contains('@') => (url, true),
            Some((kept, _)) => (kept, true),
            None => (url, false),
        };
        match url.rsplit_once('@') {
            Some((container, _)) if before.ends_with("abfss") && is_container(container) => {
                out.push_str(url);
            }
            Some((_, host)) => {
                out.push_str(HIDDEN);
                out.push('@');
                out.push_str(host.split('?').next().unwrap_or_default());
            }
            None => out.push_str(url),
        }
        if is_cut {
            out.push('?');
            out.push_str(HIDDEN);
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// Returns whether the part of an `abfss` URL before the `@` is the name of a container, which is
/// no secret. Keys of Azure are longer.
fn is_container(user: &str) -> bool {
    const CHARS_MAX: usize = 63;
    user.len() <= CHARS_MAX && user.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

fn is_url_end(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>' | ')' | '}' | ']')
}

/// Hides the values of headers that carry credentials. In `authorization` only the signature is
/// hidden, as a parameter, since the rest helps.
fn hide_headers(text: &str) -> String {
    const NAMES: [&str; 10] = [
        "x-amz-security-token",
        "x-amz-s3session-token",
        "x-aws-ec2-metadata-token",
        "x-amz-server-side-encryption-customer-key",
        "x-amz-server-side-encryption-customer-key-md5",
        "x-ms-encryption-key",
        "x-identity-header",
        "x-ms-s2s-authorization",
        "proxy-authorization",
        "set-cookie",
    ];
    let lower = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let rest = lower.get(at..).unwrap_or_default();
        let found = NAMES.iter().filter_map(|name| {
            rest.match_indices(name).find_map(|(from, name)| {
                let from = from + name.len();
                let behind = rest.get(from..)?;
                // `: value`, or `": "value"` of a list of headers.
                let gap = behind.find(|c: char| !matches!(c, '"' | ':' | ' ' | '=')).unwrap_or(0);
                let is_header = behind.get(..gap)?.contains([':', '=']);
                is_header.then_some(at + from + gap)
            })
        });
        let Some(value) = found.min() else { break };
        let rest = text.get(value..).unwrap_or_default();
        let length = rest.find(['\r', '\n', '"', ',']).unwrap_or(rest.len());
        out.push_str(text.get(at..value).unwrap_or_default());
        if length > 0 {
            out.push_str(HIDDEN);
        }
        at = value + length;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// Hides lists of numbers that may be bytes of a secret, such as `[45, 45, 66, 69]`.
fn hide_bytes(text: &str) -> String {
    /// Shorter ones are lists of something else.
    const BYTES_MIN: usize = 4;
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        out.push_str(before);
        out.push('[');
        let end = after.find(']').unwrap_or(after.len());
        let (list, tail) = after.split_at(end);
        let is_byte = |item: &str| item.trim().parse::<u8>().is_ok();
        let items = || list.split(',').filter(|item| !item.trim().is_empty());
        let is_bytes = items().count() >= BYTES_MIN && items().all(is_byte);
        if is_bytes {
            out.push_str(HIDDEN);
            rest = tail;
        } else {
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// Hides the values of signing parameters outside a URL.
fn hide_parameters(text: &str) -> String {
    /// A name, and the shortest value that is one: some are words of plain texts too.
    const NAMES: [(&str, usize); 12] = [
        ("x-amz-signature=", 1),
        ("x-amz-credential=", 1),
        ("x-amz-security-token=", 1),
        ("x-goog-signature=", 1),
        ("signature=", 1),
        ("sig=", 1),
        ("webidentitytoken=", 1),
        ("client_secret=", 1),
        ("bearer ", 1),
        ("sharedkey ", 8),
        ("basic ", 12),
        // The beginning of a signed token (RFC 7519) stays.
        ("eyj", 40),
    ];
    let lower = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let found = NAMES.iter().filter_map(|(name, chars_min)| {
            let rest = lower.get(at..)?;
            rest.match_indices(name).find_map(|(from, name)| {
                let value = at + from + name.len();
                let length = value_length(text, value);
                // `skip_signature=true` is an option.
                let is_flag = matches!(value_at(text, value, length), "true" | "false");
                (length == 0 || !is_flag && length >= *chars_min).then_some((value, length))
            })
        });
        let Some((value, length)) = found.min() else { break };
        out.push_str(text.get(at..value).unwrap_or_default());
        if length > 0 {
            out.push_str(HIDDEN);
        }
        at = value + length;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

fn value_at(text: &str, at: usize, length: usize) -> &str {
    text.get(at..at + length).unwrap_or_default()
}

/// Returns the length of the value that begins at `at`.
fn value_length(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    rest.find(|c: char| is_url_end(c) || matches!(c, '&' | ',' | ';')).unwrap_or(rest.len())
}
