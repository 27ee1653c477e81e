//! Texts that look like a secret, although no store was given them.
//!
//! Owns: the forms of URLs, headers and parameters that carry credentials.
//! Must not know: the secrets.

use crate::secrets::HIDDEN;
use crate::text::CUT;

/// Hides all in the text that looks like a secret.
pub fn hide_what_looks_secret(text: &str) -> String {
    hide_bytes(&hide_in_urls(&hide_values(text)))
}

/// Hides the user, the password and the query of every URL in `text`.
pub fn hide_in_urls(text: &str) -> String {
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
            None if is_user_cut(url) => {
                out.push_str(HIDDEN);
                out.push(CUT);
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

/// Returns true for a URL that was cut, perhaps in the password of its user.
fn is_user_cut(url: &str) -> bool {
    let cut = url.strip_suffix(CUT).and_then(|url| url.split_once(':'));
    cut.is_some_and(|(user, behind)| match behind.split_once('/') {
        Some((port, _)) => !user.contains('/') && !port.chars().all(|c| c.is_ascii_digit()),
        None => !user.contains('/'),
    })
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

/// The names before credentials, in lower case.
const NAMES: [(&str, Kind); 22] = [
    ("x-amz-security-token", Kind::Header),
    ("x-amz-s3session-token", Kind::Header),
    ("x-aws-ec2-metadata-token", Kind::Header),
    ("x-amz-server-side-encryption-customer-key", Kind::Header),
    ("x-amz-server-side-encryption-customer-key-md5", Kind::Header),
    ("x-ms-encryption-key", Kind::Header),
    ("x-identity-header", Kind::Header),
    ("x-ms-s2s-authorization", Kind::Header),
    ("proxy-authorization", Kind::Header),
    ("set-cookie", Kind::Header),
    ("x-amz-signature=", Kind::Parameter(1)),
    ("x-amz-credential=", Kind::Parameter(1)),
    ("x-amz-security-token=", Kind::Parameter(1)),
    ("x-goog-signature=", Kind::Parameter(1)),
    ("signature=", Kind::Parameter(1)),
    ("sig=", Kind::Parameter(1)),
    ("webidentitytoken=", Kind::Parameter(1)),
    ("client_secret=", Kind::Parameter(1)),
    ("bearer ", Kind::Parameter(1)),
    ("sharedkey ", Kind::Parameter(8)),
    ("basic ", Kind::Parameter(12)),
    // The beginning of a signed token (RFC 7519) stays.
    ("eyj", Kind::Parameter(40)),
];

/// The form of a value behind its name.
#[derive(Clone, Copy)]
enum Kind {
    /// `: value`, or `": "value"` of a list of headers. In `authorization` only the signature is
    /// hidden, as a parameter, since the rest helps.
    Header,
    /// A signing parameter outside a URL, with the shortest value that is one: some names are words
    /// of plain texts too.
    Parameter(usize),
}

/// Hides the values of headers and parameters.
fn hide_values(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    // Up to here, the text is passed on.
    let mut done = 0;
    let mut at = 0;
    while let Some(rest) = lower.get(at..).filter(|rest| !rest.is_empty()) {
        let names = NAMES.iter().filter(|(name, _)| rest.starts_with(name));
        let value = names.filter_map(|(name, kind)| {
            let start = at + name.len();
            let (skipped, length) = value_of(*kind, text.get(start..)?)?;
            Some((start + skipped, length))
        });
        let Some((start, length)) = value.min() else {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        out.push_str(text.get(done..start).unwrap_or_default());
        if length > 0 {
            out.push_str(HIDDEN);
        }
        done = start + length;
        at = done;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

/// Returns the distance to a value from the end of its name, and the length of the value.
fn value_of(kind: Kind, behind: &str) -> Option<(usize, usize)> {
    match kind {
        Kind::Header => of_a_header(behind),
        Kind::Parameter(chars_min) => of_a_parameter(behind, chars_min),
    }
}

fn of_a_header(behind: &str) -> Option<(usize, usize)> {
    // In JSON within JSON, the quotes are escaped.
    let start = behind.find(|c| !is_before_value(c)).unwrap_or(0);
    let (between, value) = behind.split_at_checked(start)?;
    let length = value.find(is_header_end).unwrap_or(value.len());
    between.contains([':', '=']).then_some((start, length))
}

fn is_parameter_end(c: char) -> bool {
    is_url_end(c) || matches!(c, '&' | ',' | ';')
}

fn is_before_value(c: char) -> bool {
    matches!(c, '"' | '\\' | ':' | ' ' | '=')
}

fn is_header_end(c: char) -> bool {
    matches!(c, '\r' | '\n' | '"' | ',')
}

fn of_a_parameter(behind: &str, chars_min: usize) -> Option<(usize, usize)> {
    let length = behind.find(is_parameter_end).unwrap_or(behind.len());
    // `skip_signature=true` is an option.
    let is_flag = matches!(behind.get(..length), Some("true" | "false"));
    (length == 0 || !is_flag && length >= chars_min).then_some((0, length))
}

/// A text that looks secret and is not at its end yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// The place of what announces it: without that, the rest would look like nothing.
    sign: usize,
    /// The place from which on it is hidden.
    pub start: usize,
    end: End,
}

/// The end of a text that looks secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Url,
    Parameter,
    Header,
    Bytes,
}

impl Open {
    /// Returns the length of the rest at the beginning of a text. None: it goes beyond the text.
    pub fn rest(&self, text: &str) -> Option<usize> {
        match self.end {
            End::Url => text.find(is_url_end),
            End::Parameter => text.find(is_parameter_end),
            End::Header => {
                let start = text.find(|c| !is_before_value(c))?;
                text.get(start..)?.find(is_header_end).map(|length| start + length)
            }
            End::Bytes => {
                let end = text.find(|c: char| !c.is_ascii_digit() && c != ',' && c != ' ')?;
                // Otherwise it was no list.
                Some(if text.get(end..)?.starts_with(']') { end } else { 0 })
            }
        }
    }
}

/// Returns what looks secret at the end of a text, if more of it may follow: a URL, the value of a
/// header or a parameter, or a list of bytes.
pub fn open_at_end(text: &str) -> Option<Open> {
    let lower = text.to_ascii_lowercase();
    let values = NAMES.iter().filter_map(|(name, kind)| {
        // A name may be in its own value: the first that is not at its end counts.
        let mut signs = lower.match_indices(name).map(|(sign, _)| sign);
        signs.find_map(|sign| open_value(text, sign, sign + name.len(), *kind))
    });
    let url = text.match_indices("://").find_map(|(at, _)| open_url(text, at));
    let bytes = text.rfind('[').and_then(|at| {
        let is_item = |item: &str| item.is_empty() || item.parse::<u8>().is_ok();
        let is_bytes = text.get(at + 1..)?.split(',').map(str::trim).all(is_item);
        is_bytes.then_some(Open { sign: at, start: at + 1, end: End::Bytes })
    });
    values.chain(url).chain(bytes).min_by_key(|open| open.start)
}

/// Returns the value behind a name, if it is not at its end.
fn open_value(text: &str, sign: usize, behind: usize, kind: Kind) -> Option<Open> {
    let (start, end) = match kind {
        Kind::Parameter(_) => (0, End::Parameter),
        Kind::Header => {
            let rest = text.get(behind..)?;
            let start = rest.find(|c| !is_before_value(c)).unwrap_or(rest.len());
            let is_value = rest.get(..start)?.contains([':', '=']);
            is_value.then_some((start, End::Header))?
        }
    };
    let open = Open { sign, start: behind + start, end };
    open.rest(text.get(open.start..)?).is_none().then_some(open)
}

/// Returns a URL that is not at its end: its user, which may have a password, or its query.
fn open_url(text: &str, sign: usize) -> Option<Open> {
    let start = sign + "://".len();
    let url = text.get(start..).filter(|url| !url.contains(is_url_end))?;
    let hidden = match (url.find('?'), url.find('/')) {
        (Some(query), _) => query,
        // A path is shown, and a query may follow it.
        (None, Some(_)) => url.len(),
        (None, None) => 0,
    };
    Some(Open { sign, start: start + hidden, end: End::Url })
}

/// Returns the place from which on a text must wait for more to tell whether it looks secret: that
/// of [`open_at_end`], or of the beginning of a name.
pub fn undecided(text: &str) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    let begun = |name: &&str| {
        let heads = name.char_indices().skip(1).filter_map(|(at, _)| name.get(..at));
        let heads = heads.chain([*name]).filter(|head| lower.ends_with(head));
        heads.map(|head| text.len() - head.len()).min()
    };
    let names = NAMES.iter().map(|(name, _)| *name).chain(["://"]);
    let names = names.filter_map(|name| begun(&name));
    names.chain(open_at_end(text).map(|open| open.sign)).min()
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
        let mut bytes = 0;
        let is_bytes = list.split(',').map(str::trim).all(|item| {
            bytes += usize::from(!item.is_empty());
            item.is_empty() || item.parse::<u8>().is_ok()
        });
        if is_bytes && bytes >= BYTES_MIN {
            out.push_str(HIDDEN);
            rest = tail;
        } else {
            rest = after;
        }
    }
    out.push_str(rest);
    out
}
