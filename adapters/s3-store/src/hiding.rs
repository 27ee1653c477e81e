//! Texts of a server without the secrets of the requests, which it may repeat.
//!
//! 1. Characters that cannot be seen are removed first: a secret is found behind them.
//! 2. A secret is found as it is, without the padding of base64, encoded for a URL, and in base64.
//! 3. The result is one line of at most 400 characters.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use stratalog_store_rules::text::deceives;

use crate::encoding;

const HIDDEN: &str = "***";

/// The longest text that is shown, in characters.
const TEXT_CHARS_MAX: usize = 400;

/// A shorter text is no secret but a word, such as those of test servers.
const SECRET_BYTES_MIN: usize = 5;

/// The parameter of a header that is as good as a secret, for some minutes.
const SIGNATURE: &str = "Signature=";

/// Returns a text without these secrets.
pub fn clean<'a>(text: &str, secrets: impl IntoIterator<Item = &'a String>) -> String {
    let printable = |c: char| if c.is_control() || c == '\u{fffd}' { ' ' } else { c };
    let mut text: String = text.chars().map(printable).filter(|c| !deceives(*c)).collect();
    let mut forms: Vec<String> = secrets.into_iter().flat_map(|secret| forms(secret)).collect();
    // One may contain another.
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    for form in forms {
        text = text.replace(&form, HIDDEN);
    }
    without_signatures(&text).chars().take(TEXT_CHARS_MAX).collect()
}

/// Returns the forms in which a server may repeat a secret.
fn forms(secret: &str) -> Vec<String> {
    let bare = secret.trim_end_matches('=');
    if bare.len() < SECRET_BYTES_MIN {
        return Vec::new();
    }
    let encoded = BASE64_STANDARD_NO_PAD.encode(secret);
    vec![secret.to_owned(), bare.to_owned(), encoding::uri(secret, false), encoded]
}

fn without_signatures(text: &str) -> String {
    let mut parts = text.split(SIGNATURE);
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shown.push_str(SIGNATURE);
        shown.push_str(HIDDEN);
        shown.push_str(part.trim_start_matches(|c: char| c.is_ascii_hexdigit()));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_in_each_form() {
        let token = "TokTok/Tok+777==".to_owned();
        let shown = |text: &str| clean(text, [&token]);
        for form in [
            "TokTok/Tok+777==",
            "TokTok/Tok+777",
            "Tok\u{202e}Tok/Tok+777==",
            "TokTok%2FTok%2B777%3D%3D",
            "VG9rVG9rL1Rvays3Nzc9PQ",
        ] {
            assert_eq!(shown(&format!("a {form}&b")), "a ***&b", "{form}");
        }
        // Of a cut form, nothing of the secret stays.
        assert_eq!(shown("a TokTok/Tok+777="), "a ***=");
        assert_eq!(shown("Credential=A/b, Signature=0aF9, c"), "Credential=A/b, Signature=***, c");
        assert_eq!(clean("no answer", [&"a".to_owned()]), "no answer");
    }
}
