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
const NAME_STARTS: [&str; 7] =
    ["batch_", "segment_", "manifest_", "generation_", "position_", "set-aside_", "probe_"];

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

/// The starts and ends of the names of a log's own objects. Between them are digits and `_`.
const FORMS: [(&str, &str); 5] = [
    ("batch_", ".jsonl"),
    ("segment_", ".jsonl"),
    ("segment_", ".index"),
    ("manifest_", ".json"),
    ("generation_", ""),
];

/// The marks of a mirror, and of one that was ended.
const MIRROR_MARKS: [&str; 2] = ["batch_mirror.json", "batch_mirror_ended.json"];

/// The digits behind each of these starts: a time or a generation.
const FIRST_DIGITS: usize = 19;

/// Returns whether a name has the form of a log's own objects. Probes, copies that were set aside
/// and unfinished objects are none.
pub fn is_object_of_a_log(name: &str) -> bool {
    is_position(name)
        || MIRROR_MARKS.contains(&name)
        || FORMS.iter().any(|(start, end)| {
            let numbers = name.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
            numbers.and_then(|numbers| numbers.split_at_checked(FIRST_DIGITS)).is_some_and(
                |(first, others)| {
                    let is_of_a_number = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'_');
                    first.bytes().all(|byte| byte.is_ascii_digit())
                        && (others.is_empty() || others.starts_with('_'))
                        && others.bytes().all(is_of_a_number)
                },
            )
        })
}

/// Returns whether a name has the form of a named position: `position_NAME_NUMBER.json`.
fn is_position(name: &str) -> bool {
    let fields = name.strip_prefix("position_").and_then(|rest| rest.strip_suffix(".json"));
    fields.and_then(|fields| fields.split_once('_')).is_some_and(|(name, number)| {
        let is_of_a_name = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
        !name.is_empty()
            && name.bytes().all(is_of_a_name)
            && number.len() == FIRST_DIGITS
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
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
    #[test]
    fn objects_of_a_log_have_numbers_between_start_and_end() {
        for name in [
            "batch_0001700000006500000.jsonl",
            "batch_0001700000006000000_3c6ef35f_2_0628a850a2b64538.jsonl",
            "batch_0001700000004000000_3c6ef35f47502932_3_1000000_0_2_28fa111c20dc12c1.jsonl",
            "segment_0000000000000000001_47502932_0000.jsonl",
            "segment_0000000000000000001_47502932_0000.index",
            "manifest_0000000000000000001.json",
            "generation_0000000000000000064",
            "position_app-2.main_0000000000000000012.json",
        ] {
            assert!(is_object_of_a_log(name), "{name}");
        }
        for name in [
            "notes.txt",
            ".env",
            "batch_",
            "batch_.jsonl",
            "batch_notes.jsonl",
            "batch_0001700000006500000.jsonl#1",
            "batch_0001700000006500000_notes.jsonl",
            "batch_0001700000006500000a.jsonl",
            "batch_0001700000006500000.json",
            "batch_0001700000006500000/../x.jsonl",
            "segment_0000000000000000001_47502932_0000.txt",
            "generation_0000000000000000064.json",
            "manifest_1.json",
            "position_0000000000000000012.json",
            "position_App_0000000000000000012.json",
            "position_app_12.json",
            "position_../app_0000000000000000012/x_0000000000000000012.json",
            "set-aside_manifest_0000000000000000001.json",
            "probe_0001700000006500000",
        ] {
            assert!(!is_object_of_a_log(name), "{name}");
        }
    }
}
