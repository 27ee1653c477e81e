//! Names in a folder: of objects, of unfinished files, and of neither.
//!
//! Owns: which names a key may have in a folder. Must not know: the meaning of an object's name,
//! but for the starts of those that a log writes.

use stratalog_store_rules::error::StoreError;
use stratalog_store_rules::key::{self, refused, split};

/// The starts of the names of all that a log writes, its probes included.
const NAME_STARTS: [&str; 6] =
    ["batch_", "segment_", "manifest_", "generation_", "set-aside_", "probe_"];

/// Checks the key of an object in a folder.
///
/// # Errors
/// Kind `invalid`, with the reason. The name of an unfinished file is refused. So is a backslash,
/// which separates folders on some hosts.
pub fn check(key: &str) -> Result<(), StoreError> {
    key::check(key)?;
    if is_unfinished(split(key).1) {
        let reason = "a file that is being written has such a name; use one without #NUMBER";
        return Err(refused(key, reason));
    }
    if key.contains('\\') {
        return Err(refused(key, "it has a backslash, which is a slash on some hosts"));
    }
    Ok(())
}

/// Returns whether a file of that name is an unfinished object: `NAME#1`.
pub fn is_unfinished(name: &str) -> bool {
    name.split_once('#').is_some_and(|(_, number)| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Returns whether a file of that name is an unfinished object of a log.
pub fn is_unfinished_of_a_log(name: &str) -> bool {
    is_unfinished(name) && NAME_STARTS.iter().any(|start| name.starts_with(start))
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
    fn unfinished_files_of_other_programs_are_not_those_of_a_log() {
        assert!(is_unfinished_of_a_log("batch_1.jsonl#1"));
        for name in ["notes.txt#1", "batch_1.jsonl", "batch_1.jsonl#x", "batch_1.jsonl#"] {
            assert!(!is_unfinished_of_a_log(name), "{name}");
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
