//! Names in a folder: of objects, of unfinished files, and of neither.
//!
//! Must not know: the meaning of an object's name, but for the starts of those that a log writes.

use std::time::Duration;

/// A file that was not written to for this long is stale. Correctness does not rest on it.
pub const STALE_AFTER: Duration = Duration::from_secs(60 * 60);

/// The reason why an object cannot have the name of an unfinished file.
pub const UNFINISHED_NAME: &str =
    "a file that is being written has such a name; use one without #NUMBER";

/// The starts of the names of all that a log writes, its probes included.
const NAME_STARTS: [&str; 6] =
    ["batch_", "segment_", "manifest_", "generation_", "set-aside_", "probe_"];

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_files_end_with_a_number() {
        for name in ["a#1", "a#007", "#1"] {
            assert!(is_unfinished(name), "{name}");
        }
        for name in ["a#b", "a#", "#", "a", "a#1#2"] {
            assert!(!is_unfinished(name), "{name}");
        }
    }

    #[test]
    fn unfinished_files_of_other_programs_are_not_those_of_a_log() {
        assert!(is_unfinished_of_a_log("batch_1.jsonl#1"));
        for name in ["notes.txt#1", "batch_1.jsonl", "batch_1.jsonl#x", "batch_1.jsonl#"] {
            assert!(!is_unfinished_of_a_log(name), "{name}");
        }
    }
}
