//! Finds the store behind a key, and limits what an instance may know of it.
//!
//! 1. The log's own component gets one store, whole: keys and failures are passed on unchanged.
//! 2. A copy gets two stores, each below a folder of its own.
//! 3. A component of a plugin gets logs: a key begins with a label, and the store's own names and
//!    error texts stay outside.

use std::sync::Arc;

use futures::future::BoxFuture;

use crate::numbers::to_u64;
use crate::sandbox::bindings::stratalog::log::object_store as wit;
use crate::store::{EntryKind, Space, Store, StoreError, StoreErrorKind, WriteError};
use crate::telemetry::ObjectKind;

/// A label under which a component knows a log, and the name of that log.
#[derive(Clone)]
pub(crate) struct KeyScope {
    pub(crate) name: Arc<str>,
    pub(crate) log: Arc<str>,
}

impl KeyScope {
    /// Returns the log's object as the component may know it: below the label instead of the log's
    /// name.
    pub(crate) fn object(&self, object: &str) -> String {
        match self.below(object) {
            Some(rest) => format!("{}/{rest}", self.name),
            // The object is of no granted log, so the component must not learn its name.
            None => self.name.to_string(),
        }
    }

    /// Returns the part of an object's key after the log's name.
    fn below<'a>(&self, object: &'a str) -> Option<&'a str> {
        object.strip_prefix(&*self.log)?.strip_prefix('/')
    }
}

/// The access to objects that an instance requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Create,
    CreateExclusively,
    Get,
    List,
    Delete,
}

/// Grants access to stores by key.
pub(crate) trait StoreAccess: Send {
    /// Returns the store behind a key, for an access that writes this many bytes, or the
    /// refusal.
    fn resolve(
        &mut self,
        key: &str,
        access: Access,
        bytes: usize,
    ) -> Result<Target, wit::StoreError>;
}

/// Returns true if a key is that of a named position: those objects need a right of their own.
pub(crate) fn is_position(key: &str) -> bool {
    key.rsplit('/').next().is_some_and(|object| object.starts_with("position_"))
}

/// Returns true if a key is that of an object which only compactions and trims make.
pub(crate) fn is_of_compaction(key: &str) -> bool {
    let starts = ["segment_", "manifest_", "generation_"];
    key.rsplit('/')
        .next()
        .is_some_and(|object| starts.iter().any(|start| object.starts_with(start)))
}

/// Returns the kind of the object of a key.
pub(super) fn kind_of_object(key: &str) -> ObjectKind {
    let object = key.rsplit('/').next().unwrap_or_default();
    if object.starts_with("batch_") {
        ObjectKind::Batch
    } else if object.starts_with("segment_") {
        ObjectKind::Segment
    } else {
        ObjectKind::Other
    }
}

/// Limits what may be created.
pub(crate) trait WriteQuota: Send + Sync {
    /// Reserves space until it is released, which the create does once it has begun.
    fn reserve(&self, space: Space) -> BoxFuture<'_, Result<(), wit::StoreError>>;
    fn release(&self, space: Space);
}

/// Space for an object that is about to be created.
pub(super) struct Reserved {
    quota: Arc<dyn WriteQuota>,
    space: Space,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.quota.release(self.space);
    }
}

