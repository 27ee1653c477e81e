//! Labels: the names under which a plugin knows its logs.
//!
//! 1. A plugin learns only labels, never the log or the store behind one.
//! 2. A text that a plugin passed is repeated in short form, without characters that control a
//!    terminal.

use stratalog_store_rules::text::cut;

use crate::error::{Error, Result};

/// The most bytes of a label.
const LABEL_BYTES_MAX: usize = 64;
/// The most characters of an unknown label that an error repeats.
const SHOWN_CHARACTERS_MAX: usize = 40;

/// Checks the form of a label: 1 to 64 letters, digits, `-`, `_` or `.`, no leading `.`.
///
/// # Errors
/// [`Error::InvalidInput`] with the label.
pub fn check_label(label: &str) -> Result<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let fits = (1..=LABEL_BYTES_MAX).contains(&label.len())
        && !label.starts_with('.')
        && label.bytes().all(allowed);
    if fits {
        return Ok(());
    }
    Err(Error::InvalidInput(format!(
        "{} is not a label for a log: use 1 to {LABEL_BYTES_MAX} letters, digits, - _ or .",
        shown(label)
    )))
}

/// Returns a text of the plugin, safe to print and cut to a limit.
pub(crate) fn shown(text: &str) -> String {
    format!("{:?}", cut(text, SHOWN_CHARACTERS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_short_names() {
        for label in ["errors", "a", "app-1.errors_x", &"x".repeat(64)] {
            assert!(check_label(label).is_ok(), "{label}");
        }
        for label in ["", ".", "..", ".a", "a/b", "a b", "a\0", "é", &"x".repeat(65)] {
            assert!(check_label(label).is_err(), "{label}");
        }
    }

    #[test]
    fn hostile_label_is_repeated_harmlessly() {
        assert_eq!(shown("a\x1b[2J\0\n\u{202e}"), r#""a\u{1b}[2J\0\n\u{202e}""#);
        assert_eq!(shown(&"x".repeat(10_000)).chars().count(), 43);
    }
}
