//! Finding a secret in a text.
//!
//! Owns: the places that count. Must not know: the forms of a character, or the secrets.
//!
//! 1. A secret is found in any form, and in any mixture of forms.
//! 2. Characters that cannot be seen do not hide it, nor does the one that replaces them in a
//!    message.
//! 3. Where a text was cut, which `…` says, a part of a secret is found.
//! 4. The time for a text is bounded.

use std::ops::Range;

use super::forms::{is_unseen, readings};
use crate::numbers::to_u64;
use crate::text::CUT;

/// The shortest part of a secret that is hidden at a cut, in characters.
const PART_CHARS_MIN: usize = 4;

/// The steps that the search in a text may take. A text for which they do not suffice is made for
/// that: of parts of a secret, in forms that can be read in many ways.
const STEPS_MAX: u64 = 4_000_000;

/// The most bytes of a form that a cut leaves on one side, such as `&amp;amp;amp;quo` of a quote.
const FORM_BYTES_MAX: usize = 24;

/// The bytes that are compared in the time of a step.
const BYTES_PER_STEP: u64 = 16;

/// A search in one text. It is over when its steps are used up.
pub(super) struct Search<'a> {
    text: &'a str,
    steps: u64,
}

/// The places in a text that a secret reaches.
struct Followed {
    places: Vec<usize>,
    /// The number of characters of the secret up to those places. None: all.
    characters: Option<usize>,
}

