//! The reasons why a file or a folder of the cache is not used, and their messages.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The reason why a file or a folder of the cache is not used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    /// Another user owns it or may write to it, or it is not a file or not a folder.
    #[error("{} {reason}", path.display())]
    Untrusted { path: PathBuf, reason: String },
    /// Its content is not what was written.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged { path: PathBuf, reason: String },
    /// The system refuses access.
    #[error("cannot {what} {}: {error}", path.display())]
    System { what: &'static str, path: PathBuf, error: io::Error },
    /// Wasmtime cannot serialize it.
    #[error("the compiled component cannot be serialized: {0}")]
    Code(String),
}

impl Unusable {
    pub(super) fn untrusted(path: &Path, reason: impl Into<String>) -> Self {
        Self::Untrusted { path: path.to_owned(), reason: reason.into() }
    }

    pub(super) fn damaged(path: &Path, reason: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), reason: reason.into() }
    }

    pub(super) fn system(what: &'static str, path: &Path, error: io::Error) -> Self {
        Self::System { what, path: path.to_owned(), error }
    }

    pub(super) fn of_code(error: &wasmtime::Error) -> Self {
        Self::Code(format!("{error:#}"))
    }

    /// Logs a warning with the reason.
    pub(super) fn report(&self, effect: &str) {
        tracing::warn!("{effect}: {self}");
    }

    /// Logs the warning unless this process has logged it already: a folder serves several
    /// components.
    pub(super) fn report_once(&self, effect: &str) {
        static REPORTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
        let reason = match self {
            // The file differs for each component.
            Self::System { path, error, .. } => {
                format!("{}: {error}", path.parent().unwrap_or(path).display())
            }
            other => other.to_string(),
        };
        // Nothing panics while it holds the lock.
        if REPORTED.lock().unwrap_or_else(PoisonError::into_inner).insert(reason) {
            self.report(effect);
        }
    }
}
