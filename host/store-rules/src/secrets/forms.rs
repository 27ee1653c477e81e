//! Finding a secret in a text, in any form.
//!
//! Owns: the forms that are recognized. Must not know: the meaning of the texts, or the secrets.
//!
//! 1. A secret is found in each of these forms and in any mixture of them:
//!    * as it is, in any case of its letters;
//!    * percent-encoded up to three times, with digits of any case;
//!    * escaped as in JSON, Rust's `Debug`, XML or HTML.
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
        while let Some(further) = step_on(text, end, '=') {
            end = further;
        }
        return Some(start..end);
    }
    None
}

/// Returns the end of the secret, if one begins at `start`.
fn matched(text: &str, secret: &str, start: usize) -> Option<usize> {
    let mut others = secret.chars();
    let end = start + step(text.get(start..)?, others.next()?)?;
    others.try_fold(end, |at, wanted| step_on(text, at, wanted))
}

/// Returns the end of `wanted`, if it is at `at` or behind characters that cannot be seen.
fn step_on(text: &str, mut at: usize, wanted: char) -> Option<usize> {
    loop {
        let rest = text.get(at..)?;
        if let Some(length) = step(rest, wanted) {
            return Some(at + length);
        }
        let mut readings = readings(rest).into_iter().flatten();
        at += readings.find(|(read, _)| is_invisible(*read))?.1;
    }
}

/// Returns the length of the form in which `wanted` begins `rest`.
fn step(rest: &str, wanted: char) -> Option<usize> {
    let mut readings = readings(rest).into_iter().flatten();
    readings.find(|(read, _)| read.eq_ignore_ascii_case(&wanted)).map(|(_, length)| length)
}

/// Returns the characters that the beginning of `rest` may stand for, the longest form first.
fn readings(rest: &str) -> [Option<Reading>; 4] {
    let Some(first) = rest.chars().next() else { return [None; 4] };
    let plain = Some((first, first.len_utf8()));
    match first {
        '%' => [in_bytes(rest, "%2525"), in_bytes(rest, "%25"), in_bytes(rest, "%"), plain],
        '\\' => [backslash(rest), rest.starts_with("\\\\").then_some((first, 2)), plain, None],
        '&' => [entity(rest), ampersand(rest), plain, None],
        '+' => [Some((' ', 1)), plain, None, None],
        _ => [plain, None, None, None],
    }
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

/// Reads `&amp;`, escaped once or repeatedly.
fn ampersand(rest: &str) -> Option<Reading> {
    let mut behind = rest.strip_prefix('&')?;
    while let Some(further) = behind.strip_prefix("amp;") {
        behind = further;
    }
    Some(('&', rest.len() - behind.len()))
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
    let (_, signs) = ampersand(rest)?;
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
    fn padding_belongs_to_the_secret() {
        for form in ["c2Vj", "c2Vj=", "c2Vj==", "c2Vj%3D%3D", "c2Vj\u{200b}=\\u003d"] {
            assert_eq!(found(&format!("a {form}\u{200b}&"), "c2Vj"), Some(form));
        }
    }
}
