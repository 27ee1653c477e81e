//! Which store a key leads to, and what of it an instance may know.
//!
//! 1. The log's own component is lent one store, whole: keys and failures are passed on as they are.
//! 2. A component of a plugin is lent logs: a key begins with a label, and the store's own names and
//!    words stay outside.

use std::sync::Arc;

use crate::sandbox::bindings::stratalog::log::object_store as wit;
use crate::store::{EntryKind, Store, StoreError, StoreErrorKind, WriteError};

/// A label under which a component knows a log, and the name of that log.
#[derive(Clone)]
pub(crate) struct KeyScope {
    pub(crate) name: Arc<str>,
    pub(crate) log: Arc<str>,
}

impl KeyScope {
    /// The log's object as the component may know it: below the label instead of the log's name.
    pub(crate) fn object(&self, object: &str) -> String {
        match self.below(object) {
            Some(rest) => format!("{}/{rest}", self.name),
            // Of no log that was lent: what it is, the component is not to know.
            None => self.name.to_string(),
        }
    }

    /// What follows the log's name in an object's key.
    fn below<'a>(&self, object: &'a str) -> Option<&'a str> {
        object.strip_prefix(&*self.log)?.strip_prefix('/')
    }
}

/// What an instance is about to do with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    CreateExclusively,
    Get,
    List,
    Delete,
}

/// Lends stores by key.
pub(crate) trait Lender: Send {
    /// The store behind a key, for an operation that writes so many bytes; or why not.
    fn lend(
        &mut self,
        key: &str,
        operation: Operation,
        bytes: usize,
    ) -> Result<Lent, wit::StoreError>;
}

/// A store that was lent for one operation, and the key in it.
#[expect(unreachable_pub, reason = "the bindings name in public what holds it")]
#[derive(Clone)]
pub struct Lent {
    pub(super) store: Store,
    pub(super) key: String,
    /// The label that stands for the log's name; none when names are known.
    label: Option<KeyScope>,
}

/// An instance that waits to be used has no store yet.
impl Lender for Option<Store> {
    fn lend(&mut self, key: &str, _: Operation, _: usize) -> Result<Lent, wit::StoreError> {
        match self {
            Some(store) => Ok(Lent { store: store.clone(), key: key.to_owned(), label: None }),
            None => Err(wit::StoreError {
                kind: wit::StoreErrorKind::Unavailable,
                message: format!("{key}: no store was lent yet"),
            }),
        }
    }
}

impl Lent {
    /// A key that begins with a label, in the store of the log behind it.
    pub(crate) fn below(
        store: &Store,
        label: &KeyScope,
        key: &str,
    ) -> Result<Self, wit::StoreError> {
        let lent = Self { store: store.clone(), key: String::new(), label: Some(label.clone()) };
        Ok(Self { key: lent.other_key(key)?, ..lent })
    }

    /// Another key of the same log, in the store.
    pub(super) fn other_key(&self, key: &str) -> Result<String, wit::StoreError> {
        let Some(label) = &self.label else { return Ok(key.to_owned()) };
        let rest = key.strip_prefix(&*label.name).and_then(|rest| rest.strip_prefix('/'));
        rest.map(|rest| format!("{}/{rest}", label.log)).ok_or_else(|| wit::StoreError {
            kind: wit::StoreErrorKind::Invalid,
            message: format!("a call on objects of the log {} names others", label.name),
        })
    }

    /// A key of the store, as the instance knows it.
    pub(super) fn known_key(&self, key: String) -> String {
        match &self.label {
            None => key,
            Some(label) => label.object(&key),
        }
    }

    /// Whether the instance may know of an entry. Of a log that was lent by a label, what lies in
    /// folders below it is another's.
    pub(super) fn shows(&self, kind: EntryKind) -> bool {
        self.label.is_none() || kind != EntryKind::Folder
    }

    /// A failure of the store, as the instance may know it.
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
                format!("the store of the log {name} did not do it: the host's messages say why")
            }
        };
        wit::StoreError { kind, message }
    }

    pub(super) fn write_error(&self, error: WriteError) -> wit::WriteError {
        match error {
            WriteError::AlreadyExists => wit::WriteError::AlreadyExists,
            WriteError::NotWritten(error) => wit::WriteError::NotWritten(self.store_error(error)),
            WriteError::Unknown(error) => wit::WriteError::Unknown(self.store_error(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_named_below_its_label() {
        let label = KeyScope { name: "errors".into(), log: "app/secret".into() };
        assert_eq!(label.object("app/secret/batch_1.jsonl"), "errors/batch_1.jsonl");
        assert_eq!(label.object("app/secrets/batch_1.jsonl"), "errors");
    }
}