impl<'a> Search<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, steps: 0 }
    }

    /// Returns true if the search is over before its end, so what it has not found may be there.
    pub(super) fn is_over(&self) -> bool {
        self.steps > STEPS_MAX
    }

    /// Returns the places of `secret`, each with its padding of base64: that shows its length.
    ///
    /// At a cut, a part of the secret counts, too: its beginning before one, and its rest behind
    /// one.
    pub(super) fn find(&mut self, secret: &str) -> Vec<Range<usize>> {
        let mark = CUT.encode_utf8(&mut [0; 4]).bytes().next();
        let mut found = Vec::new();
        let mut at = 0;
        for (start, byte) in self.text.bytes().enumerate() {
            if start < at || Some(byte) != mark && !may_begin(secret, byte) {
                continue;
            }
            if self.is_over() {
                break;
            }
            found.extend(self.rest(secret, start));
            match self.follow(secret, start) {
                Followed { places, characters: None } => {
                    let Some(mut end) = places.into_iter().max() else { continue };
                    while let Some(further) = self.ends_of(&[end], '=').into_iter().max() {
                        end = further;
                    }
                    found.push(start..end);
                    at = end;
                }
                followed => found.extend(self.cut_of(&followed).map(|cut| start..cut)),
            }
        }
        found
    }

    /// Returns the place at which a secret begins, or continues behind a cut, whose rest would be
    /// behind the end of the text.
    pub(super) fn begun(&mut self, secret: &str) -> Option<usize> {
        if self.text.starts_with(CUT) && self.continues(secret) {
            return Some(0);
        }
        for (start, byte) in self.text.bytes().enumerate() {
            if !may_begin(secret, byte) {
                continue;
            }
            let followed = self.follow(secret, start);
            let is_begun = followed.characters.is_some_and(|characters| characters > 0);
            if is_begun && self.cuts_behind(&followed.places).contains(&self.text.len()) {
                return Some(start);
            }
            if self.is_over() {
                return Some(0);
            }
        }
        None
    }

    /// Returns the place of the rest of the secret behind a cut at `mark`.
    fn rest(&mut self, secret: &str, mark: usize) -> Option<Range<usize>> {
        let start = mark + self.text.get(mark..)?.strip_prefix(CUT).map(|_| CUT.len_utf8())?;
        let starts = self.begins_behind_cut(start);
        let mut end = None;
        for (at, _) in secret.char_indices().skip(1) {
            let rest = secret.get(at..)?;
            if rest.chars().nth(PART_CHARS_MIN - 1).is_none() {
                break;
            }
            for start in &starts {
                if self.is_over() {
                    break;
                }
                let followed = self.follow(rest, *start);
                end = end.max(match followed.characters {
                    None => followed.places.into_iter().max(),
                    Some(_) => self.cut_of(&followed),
                });
            }
        }
        end.map(|end| start..end)
    }

    /// Returns true if what is behind the cut at the beginning is a part of the secret, up to the
    /// end of the text.
    fn continues(&mut self, secret: &str) -> bool {
        let starts = self.begins_behind_cut(CUT.len_utf8());
        for (at, _) in secret.char_indices().skip(1) {
            let rest = secret.get(at..).unwrap_or_default();
            for start in &starts {
                if self.is_over() {
                    return true;
                }
                let followed = self.follow(rest, *start);
                let is_part = followed.characters.is_some_and(|characters| characters > 0);
                if is_part && self.cuts_behind(&followed.places).contains(&self.text.len()) {
                    return true;
                }
            }
        }
        false
    }

    /// Returns the places behind a cut at which the rest of a secret may begin: there, behind what
    /// cannot be seen, and behind the rest of a form that was cut.
    fn begins_behind_cut(&mut self, start: usize) -> Vec<usize> {
        let mut begins = self.past_invisible(&[start]);
        let forms =
            self.behind(start).bytes().take(FORM_BYTES_MAX).take_while(|it| is_of_form(*it));
        begins.extend((start + 1..).zip(forms).map(|(place, _)| place));
        begins.dedup();
        begins
    }

    /// Returns the place of the cut that ends a part of a secret.
    fn cut_of(&mut self, followed: &Followed) -> Option<usize> {
        followed.characters.filter(|characters| *characters >= PART_CHARS_MIN)?;
        let cuts = self.cuts_behind(&followed.places).into_iter();
        cuts.filter(|place| self.behind(*place).starts_with(CUT)).max()
    }

    /// Returns the places behind which a text may be cut if one of these was reached: they
    /// themselves, those behind what cannot be seen, and those behind the beginning of a form.
    fn cuts_behind(&mut self, places: &[usize]) -> Vec<usize> {
        let mut past = self.past_invisible(places);
        let begun = past.iter().filter_map(|place| {
            let form = self.behind(*place);
            let length = form.bytes().take(FORM_BYTES_MAX).take_while(|it| is_of_form(*it)).count();
            form.starts_with(['%', '\\', '&']).then_some(place + length)
        });
        let begun: Vec<usize> = begun.collect();
        past.extend(begun);
        past
    }

    /// Follows the secret from `start` as far as the text has it.
    ///
    /// A text may be read in several ways: `%25` is a percent sign, or three characters of the
    /// secret. So each way is followed. Most characters have one reading, themselves.
    fn follow(&mut self, secret: &str, start: usize) -> Followed {
        let text = self.text.as_bytes().get(start..).unwrap_or_default();
        let alike = text.iter().zip(secret.bytes());
        let plain = alike
            .take_while(|(read, wanted)| is_plain(**read) && read.eq_ignore_ascii_case(wanted))
            .count();
        self.steps += 1 + to_u64(plain) / BYTES_PER_STEP;
        let mut places = vec![start + plain];
        let Some(left) = secret.get(plain..) else {
            return Followed { places: vec![start], characters: Some(0) };
        };
        if !left.is_empty() && text.get(plain).is_some_and(|read| is_plain(*read)) {
            return Followed { places, characters: Some(plain) };
        }
        for (characters, wanted) in (plain..).zip(left.chars()) {
            let next = match characters {
                // What cannot be seen before a secret is no part of it.
                0 => begins_of(self.behind(start), start, wanted),
                _ => self.ends_of(&places, wanted),
            };
            if next.is_empty() || self.is_over() {
                return Followed { places, characters: Some(characters) };
            }
            places = next;
        }
        Followed { places, characters: None }
    }

    /// Returns the ends of the forms of `wanted` that are at one of the places, or behind
    /// characters there that cannot be seen.
    fn ends_of(&mut self, places: &[usize], wanted: char) -> Vec<usize> {
        let places = self.past_invisible(places);
        let ends = places.into_iter().flat_map(|at| begins_of(self.behind(at), at, wanted));
        let mut ends: Vec<usize> = ends.collect();
        ends.sort_unstable();
        ends.dedup();
        ends
    }

    /// Returns the places, and those behind characters there that cannot be seen.
    fn past_invisible(&mut self, places: &[usize]) -> Vec<usize> {
        let mut past = Vec::with_capacity(places.len());
        for place in places {
            let mut next = Some(*place);
            while let Some(at) = next.take() {
                self.steps += 1;
                past.push(at);
                // At one place, at most one reading cannot be seen.
                let mut readings = readings(self.behind(at)).into_iter().flatten();
                let unseen = readings.find(|(read, _)| is_unseen(*read));
                next = unseen.map(|(_, length)| at + length).filter(|_| !self.is_over());
            }
        }
        past
    }

    fn behind(&self, place: usize) -> &'a str {
        self.text.get(place..).unwrap_or_default()
    }
}

/// Returns whether a form of the secret may begin with this byte.
fn may_begin(secret: &str, byte: u8) -> bool {
    let lead = secret.as_bytes().first();
    lead.is_some_and(|lead| byte.eq_ignore_ascii_case(lead)) || b"%\\&+".contains(&byte)
}

/// Returns true for a character of the forms that are longer than the character.
fn is_of_form(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"%\\&#;{}".contains(&byte)
}

/// Returns true for a character that stands for itself alone.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !b"%\\&+".contains(&byte)
}

/// Returns the ends of the forms of `wanted` at the beginning of `rest`, which is at `start`.
fn begins_of(rest: &str, start: usize, wanted: char) -> Vec<usize> {
    let begun = readings(rest).into_iter().flatten();
    let begun = begun.filter(|(read, _)| read.eq_ignore_ascii_case(&wanted));
    begun.map(|(_, length)| start + length).collect()
}

#[cfg(test)]
mod tests;
