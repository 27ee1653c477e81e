//! Takes secrets out of foreign texts before they reach an error or a log line.
//!
//! Owns: what counts as secret in a text. Must not know: where the texts come from.
//!
//! 1. A configured secret never survives, wherever it stands.
//! 2. Of a URL only scheme, host and path survive: no user, password, query or signature.
//! 3. The result is one line of bounded length.

use std::fmt;

const HIDDEN: &str = "***";

/// The longest message kept of a foreign text, in characters; servers answer whole pages of HTML.
const TEXT_CHARS_MAX: usize = 800;

/// The shortest secret that is searched for; replacing shorter ones would only garble the text.
const SECRET_BYTES_MIN: usize = 4;

/// Hides the configured secrets and whatever looks like one.
#[derive(Default)]
pub(super) struct Redactor {
    secrets: Vec<String>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({} secrets)", self.secrets.len())
    }
}

impl Redactor {
    /// Makes a redactor that hides `secrets`; the longest first, as one may contain another.
    pub(super) fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut secrets: Vec<String> =
            secrets.into_iter().filter(|secret| secret.len() >= SECRET_BYTES_MIN).collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { secrets }
    }

    /// Returns `text` without secrets, as one line of at most 800 characters.
    pub(super) fn clean(&self, text: &str) -> String {
        let mut text = condense_xml(text);
        for secret in &self.secrets {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), HIDDEN);
            }
        }
        let text = hide_parameters(&hide_in_urls(&text));
        let mut line: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(TEXT_CHARS_MAX)
            .collect();
        line.truncate(line.trim_end().len());
        line
    }
}

/// Keeps the code and the message of an S3-like XML error and drops the rest, which repeats
/// parts of the signed request.
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
pub(super) fn hide_in_urls(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let end = after.find(is_url_end).unwrap_or(after.len());
        let (url, tail) = after.split_at(end);
        let (url, is_cut) = match url.split_once('?') {
            // A query may hide in the password; then the part after the last `@` is what is safe.
            Some((_, query)) if query.contains('@') => (url, true),
            Some((kept, _)) => (kept, true),
            None => (url, false),
        };
        match url.rsplit_once('@') {
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

fn is_url_end(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>' | ')' | '}' | ']')
}

/// Hides the values of signing parameters that stand outside a URL.
fn hide_parameters(text: &str) -> String {
    const NAMES: [&str; 7] = [
        "x-amz-signature=",
        "x-amz-credential=",
        "x-amz-security-token=",
        "x-goog-signature=",
        "signature=",
        "sig=",
        "bearer ",
    ];
    let lower = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let found = NAMES
            .iter()
            .filter_map(|name| {
                let from = lower.get(at..)?.find(name)?;
                Some(at.saturating_add(from).saturating_add(name.len()))
            })
            .min();
        let Some(value) = found else { break };
        let rest = text.get(value..).unwrap_or_default();
        let length = rest
            .find(|c: char| is_url_end(c) || matches!(c, '&' | ',' | ';'))
            .unwrap_or(rest.len());
        out.push_str(text.get(at..value).unwrap_or_default());
        if length > 0 {
            out.push_str(HIDDEN);
        }
        at = value.saturating_add(length);
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}
