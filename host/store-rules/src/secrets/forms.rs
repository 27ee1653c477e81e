//! Finding a secret in a text, in any form.
//!
//! Owns: the forms that are recognized. Must not know: the meaning of the texts, or the secrets.
//!
//! 1. A secret is found in each of these forms and in any mixture of them:
//!    * as it is, in any case of its ASCII letters;
//!    * percent-encoded up to three times, with digits of any case;
//!    * escaped as in JSON, Rust's `Debug`, XML or HTML, an ampersand up to three times.
//! 2. Characters that cannot be seen do not hide it, in any of these forms.

use std::ops::Range;

use crate::text::is_invisible;

/// A character that a text has or means, and the length of its form in bytes.
type Reading = (char, usize);

/// Finds `secret` at or after `from`, with its padding of base64: that shows its length.
pub(super) fn find(text: &str, secret: &str, from: usize) -> Option<Range<usize>> {
    let lead = *secret.as_bytes().first()?;
    let may_begin = |byte: u8| byte.eq_ignore_ascii_case(&lead) || b"%\\&+".contains(&byte);
    let starts = text.bytes().enumerate().skip(from).filter(|(_, byte)| may_begin(*byte));
    for (start, _) in starts {
        let Some(mut end) = matched(text, secret, start) else { continue };
        while let Some(further) = last_end(text, &[end], '=') {
            end = further;
        }
        return Some(start..end);
    }
    None
}

/// Returns the last end of the secret, if one begins at `start`.
///
/// A text may be read in several ways: `%25` is a percent sign, or three characters of the secret.
/// So each way is followed.
fn matched(text: &str, secret: &str, start: usize) -> Option<usize> {
    let mut wanted = secret.chars();
    let first = wanted.next()?;
    let readings = readings(text.get(start..)?).into_iter().flatten();
    let begun = readings.filter(|(read, _)| read.eq_ignore_ascii_case(&first));
    let mut ends: Vec<usize> = begun.map(|(_, length)| start + length).collect();
    for wanted in wanted {
        if ends.is_empty() {
            return None;
        }
        ends = ends_of(text, &ends, wanted);
    }
    ends.into_iter().max()
}

fn last_end(text: &str, places: &[usize], wanted: char) -> Option<usize> {
    ends_of(text, places, wanted).into_iter().max()
}

/// Returns the ends of the forms of `wanted` that are at one of the places, or behind characters
/// there that cannot be seen.
fn ends_of(text: &str, places: &[usize], wanted: char) -> Vec<usize> {
    let mut ends = Vec::with_capacity(places.len());
    for place in places {
        let mut next = Some(*place);
        while let Some(at) = next.take() {
            let Some(rest) = text.get(at..) else { break };
            for (read, length) in readings(rest).into_iter().flatten() {
                if read.eq_ignore_ascii_case(&wanted) {
                    ends.push(at + length);
                } else if is_invisible(read) {
                    // At one place, at most one reading cannot be seen.
                    next = Some(at + length);
                }
            }
        }
    }
    ends.sort_unstable();
    ends.dedup();
    ends
}

/// Returns the characters that the beginning of `rest` may stand for.
fn readings(rest: &str) -> [Option<Reading>; 5] {
    let Some(first) = rest.chars().next() else { return [None; 5] };
    let plain = Some((first, first.len_utf8()));
    match first {
        '%' => [in_bytes(rest, "%2525"), in_bytes(rest, "%25"), in_bytes(rest, "%"), plain, None],
        '\\' => {
            let pair = rest.starts_with("\\\\").then_some((first, 2));
            [backslash(rest), pair, plain, None, None]
        }
        '&' => [entity(rest), escaped(rest, 3), escaped(rest, 2), escaped(rest, 1), plain],
        '+' => [Some((' ', 1)), plain, None, None, None],
        _ => [plain, None, None, None, None],
    }
}

/// Reads an ampersand that was escaped this many times.
fn escaped(rest: &str, times: usize) -> Option<Reading> {
    let sign = ["&", "&amp;", "&amp;amp;", "&amp;amp;amp;"].get(times)?;
    rest.starts_with(sign).then_some(('&', sign.len()))
}

/// Reads a character whose bytes of UTF-8 are two digits each, behind `sign`.
fn in_bytes(mut rest: &str, sign: &str) -> Option<Reading> {
    let mut bytes = Vec::new();
    while bytes.len() < 4 {
        let (digits, behind) = rest.strip_prefix(sign)?.split_at_checked(2)?;
        bytes.push(u8::try_from(number(digits, 16)?).ok()?);
        rest = behind;
        if let Ok(read) = std::str::from_utf8(&bytes) {
            return Some((read.chars().next()?, bytes.len() * (sign.len() + 2)));
        }
    }
    None
}

