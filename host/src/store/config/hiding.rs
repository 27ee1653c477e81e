//! Finding a secret in a text, in any form.
//!
//! Owns: the forms that are recognized. Must not know: the meaning of the texts, or the secrets.
//!
//! 1. A secret is found in each of these forms and in any mixture of them:
//!    * as it is, in any case of its letters;
//!    * percent-encoded once or twice, with digits of any case;
//!    * escaped as in JSON, Rust's `Debug` or XML.

use std::ops::Range;

/// Finds `secret`, in lower case, at or after `from`.
pub(crate) fn find(text: &[u8], secret: &[u8], from: usize) -> Option<Range<usize>> {
    let first = *secret.first()?;
    (from..text.len()).find_map(|start| {
        let byte = *text.get(start)?;
        let may_begin =
            byte.eq_ignore_ascii_case(&first) || matches!(byte, b'%' | b'\\' | b'&' | b'+');
        let end = if may_begin { matched(text, secret, start)? } else { return None };
        Some(start..end)
    })
}

/// Returns the end of the secret, if one begins at `start`.
fn matched(text: &[u8], secret: &[u8], start: usize) -> Option<usize> {
    secret.iter().try_fold(start, |at, wanted| step(text.get(at..)?, *wanted).map(|n| at + n))
}

/// Returns the length of the form in which `wanted` begins `rest`.
fn step(rest: &[u8], wanted: u8) -> Option<usize> {
    let is_wanted = |byte: u8| byte.to_ascii_lowercase() == wanted;
    let encoded = match rest {
        [b'%', b'2', b'5', high, low, ..] if hex(*high, *low).is_some_and(is_wanted) => Some(5),
        [b'%', high, low, ..] if hex(*high, *low).is_some_and(is_wanted) => Some(3),
        [b'\\', b'u', b'0', b'0', high, low, ..] if hex(*high, *low).is_some_and(is_wanted) => {
            Some(6)
        }
        [b'\\', letter, ..] if unescaped(*letter) == Some(wanted) => Some(2),
        [b'&', ..] => entity(rest, wanted),
        [b'+', ..] if wanted == b' ' => Some(1),
        _ => None,
    };
    encoded.or_else(|| rest.first().is_some_and(|byte| is_wanted(*byte)).then_some(1))
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)?.checked_mul(16)?.checked_add(digit(low)?)?).ok()
}

fn unescaped(letter: u8) -> Option<u8> {
    match letter {
        b'n' => Some(b'\n'),
        b'r' => Some(b'\r'),
        b't' => Some(b'\t'),
        b'"' | b'\'' | b'\\' | b'/' => Some(letter),
        _ => None,
    }
}

fn entity(rest: &[u8], wanted: u8) -> Option<usize> {
    const NAMED: [(&[u8], u8); 9] = [
        (b"&amp;", b'&'),
        (b"&lt;", b'<'),
        (b"&gt;", b'>'),
        (b"&quot;", b'"'),
        (b"&apos;", b'\''),
        (b"&#34;", b'"'),
        (b"&#39;", b'\''),
        (b"&#43;", b'+'),
        (b"&#x2b;", b'+'),
    ];
    let found = NAMED.iter().find(|(name, byte)| {
        *byte == wanted
            && rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
    });
    found.map(|(name, _)| name.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_is_found_in_every_form() {
        let secret = "Ab/c+d=\"x\n&%2F";
        let lower = secret.to_ascii_lowercase();
        let forms = [
            secret.to_owned(),
            lower.clone(),
            secret.to_ascii_uppercase(),
            "Ab%2Fc%2Bd%3D%22x%0A%26%252F".to_owned(),
            "ab%2fc%2bd%3d%22x%0a%26%252f".to_owned(),
            "Ab%252Fc%252Bd%253D%2522x%250A%2526%25252F".to_owned(),
            "Ab\\/c+d\\u003d\\\"x\\n&%2F".to_owned(),
            "Ab/c&#43;d=&quot;x\n&amp;%2F".to_owned(),
            format!("{secret:?}").trim_matches('"').to_owned(),
        ];
        for form in forms {
            let text = format!("before \u{fc} {form} behind");
            let found =
                find(text.as_bytes(), lower.as_bytes(), 0).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(&text[found], form);
        }
        for other in ["Ab/c+d=\"x", "Ab/c+d=\"x\n&%2", "%", "Ab%2", ""] {
            assert_eq!(find(other.as_bytes(), lower.as_bytes(), 0), None, "{other}");
        }
        assert_eq!(find(b"a b", b"a b", 0), Some(0..3));
        assert_eq!(find(b"xa+b", b"a b", 0), Some(1..4));
    }
}
