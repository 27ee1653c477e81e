//! The quota of the objects that a plugin creates by itself: it carries its own log.

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::ledger::{Ledger, Use};
use crate::error::Error;
use crate::plugin::rights::{Right, Rights};
use crate::sandbox::bindings::stratalog::log::object_store as wit;
use crate::sandbox::imports::access::{
    WriteQuota, did_not_complete, is_of_compaction, is_position,
};
use crate::store::Space;

/// The quota for one create.
pub(in crate::plugin) struct ObjectQuota {
    ledger: Arc<Ledger>,
    purpose: Use,
}

impl ObjectQuota {
    /// Returns the quota for an object, which the rights of the plugin may make one of upkeep.
    pub(in crate::plugin) fn of(ledger: &Arc<Ledger>, key: &str, rights: Rights) -> Arc<Self> {
        let compacts = rights.has(Right::Compact) || rights.has(Right::Trim);
        let purpose = if is_position(key) {
            // It was admitted by its own right.
            Use::Commit
        } else if compacts && is_of_compaction(key) {
            Use::Upkeep
        } else {
            Use::Append
        };
        Arc::new(Self { ledger: ledger.clone(), purpose })
    }
}

impl ObjectQuota {
    /// Returns the text of a failure as the plugin may know it.
    fn message(&self, error: Error) -> String {
        let label = self.ledger.label();
        match error {
            Error::LimitReached(message) => message,
            error => {
                tracing::warn!(target: "stratalog::plugin", "the log {label}: {error}");
                did_not_complete(label)
            }
        }
    }
}

impl WriteQuota for ObjectQuota {
    fn reserve(&self, space: Space) -> BoxFuture<'_, Result<(), wit::StoreError>> {
        async move {
            let reserve = |state: &mut super::ledger::State| state.reserve(space);
            self.ledger.grant(space, self.purpose, reserve).await.map_err(|error| {
                let kind = match &error {
                    Error::LimitReached(_) => wit::StoreErrorKind::PermissionDenied,
                    error if error.is_transient() => wit::StoreErrorKind::Unavailable,
                    _ => wit::StoreErrorKind::Other,
                };
                wit::StoreError { kind, message: self.message(error) }
            })
        }
        .boxed()
    }

    fn release(&self, space: Space) {
        self.ledger.lock().release(space);
    }
}