/// Reads a character behind a backslash, or behind several: a text may be escaped repeatedly.
fn backslash(rest: &str) -> Option<Reading> {
    let behind = rest.trim_start_matches('\\');
    let signs = rest.len() - behind.len();
    let letter = behind.chars().next()?;
    let (read, length) = match letter {
        'n' => ('\n', 1),
        'r' => ('\r', 1),
        't' => ('\t', 1),
        'b' => ('\u{8}', 1),
        'f' => ('\u{c}', 1),
        '0' => ('\0', 1),
        '"' | '\'' | '/' => (letter, 1),
        'x' => {
            let sign = rest.get(..=signs)?;
            return in_bytes(rest, sign);
        }
        'u' => return utf16(rest, rest.get(..=signs)?),
        _ => return None,
    };
    Some((read, signs + length))
}

/// Reads `\u{200b}` of Rust or `\u200b` of JSON, with `sign` for `\u`.
fn utf16(rest: &str, sign: &str) -> Option<Reading> {
    let behind = rest.strip_prefix(sign)?;
    if let Some(braced) = behind.strip_prefix('{') {
        let (digits, _) = braced.split_once('}')?;
        let read = char::from_u32(number(digits, 16)?)?;
        return Some((read, sign.len() + digits.len() + 2));
    }
    let unit = |rest: &str| u16::try_from(number(rest.strip_prefix(sign)?.get(..4)?, 16)?).ok();
    let length = sign.len() + 4;
    // A character above U+FFFF is two units.
    let units = [unit(rest), rest.get(length..).and_then(unit)];
    let read = char::decode_utf16(units.into_iter().flatten()).next()?.ok()?;
    Some((read, read.len_utf16() * length))
}

/// Returns the text with the characters that its entities stand for.
pub(super) fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, behind) = rest.split_at(at);
        out.push_str(before);
        let sign = ampersand(behind).map(|length| ('&', length));
        let Some((read, length)) = entity(behind).or(sign) else { break };
        out.push(read);
        rest = behind.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// Returns the length of an `&` that is escaped, perhaps repeatedly.
fn ampersand(rest: &str) -> Option<usize> {
    let mut behind = rest.strip_prefix('&')?;
    while let Some(further) = behind.strip_prefix("amp;") {
        behind = further;
    }
    Some(rest.len() - behind.len())
}

/// Reads an entity of XML or HTML. Its `&` may be escaped repeatedly.
fn entity(rest: &str) -> Option<Reading> {
    const NAMED: [(&str, char); 11] = [
        ("lt", '<'),
        ("gt", '>'),
        ("quot", '"'),
        ("apos", '\''),
        ("shy", '\u{ad}'),
        ("zwj", '\u{200d}'),
        ("zwnj", '\u{200c}'),
        ("lrm", '\u{200e}'),
        ("rlm", '\u{200f}'),
        ("zerowidthspace", '\u{200b}'),
        ("nobreak", '\u{2060}'),
    ];
    let signs = ampersand(rest)?;
    let (name, tail) = rest.get(signs..)?.split_once(';')?;
    let read = match name.strip_prefix('#') {
        Some(digits) => char::from_u32(match digits.strip_prefix(['x', 'X']) {
            Some(digits) => number(digits, 16)?,
            None => number(digits, 10)?,
        })?,
        None => NAMED.iter().find(|(known, _)| name.eq_ignore_ascii_case(known))?.1,
    };
    Some((read, rest.len() - tail.len()))
}

