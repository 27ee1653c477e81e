//! The keys of objects as paths of the library.

use object_store::path::Path;
use stratalog_store_rules::key::{check, refused};

use super::error::StoreError;

/// Checks a key and returns it as the library's path below `root_prefix` (empty, or ending in `/`).
pub(super) fn path_of(root_prefix: &str, key: &str) -> Result<Path, StoreError> {
    check(key)?;
    Path::parse(format!("{root_prefix}{key}")).map_err(|_| refused(key, "it is not a path"))
}
