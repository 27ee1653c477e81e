//! Foreign texts without secrets.
//!
//! Owns: the definition of a secret in a text.
//! Must not know: the origin of the texts.
//!
//! 1. A known secret never survives, in any place: as it is, percent-encoded, escaped, in hex, or
//!    in base64, also of a text that contains it, such as `user:password`. Of such a text, up to
//!    one character at each end of the secret is left, which also has bits of its neighbour.
//! 2. Of a URL only scheme, host and path survive: no user, password, query or signature. The
//!    container in an `abfss` URL is part of its path.
//! 3. The headers that carry credentials survive by name only, and lists of bytes not at all. Both
//!    are looked for in what XML stands for, whether or not the caller has decoded it.
//! 4. A text that is cut keeps neither the beginning of a secret before the cut nor its rest behind
//!    it, but for parts of less than four characters. `…` is the mark of a cut.
//! 5. The result of [`Secrets::clean`] is one line of bounded length, without characters that
//!    cannot be seen.

mod forms;
pub mod looks;
mod search;

use std::fmt;
use std::ops::Range;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;

use crate::text::is_invisible;
use forms::decoded;
use looks::hide_what_looks_secret;
use search::Search;

/// The text in place of a secret.
pub const HIDDEN: &str = "***";

/// The longest message kept of a foreign text, in characters. Servers answer whole pages of HTML.
const TEXT_CHARS_MAX: usize = 800;

/// The shortest secret that is searched for. Replacing shorter ones would only garble the text.
const SECRET_BYTES_MIN: usize = 4;

/// The shortest secret whose hex and base64 are also searched for.
const ENCODED_BYTES_MIN: usize = 6;

/// The secrets of a store, in each form that a text is searched for.
#[derive(Default)]
pub struct Secrets {
    forms: Vec<String>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({} forms)", self.forms.len())
    }
}

impl Secrets {
    /// Takes the secrets of a store.
    pub fn new(secrets: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut all = Self::default();
        for secret in secrets {
            let secret = secret.as_ref();
            if secret.len() >= ENCODED_BYTES_MIN {
                all.add(secret.bytes().map(|byte| format!("{byte:02x}")).collect());
                for encoded in in_base64(secret) {
                    let of_urls = |c| match c {
                        '+' => '-',
                        '/' => '_',
                        c => c,
                    };
                    all.add(encoded.chars().map(of_urls).collect());
                    all.add(encoded);
                }
            }
            // A text is searched as if it had no such characters.
            let secret: String = secret.chars().filter(|c| !is_invisible(*c)).collect();
            // Servers and people drop the padding of base64.
            let bare = secret.trim_end_matches('=');
            let form = if bare.len() >= SECRET_BYTES_MIN { bare } else { &secret };
            if form.len() >= SECRET_BYTES_MIN {
                all.add(form.to_owned());
            }
        }
        all
    }

    fn add(&mut self, form: String) {
        if !self.forms.contains(&form) {
            self.forms.push(form);
        }
    }

    /// Returns true if no text contains any of them.
    pub fn is_empty(&self) -> bool {
        self.forms.is_empty()
    }

    /// Returns `text` without these secrets. A text that takes too long to search is hidden as a
    /// whole.
    pub fn hide(&self, text: &str) -> String {
        let mut hidden = String::with_capacity(text.len());
        let mut at = 0;
        for place in self.places(text) {
            hidden.push_str(text.get(at..place.start).unwrap_or_default());
            hidden.push_str(HIDDEN);
            at = place.end;
        }
        hidden.push_str(text.get(at..).unwrap_or_default());
        hidden
    }

    /// Returns the places that no cut must divide: those of these secrets, and that of one that the
    /// rest of the text, still to come, may complete, which reaches beyond the end.
    ///
    /// So a text that arrives in parts can be searched part by part.
    pub fn undivided(&self, text: &str) -> Vec<Range<usize>> {
        let begun = self.begun(text).map(|start| start..text.len() + 1);
        self.places(text).into_iter().chain(begun).collect()
    }

    /// Returns the place at which a secret begins whose rest would be behind the end of `text`.
    pub fn begun(&self, text: &str) -> Option<usize> {
        let mut search = Search::new(text);
        self.forms.iter().filter_map(|form| search.begun(form)).min()
    }

    /// Returns the places of these secrets, in order. Those that overlap are one.
    fn places(&self, text: &str) -> Vec<Range<usize>> {
        let mut search = Search::new(text);
        let mut found: Vec<_> = self.forms.iter().flat_map(|form| search.find(form)).collect();
        if search.is_over() {
            return std::iter::once(0..text.len()).collect();
        }
        found.sort_unstable_by_key(|place| place.start);
        let mut places: Vec<Range<usize>> = Vec::with_capacity(found.len());
        for place in found {
            match places.last_mut() {
                Some(last) if place.start < last.end => last.end = last.end.max(place.end),
                _ => places.push(place),
            }
        }
        places
    }

    /// Returns a foreign text without these secrets and without texts that look like one, as one
    /// line of at most 800 characters.
    pub fn clean(&self, text: &str) -> String {
        // A name that announces a secret is recognized without them.
        let is_kept = |c: &char| c.is_control() || !is_invisible(*c);
        let without_invisible = |text: &str| text.chars().filter(is_kept).collect::<String>();
        let text = without_invisible(&decoded(&condense_xml(&without_invisible(text))));
        let text = self.hide(&text);
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

/// Returns the forms of a secret in base64 without padding: as a whole, and within a longer text,
/// at each of three places. Those have only the characters that no neighbour determines.
fn in_base64(secret: &str) -> [String; 4] {
    let within = |before: &[u8]| {
        let encoded = BASE64_STANDARD_NO_PAD.encode([before, secret.as_bytes()].concat());
        let bits = 8 * (before.len() + secret.len());
        encoded.get((8 * before.len()).div_ceil(6)..bits / 6).unwrap_or_default().to_owned()
    };
    [BASE64_STANDARD_NO_PAD.encode(secret), within(b""), within(b"0"), within(b"00")]
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

#[cfg(test)]
mod tests;
