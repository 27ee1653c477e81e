//! Removes secrets from foreign texts before they reach an error or a log line.
//!
//! Owns: the secrets of all open stores. Must not know: the forms of a secret in a text.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use stratalog_store_rules::secrets::Secrets;
use stratalog_store_rules::secrets::looks::hide_what_looks_secret;

/// The secrets of the stores that are open in this process.
static OPEN: Mutex<Vec<Weak<Secrets>>> = Mutex::new(Vec::new());

/// Hides the configured secrets and any text that looks like a secret.
#[derive(Debug, Default)]
pub(crate) struct Redactor {
    secrets: Arc<Secrets>,
}

impl Redactor {
    /// Makes a redactor that hides `secrets`. While it lives, [`hide_secrets`] hides them too.
    pub(crate) fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let secrets = Arc::new(Secrets::new(secrets));
        if !secrets.is_empty() {
            let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
            open.retain(|known| known.strong_count() > 0);
            open.push(Arc::downgrade(&secrets));
        }
        Self { secrets }
    }

    /// Returns `text` without secrets, as one line of limited length.
    pub(crate) fn clean(&self, text: &str) -> String {
        self.secrets.clean(text)
    }
}

/// Returns `text` without the secrets of any store that is open in this process, and without texts
/// that look like a secret.
///
/// For programs that print the logs of the libraries below a store, which repeat requests and
/// answers at the levels `debug` and `trace`. Errors and messages of this library need no such
/// care.
pub fn hide_secrets(text: &str) -> String {
    let mut text = text.to_owned();
    for secrets in open() {
        text = secrets.hide(&text);
    }
    hide_what_looks_secret(&text)
}

/// Returns the last place, at or before `at`, at which a text can be cut without cutting one of
/// these secrets or of the open stores: see [`Secrets::undivided`].
#[cfg(feature = "plugins")]
pub(crate) fn cut_before(secrets: &Secrets, text: &str, mut at: usize) -> usize {
    let open = open();
    let all = open.iter().map(Arc::as_ref).chain([secrets]);
    let places: Vec<_> = all.flat_map(|secrets| secrets.undivided(text)).collect();
    while let Some(place) = places.iter().find(|place| place.start < at && at < place.end) {
        at = place.start;
    }
    at
}

/// Returns true if one of these secrets, or of the open stores, begins in a text whose rest would
/// be behind the end of the text.
#[cfg(feature = "plugins")]
pub(crate) fn is_begun(secrets: &Secrets, text: &str) -> bool {
    open().iter().map(Arc::as_ref).chain([secrets]).any(|secrets| secrets.begun(text).is_some())
}

fn open() -> Vec<Arc<Secrets>> {
    let open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    open.iter().filter_map(Weak::upgrade).collect()
}
