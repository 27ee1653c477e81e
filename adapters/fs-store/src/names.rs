//! Names in a folder that a key may have. On some hosts a backslash separates folders, so no key
//! has one.

use stratalog_store_rules::error::StoreError;
use stratalog_store_rules::folder::names::{UNFINISHED_NAME, is_unfinished};
use stratalog_store_rules::key::{self, refused, split};

/// Checks the key of an object in a folder.
///
/// # Errors
/// Kind `invalid`, with the reason. The name of an unfinished file is refused.
pub fn check(key: &str) -> Result<(), StoreError> {
    key::check(key)?;
    if is_unfinished(split(key).1) {
        return Err(refused(key, UNFINISHED_NAME));
    }
    if key.contains('\\') {
        return Err(refused(key, "it has a backslash, which is a slash on some hosts"));
    }
    Ok(())
}

/// Returns whether an entry of that name can be listed: other names cannot be part of a key.
pub fn is_listed(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.chars().any(|c| c.is_control() || c == '\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_unfinished_files_and_with_backslashes_are_refused() {
        for key in ["log/a#1", "a#007", "a\\b", "../a", "log/"] {
            assert!(check(key).is_err(), "{key}");
        }
        for key in ["log/a#b", "log/a#", "log/#", "a#1/b", "log/a#1#2"] {
            assert!(check(key).is_ok(), "{key}");
        }
    }

    #[test]
    fn names_that_are_no_part_of_a_key_are_not_listed() {
        for name in [".", "..", "", "a\n", "a\\b"] {
            assert!(!is_listed(name), "{name:?}");
        }
        for name in [".hidden", "a b", "a#1"] {
            assert!(is_listed(name), "{name:?}");
        }
    }
}
