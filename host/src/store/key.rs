//! The keys of objects and the prefixes of listings.
//!
//! Owns: the allowed keys, and the split of a prefix into folder and start of a name.
//! Must not know: any store, or the meaning of a key.
//!
//! 1. A key reaches the store with exactly the characters the caller wrote.
//! 2. No key leaves the root: no `.` or `..` segment, no leading slash.

use object_store::path::Path;

use super::error::{StoreError, StoreErrorKind};

/// The longest key, in bytes, without the root. S3, GCS and Azure all stop at 1024.
pub(super) const KEY_BYTES_MAX: usize = 1024;

/// Checks a key and returns it as the library's path below `root_prefix` (empty, or ending in `/`).
pub(super) fn path_of(root_prefix: &str, key: &str) -> Result<Path, StoreError> {
    check(key)?;
    Path::parse(format!("{root_prefix}{key}")).map_err(|_| refused(key, "it is not a path"))
}

/// A listing's prefix, split at its last slash.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Prefix<'a> {
    /// The folder without its last slash; empty for the root.
    pub(super) folder: &'a str,
    /// The start of the names directly in the folder.
    pub(super) name_start: &'a str,
}

impl<'a> Prefix<'a> {
    pub(super) fn parse(prefix: &'a str) -> Result<Self, StoreError> {
        let (folder, name_start) = match prefix.rsplit_once('/') {
            Some((folder, name_start)) => {
                check(folder)?;
                (folder, name_start)
            }
            None => ("", prefix),
        };
        if name_start.chars().any(char::is_control) || prefix.len() > KEY_BYTES_MAX {
            return Err(refused(prefix, "a prefix is short and without control characters"));
        }
        Ok(Self { folder, name_start })
    }

    /// Returns the folder with its last slash; empty for the root.
    pub(super) fn folder_with_slash(&self) -> String {
        if self.folder.is_empty() { String::new() } else { format!("{}/", self.folder) }
    }
}

fn check(key: &str) -> Result<(), StoreError> {
    let reason = if key.is_empty() {
        "it is empty"
    } else if key.len() > KEY_BYTES_MAX {
        "it is longer than 1024 bytes"
    } else if key.chars().any(char::is_control) {
        "it has a control character"
    } else if key.split('/').any(str::is_empty) {
        "it starts or ends with a slash, or has an empty segment"
    } else if key.split('/').any(|segment| segment == "." || segment == "..") {
        "it has a `.` or `..` segment"
    } else {
        return Ok(());
    };
    Err(refused(key, reason))
}

fn refused(key: &str, reason: &str) -> StoreError {
    let shown: String = key.chars().take(100).collect();
    StoreError::new(StoreErrorKind::Invalid, format!("the key {shown:?} cannot be used: {reason}"))
}
