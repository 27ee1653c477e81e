//! The errors of an object store, in the few kinds that a caller can react to.

pub use stratalog_store_rules::error::{DeleteFailure, StoreError, StoreErrorKind, WriteError};

/// The name of a local folder in errors of the library's traits.
pub(super) const LOCAL: &str = "a local folder";