/// Reads digits, without a sign.
fn number(digits: &str, radix: u32) -> Option<u32> {
    let is_digits = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    u32::from_str_radix(digits, radix).ok().filter(|_| is_digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(text: &'a str, secret: &str) -> Option<&'a str> {
        find(text, secret, 0).map(|found| &text[found])
    }

    #[test]
    fn secret_is_found_in_every_form() {
        let secret = "Ab/c+d=\"x\n&%2Fü";
        let forms = [
            secret.to_owned(),
            secret.to_ascii_lowercase(),
            secret.to_ascii_uppercase(),
            "Ab%2Fc%2Bd%3D%22x%0A%26%252F%C3%BC".to_owned(),
            "ab%2fc%2bd%3d%22x%0a%26%252fü".to_owned(),
            "Ab%252Fc%252Bd%253D%2522x%250A%2526%25252F%25C3%25BC".to_owned(),
            "Ab\\/c+d\\u003d\\\"x\\n&%2F\\u00fc".to_owned(),
            "Ab\\\\/c+d\\\\u003d\\\\\\\"x\\\\n&%2F\\xc3\\xBC".to_owned(),
            "Ab/c&#43;d=&quot;x\n&amp;%2F&#xfc;".to_owned(),
            "Ab&#x2F;c&amp;#43;d&#x3D;&amp;quot;x\n&amp;amp;%2F&#252;".to_owned(),
            format!("{secret:?}").trim_matches('"').to_owned(),
        ];
        for form in forms {
            let text = format!("before \u{fc} {form} behind");
            assert_eq!(found(&text, secret), Some(form.as_str()), "{text}");
        }
        for other in ["Ab/c+d=\"x", "Ab/c+d=\"x\n&%2", "%", "Ab%2", "\\", "\\u", "&", "&#;", ""] {
            assert_eq!(found(other, secret), None, "{other}");
        }
        assert_eq!(found("a b", "a b"), Some("a b"));
        assert_eq!(found("xa+b", "a b"), Some("a+b"));
    }

    #[test]
    fn secret_that_looks_escaped_is_found_as_it_is_and_escaped() {
        for (secret, escaped) in [
            ("pa%25ss-word1", "pa%2525ss-word1"),
            ("pa%25ss%25word", "pa%252525ss%25252525word"),
            ("back\\\\slash", "back\\\\\\\\slash"),
            ("tripl\\\\\\e-back", "tripl\\\\\\\\\\\\e-back"),
            ("back\\n", "back\\\\n"),
            ("amp&amp;amp;word", "amp&amp;amp;amp;word"),
            ("lt&lt;word", "lt&amp;lt;word"),
            ("a+b%2", "a%2Bb%252"),
            ("ends in %", "ends in %25"),
            ("ends in &", "ends in &amp;"),
        ] {
            for form in [secret, &secret.to_ascii_uppercase(), escaped] {
                let text = format!("before {form} behind");
                assert_eq!(found(&text, secret), Some(form), "{text}");
            }
            let apart = secret.chars().map(|c| format!("{c}\u{200b}")).collect::<String>();
            let shown = apart.trim_end_matches('\u{200b}');
            assert_eq!(found(&apart, secret), Some(shown), "{apart:?}");
        }
        assert_eq!(found("pa%ss-word1", "pa%25ss-word1"), None);
    }

    #[test]
    fn invisible_characters_do_not_hide_a_secret() {
        for between in [
            "\u{200b}",
            "\u{2060}\u{feff}",
            "\u{ad}",
            "\u{200e}",
            "\u{202e}",
            "\u{e0041}",
            "\u{fe0f}",
            "\u{3164}",
            "\0",
            "\n",
            "%E2%80%8B",
            "%25e2%2580%258b",
            "\\u200B",
            "\\u{feff}",
            "\\udb40\\udc41",
            "\\xe2\\x80\\x8b",
            "\\n",
            "&#8203;",
            "&#x200b;",
            "&shy;",
            "&amp;ZeroWidthSpace;",
        ] {
            let form = format!("s{between}E{between}c{between}{between}/{between}t");
            assert_eq!(found(&format!("{between}{form}{between} "), "sec/t"), Some(form.as_str()));
        }
        for apart in ["s ec/t", "se-c/t", "s\u{301}ec/t"] {
            assert_eq!(found(apart, "sec/t"), None);
        }
    }

    #[test]
    fn entities_are_decoded_however_often_they_are_escaped() {
        for (text, expected) in [
            ("a &lt;b&gt; &quot;c&quot; &#39;d&#x27;", "a <b> \"c\" 'd'"),
            ("&amp;lt; &amp;amp;lt; &amp; &amp;amp;", "< < & &"),
            ("a & b &; &x; &#; &#xx; &amp;x;", "a & b &; &x; &#; &#xx; &x;"),
            ("&", "&"),
            ("\u{fc}&#xfc;", "\u{fc}\u{fc}"),
        ] {
            assert_eq!(decoded(text), expected);
        }
    }

    #[test]
    fn padding_belongs_to_the_secret() {
        for form in ["c2Vj", "c2Vj=", "c2Vj==", "c2Vj%3D%3D", "c2Vj\u{200b}=\\u003d"] {
            assert_eq!(found(&format!("a {form}\u{200b}&"), "c2Vj"), Some(form));
        }
    }
}
