//! The forms of a character in a text.
//!
//! Owns: the forms that are recognized. Must not know: the meaning of the texts, or the secrets.
//!
//! A character is recognized
//! 1. as it is;
//! 2. percent-encoded up to three times, with digits of any case;
//! 3. escaped as in JSON, Rust's `Debug`, XML or HTML, an ampersand up to three times.

use crate::text::is_invisible;

/// A character that a text has or means, and the length of its form in bytes.
type Reading = (char, usize);

/// Returns true for a character that cannot be seen, and for the one that replaces such ones.
pub(super) fn is_unseen(character: char) -> bool {
    is_invisible(character) || character == char::REPLACEMENT_CHARACTER
}

/// Returns the characters that the beginning of `rest` may stand for.
pub(super) fn readings(rest: &str) -> [Option<Reading>; 5] {
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
    /// The signs of a text that was escaped four times.
    const SIGNS_MAX: usize = 16;
    let signs = rest.bytes().take(SIGNS_MAX + 1).take_while(|byte| *byte == b'\\').count();
    let behind = rest.get(signs..).filter(|_| signs <= SIGNS_MAX)?;
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

    #[test]
    fn entities_are_decoded_however_often_they_are_escaped() {
        for (text, expected) in [
            ("a &lt;b&gt; &quot;c&quot; &#39;d&#x27;", "a <b> \"c\" 'd'"),
            ("&amp;lt; &amp;amp;lt; &amp; &amp;amp;", "< < & &"),
            ("a & b &; &x; &#; &#xx; &amp;x;", "a & b &; &x; &#; &#xx; &x;"),
            ("no sign: &#+65; &#x+41;", "no sign: &#+65; &#x+41;"),
            ("&", "&"),
            ("\u{fc}&#xfc;", "\u{fc}\u{fc}"),
        ] {
            assert_eq!(decoded(text), expected);
        }
    }
}
