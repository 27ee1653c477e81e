//! Converts the errors and results of the logic for plugins, as a host does.
//!
//! 1. A plugin gets labels, kinds and numbers, but no name of a log. The cause goes to stderr.

use stratalog_guest::error::Error;

use super::grants::Grant;
use crate::wit::types::{self, Compaction, Damage, Finding, NoLog, VerifyProgress};

impl Grant {
    /// Converts the failure of a commit of a position of this log.
    pub(super) fn refuse_commit(&self, error: Error) -> types::Error {
        match self.refuse(error) {
            types::Error::Conflict(_) => types::Error::Conflict(format!(
                "another reader of the log {} has committed under this name; open the log under it \
                 again",
                self.label
            )),
            error => error,
        }
    }

    /// Converts the failure of a call on this log.
    pub(super) fn refuse(&self, error: Error) -> types::Error {
        let label = &self.label;
        if !matches!(
            error,
            Error::InvalidInput(_) | Error::InvalidEvent { .. } | Error::NoLog(_) | Error::Closed
        ) {
            eprintln!("warning: the log {label}: {error}");
        }
        match types::Error::from(error) {
            types::Error::WriteFailed(failure) => types::Error::WriteFailed(types::WriteFailure {
                object: self.object(&failure.object),
                message: format!(
                    "the store of the log {label} did not confirm a write: see the host's \
                         messages"
                ),
                ..failure
            }),
            types::Error::StoreFailed(failure) => {
                let message =
                    format!("the store of the log {label} did not answer: see the host's messages");
                types::Error::StoreFailed(types::StoreFailure { message, ..failure })
            }
            types::Error::Damaged(damage) => types::Error::Damaged(self.damage(damage)),
            // The plugin must not see the names of logs below this one.
            types::Error::NoLog(_) => {
                types::Error::NoLog(NoLog { name: label.clone(), below: Vec::new(), more: false })
            }
            types::Error::Conflict(_) => types::Error::Conflict(format!(
                "cannot compact the log {label}: other compactors committed first; no action is \
                 needed"
            )),
            types::Error::Unsupported(_) => types::Error::Unsupported(format!(
                "the store of the log {label}, or this host, does not support this call: ask the \
                 operator"
            )),
            error => error,
        }
    }

    /// Converts the result of a compaction.
    pub(super) fn compaction(&self, done: Compaction) -> Compaction {
        Compaction { new_key: done.new_key.map(|key| self.object(&key)), ..done }
    }

    /// Converts the result of a step of a verification.
    pub(super) fn checked(&self, checked: VerifyProgress) -> VerifyProgress {
        let findings = checked.findings.into_iter().map(|finding| match finding {
            Finding::Damaged(damage) => Finding::Damaged(self.damage(damage)),
            Finding::Garbage(garbage) => {
                Finding::Garbage(types::Garbage { object: self.object(&garbage.object), ..garbage })
            }
            Finding::Stranded(stranded) => Finding::Stranded(types::Stranded {
                object: self.object(&stranded.object),
                before: self.object(&stranded.before),
                ..stranded
            }),
        });
        VerifyProgress { findings: findings.collect(), ..checked }
    }

    fn damage(&self, damage: Damage) -> Damage {
        Damage { object: self.object(&damage.object), ..damage }
    }
}