/// Hears how the steps of a call end.
pub(crate) trait StepOutcomes: Send + Sync {
    /// Takes the bytes that a step returned, and the kind and the message of its failure.
    fn ended(&self, bytes: u64, failure: Option<(&'static str, &str)>);
}

/// A store that was granted for one operation, and the key in it.
#[expect(unreachable_pub, reason = "the bindings name in public what holds it")]
#[derive(Clone)]
pub struct Target {
    pub(super) store: Store,
    pub(super) key: String,
    /// The folder of the store, if the instance has two.
    folder: Option<&'static str>,
    /// The label in place of the log's name; none if the component knows names.
    label: Option<KeyScope>,
    /// Hears the outcomes, for a plugin whose calls are recorded.
    steps: Option<Arc<dyn StepOutcomes>>,
    /// Limits what may be created, if there is a limit.
    quota: Option<Arc<dyn WriteQuota>>,
}

/// The folder of the store that is copied from, and that of the store that is copied to.
pub(crate) const FROM: &str = "FROM";
pub(crate) const TO: &str = "TO";

/// The stores of an instance of the log's component.
pub(crate) enum Provided {
    /// It waits for its first use.
    None,
    One(Store),
    /// Those below [`FROM`] and [`TO`].
    Two(Store, Store),
}

impl StoreAccess for Provided {
    fn resolve(&mut self, key: &str, _: Access, _: usize) -> Result<Target, wit::StoreError> {
        let refuse = |kind, why: &str| {
            let message = format!("cannot access {key}: {why}");
            Err(wit::StoreError { kind, message })
        };
        let below = |folder: &str| key.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'));
        let (store, key, folder) = match self {
            Self::One(store) => (store, key, None),
            Self::Two(from, to) => match (below(FROM), below(TO)) {
                (Some(key), _) => (from, key, Some(FROM)),
                (_, Some(key)) => (to, key, Some(TO)),
                _ => {
                    return refuse(wit::StoreErrorKind::Invalid, "it is in neither of two stores");
                }
            },
            Self::None => {
                let why = "no store was provided yet";
                return refuse(wit::StoreErrorKind::Unavailable, why);
            }
        };
        let (store, key) = (store.clone(), key.to_owned());
        Ok(Target { store, key, folder, label: None, steps: None, quota: None })
    }
}

impl Target {
    /// Returns a key that begins with a label, in the store of the log behind it.
    pub(crate) fn below(
        store: &Store,
        label: &KeyScope,
        named: &str,
        steps: Option<Arc<dyn StepOutcomes>>,
    ) -> Result<Self, wit::StoreError> {
        let (store, key_in_store) = (store.clone(), String::new());
        let label = Some(label.clone());
        let key = key_in_store;
        let target = Self { store, key, folder: None, label, steps, quota: None };
        Ok(Self { key: target.other_key(named)?, ..target })
    }

    /// Returns the same with a limit on what may be created.
    pub(crate) fn within(self, quota: Option<Arc<dyn WriteQuota>>) -> Self {
        Self { quota, ..self }
    }

    /// Reserves space for an object of this many bytes, or records and returns the refusal.
    pub(super) async fn reserve(&self, bytes: usize) -> Result<Option<Reserved>, wit::StoreError> {
        let Some(quota) = &self.quota else { return Ok(None) };
        let space = Space { objects: 1, bytes: to_u64(bytes) };
        self.checked(quota.reserve(space).await)?;
        Ok(Some(Reserved { quota: quota.clone(), space }))
    }

    /// Reserves more bytes for an object.
    pub(super) async fn reserve_more(
        &self,
        reserved: Option<&mut Reserved>,
        bytes: usize,
    ) -> Result<(), wit::StoreError> {
        let Some(reserved) = reserved else { return Ok(()) };
        let space = Space { objects: 0, bytes: to_u64(bytes) };
        self.checked(reserved.quota.reserve(space).await)?;
        reserved.space = reserved.space.and(space);
        Ok(())
    }

    fn checked(&self, reserved: Result<(), wit::StoreError>) -> Result<(), wit::StoreError> {
        if let (Err(error), Some(steps)) = (&reserved, &self.steps) {
            steps.ended(0, Some(("limit-reached", &error.message)));
        }
        reserved
    }

    /// Returns another key of the same log, in the store. Objects of named positions need another
    /// right than the others, so one call has objects of one kind.
    pub(super) fn other_key(&self, key: &str) -> Result<String, wit::StoreError> {
        let Some(label) = &self.label else {
            let Some(folder) = self.folder else { return Ok(key.to_owned()) };
            let rest = key.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'));
            return rest.map(str::to_owned).ok_or_else(|| wit::StoreError {
                kind: wit::StoreErrorKind::Invalid,
                message: format!("a call on objects of {folder} names {key}"),
            });
        };
        if !self.key.is_empty() && is_position(&self.key) != is_position(key) {
            return Err(wit::StoreError {
                kind: wit::StoreErrorKind::Invalid,
                message: format!(
                    "a call on objects of the log {} names positions and other objects",
                    label.name
                ),
            });
        }
        let rest = key.strip_prefix(&*label.name).and_then(|rest| rest.strip_prefix('/'));
        rest.map(|rest| format!("{}/{rest}", label.log)).ok_or_else(|| wit::StoreError {
            kind: wit::StoreErrorKind::Invalid,
            message: format!("a call on objects of the log {} names other objects", label.name),
        })
    }

    /// Returns a key of the store as the instance knows it.
    pub(super) fn known_key(&self, key: String) -> String {
        match (&self.label, self.folder) {
            (None, None) => key,
            (None, Some(folder)) => format!("{folder}/{key}"),
            (Some(label), _) => label.object(&key),
        }
    }

    /// Returns true if the instance may know of an entry. For a log that was granted by a label,
    /// entries in folders below it belong to other logs.
    pub(super) fn shows(&self, kind: EntryKind) -> bool {
        self.label.is_none() || kind != EntryKind::Folder
    }

    /// Returns the outcome of a step that read this many bytes, as the instance may know it.
    pub(super) fn read<T>(
        &self,
        bytes: usize,
        result: Result<T, StoreError>,
    ) -> Result<T, wit::StoreError> {
        if let Some(steps) = &self.steps {
            let failure = result.as_ref().err().map(|error| (kind_of(error), &*error.message));
            steps.ended(to_u64(bytes), failure);
        }
        result.map_err(|error| self.store_error(error))
    }

    /// Returns the outcome of a write as the instance may know it.
    pub(super) fn written<T>(&self, result: Result<T, WriteError>) -> Result<T, wit::WriteError> {
        if let Some(steps) = &self.steps {
            let failure = result.as_ref().err().map(|error| match error {
                WriteError::AlreadyExists => ("already-exists", ""),
                WriteError::NotWritten(error) => ("not-written", &*error.message),
                WriteError::Unknown(error) => ("unknown", &*error.message),
            });
            steps.ended(0, failure);
        }
        result.map_err(|error| self.write_error(error))
    }

    /// Returns a failure of the store as the instance may know it.
    pub(super) fn store_error(&self, error: StoreError) -> wit::StoreError {
        let kind = match error.kind {
            StoreErrorKind::NotFound => wit::StoreErrorKind::NotFound,
            StoreErrorKind::NotAnObject => wit::StoreErrorKind::NotAnObject,
            StoreErrorKind::PermissionDenied => wit::StoreErrorKind::PermissionDenied,
            StoreErrorKind::Unavailable => wit::StoreErrorKind::Unavailable,
            StoreErrorKind::Unsupported => wit::StoreErrorKind::Unsupported,
            StoreErrorKind::Invalid => wit::StoreErrorKind::Invalid,
            StoreErrorKind::Other => wit::StoreErrorKind::Other,
        };
        let message = match &self.label {
            None => error.message,
            Some(label) => {
                let name = &label.name;
                if error.kind != StoreErrorKind::NotFound {
                    tracing::warn!(target: "stratalog::plugin", "the log {name}: {error}");
                }
                did_not_complete(name)
            }
        };
        wit::StoreError { kind, message }
    }

    fn write_error(&self, error: WriteError) -> wit::WriteError {
        match error {
            WriteError::AlreadyExists => wit::WriteError::AlreadyExists,
            WriteError::NotWritten(error) => wit::WriteError::NotWritten(self.store_error(error)),
            WriteError::Unknown(error) => wit::WriteError::Unknown(self.store_error(error)),
        }
    }
}

/// Returns the text of a store's failure for a plugin, which must not know the store.
pub(crate) fn did_not_complete(label: &str) -> String {
    format!("the store of the log {label} did not complete the call: see the host's messages")
}

/// Returns the kind of a failure, as in the WIT.
fn kind_of(error: &StoreError) -> &'static str {
    match error.kind {
        StoreErrorKind::NotFound => "not-found",
        StoreErrorKind::NotAnObject => "not-an-object",
        StoreErrorKind::PermissionDenied => "permission-denied",
        StoreErrorKind::Unavailable => "unavailable",
        StoreErrorKind::Unsupported => "unsupported",
        StoreErrorKind::Invalid => "invalid",
        StoreErrorKind::Other => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_is_named_below_its_label() {
        let label = KeyScope { name: "errors".into(), log: "app/secret".into() };
        assert_eq!(label.object("app/secret/batch_1.jsonl"), "errors/batch_1.jsonl");
        assert_eq!(label.object("app/secrets/batch_1.jsonl"), "errors");
    }
}
