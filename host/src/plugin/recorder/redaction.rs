//! Texts of a record without secrets.

use stratalog_store_rules::secrets::Secrets;
use stratalog_store_rules::text::cut;

use crate::store::{cut_before, hide_secrets, is_begun};

/// Values of the environment that have fewer bytes are words such as `true` and `debug`, and hiding
/// them would only garble the texts.
const VALUE_BYTES_MIN: usize = 8;

/// The values of the plugin's environment, which no text repeats.
#[derive(Debug, Default)]
pub(super) struct Redaction(Secrets);

impl Redaction {
    pub(super) fn new<'a>(values: impl Iterator<Item = &'a String>) -> Self {
        Self(Secrets::new(values.filter(|value| value.len() >= VALUE_BYTES_MIN)))
    }

    /// Returns a text without the secrets of open stores, the values of the environment, and texts
    /// that look like a secret. Next to the mark of a cut, it has no part of one either.
    pub(super) fn of(&self, text: &str) -> String {
        hide_secrets(&self.0.hide(text))
    }

    /// Returns the same, with at most this many characters. A text that is far longer is cut before
    /// it is searched.
    pub(super) fn short(&self, text: &str, characters_max: usize) -> String {
        cut(&self.of(&cut(text, characters_max.saturating_mul(4))), characters_max)
    }

    /// Returns the last place, at or before `at`, at which the text can be cut without cutting a
    /// secret, or one that the rest of the text may complete.
    pub(super) fn cut_before(&self, text: &str, at: usize) -> usize {
        cut_before(&self.0, text, at)
    }

    /// Returns true if a secret begins in the text whose rest would be behind its end.
    pub(super) fn is_begun(&self, text: &str) -> bool {
        is_begun(&self.0, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_environment_and_what_looks_secret_are_hidden() {
        let values = ["sesame-open-1".to_owned(), "true".to_owned()];
        let redaction = Redaction::new(values.iter());
        assert_eq!(redaction.of("is true: sesame-open-1"), "is true: ***");
        let url = redaction.of("GET https://me:pw@host/a?sig=1");
        assert_eq!(url, "GET https://***@host/a?***");
        assert_eq!(redaction.short("12345", 3), "123…");
        assert_eq!(redaction.of(&cut("is sesame-open-1", 9)), "is ***…");
    }
}
