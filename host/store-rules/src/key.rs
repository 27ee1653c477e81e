//! The keys of objects and the prefixes of listings.
//!
//! Owns: the allowed keys, and the split of a prefix into folder and start of a name.
//! Must not know: any store, or the meaning of a key.
//!
//! 1. A key reaches the store with exactly the characters that the caller wrote.
//! 2. No key leaves the root: no `.` or `..` segment, no leading slash.

use crate::error::{StoreError, StoreErrorKind};
use crate::limits::KEY_BYTES_MAX;

/// A listing's prefix, split at its last slash.
#[derive(Debug, PartialEq, Eq)]
pub struct Prefix<'a> {
    /// The folder without its last slash; empty for the root.
    pub folder: &'a str,
    /// The start of the names directly in the folder.
    pub name_start: &'a str,
}

impl<'a> Prefix<'a> {
    /// Checks and splits a prefix.
    ///
    /// # Errors
    /// [`StoreErrorKind::Invalid`] if no key can begin with it.
    pub fn parse(prefix: &'a str) -> Result<Self, StoreError> {
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
    pub fn folder_with_slash(&self) -> String {
        if self.folder.is_empty() { String::new() } else { format!("{}/", self.folder) }
    }
}

/// Checks a key.
///
/// # Errors
/// [`StoreErrorKind::Invalid`], with the reason.
pub fn check(key: &str) -> Result<(), StoreError> {
    let reason = if key.is_empty() {
        "it is empty"
    } else if key.len() > KEY_BYTES_MAX {
        "it is longer than 1024 bytes"
    } else if key.chars().any(char::is_control) {
        "it has a control character"
    } else if key.starts_with('/') {
        "it starts with a slash"
    } else if key.ends_with('/') {
        "it ends with a slash"
    } else if key.contains("//") {
        "it has an empty segment"
    } else if key.split('/').any(|segment| segment == "." || segment == "..") {
        "it has a `.` or `..` segment"
    } else {
        return Ok(());
    };
    Err(refused(key, reason))
}

/// Returns the error of a key that cannot be used.
pub fn refused(key: &str, reason: &str) -> StoreError {
    let shown: String = key.chars().take(100).collect();
    StoreError::new(StoreErrorKind::Invalid, format!("the key {shown:?} cannot be used: {reason}"))
}

/// Splits a key into its folder and its name.
pub fn split(key: &str) -> (&str, &str) {
    key.rsplit_once('/').unwrap_or(("", key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_leave_the_root_are_refused() {
        for key in ["..", "a/../b", "a/./b", "/a", "a/", "a//b", "", "a\n", "a\u{85}b"] {
            assert_eq!(check(key).unwrap_err().kind, StoreErrorKind::Invalid, "{key:?}");
        }
        assert!(check(&"a".repeat(KEY_BYTES_MAX + 1)).is_err());
        for key in ["a", "a/b", "a b", "größe", "per%25cent", "a#b", "...", "a/..b", "~{}"] {
            assert_eq!(check(key), Ok(()), "{key:?}");
        }
    }

    #[test]
    fn slash_too_many_is_named_by_its_place() {
        for (key, fault) in [
            ("/a//b/", "it starts with a slash"),
            ("a//b/", "it ends with a slash"),
            ("s3://b/a", "it has an empty segment"),
        ] {
            let message = check(key).unwrap_err().message;
            assert!(message.ends_with(&format!("cannot be used: {fault}")), "{message}");
        }
    }

    #[test]
    fn prefix_is_split_at_its_last_slash() {
        let parse = |prefix| Prefix::parse(prefix).map(|split| (split.folder, split.name_start));
        assert_eq!(parse(""), Ok(("", "")));
        assert_eq!(parse("batch_"), Ok(("", "batch_")));
        assert_eq!(parse("a/b/batch_"), Ok(("a/b", "batch_")));
        assert_eq!(parse("a/"), Ok(("a", "")));
        for prefix in ["/a", "../a", "a//b", "a\n"] {
            assert!(parse(prefix).is_err(), "{prefix:?}");
        }
    }
}
