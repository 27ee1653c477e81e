//! Texts of a record without secrets.

use stratalog_store_rules::secrets::Secrets;

use crate::store::hide_secrets;

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
    /// that look like a secret. It has at most this many characters.
    pub(super) fn of(&self, text: &str, characters_max: usize) -> String {
        let hidden = hide_secrets(&self.0.hide(text));
        let mut cut: String = hidden.chars().take(characters_max).collect();
        if cut.len() < hidden.len() {
            cut.push('…');
        }
        cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_environment_and_what_looks_secret_are_hidden() {
        let values = ["sesame-open-1".to_owned(), "true".to_owned()];
        let redaction = Redaction::new(values.iter());
        assert_eq!(redaction.of("is true: sesame-open-1", 100), "is true: ***");
        assert_eq!(
            redaction.of("GET https://me:pw@host/a?sig=1", 100),
            "GET https://***@host/a?***"
        );
        assert_eq!(redaction.of("12345", 3), "123…");
    }
}
