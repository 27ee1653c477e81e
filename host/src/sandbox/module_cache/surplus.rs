//! Decides which files of the cache are removed.

use std::cmp::Reverse;
use std::time::{Duration, SystemTime};

use super::entry::SUFFIX;
use crate::limits::{CACHED_BYTES_MAX, CACHED_MODULES_MAX};

/// The suffix of a file that is being written.
pub(super) const UNFINISHED_SUFFIX: &str = ".unfinished";

/// No process writes for that long: the one that began the file has ended.
const UNFINISHED_AGE_MAX: Duration = Duration::from_secs(3_600);

/// A file in the cache's folder.
#[derive(Debug)]
pub(super) struct CacheFile {
    pub(super) name: String,
    pub(super) bytes: u64,
    /// The time of the last use or of the write.
    pub(super) used: SystemTime,
}

/// Returns the names of the files to remove now: unfinished files, and beyond the bounds the least
/// recently used ones. `kept` stays, and so do files that are not the cache's.
pub(super) fn surplus(found: Vec<CacheFile>, kept: &str, now: SystemTime) -> Vec<String> {
    let (mut modules, others): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|file| file.name.ends_with(SUFFIX));
    let is_left_over = |file: &CacheFile| {
        file.name.ends_with(UNFINISHED_SUFFIX)
            && now.duration_since(file.used).is_ok_and(|age| age > UNFINISHED_AGE_MAX)
    };
    let mut surplus: Vec<String> =
        others.into_iter().filter(is_left_over).map(|file| file.name).collect();

    modules.sort_by_key(|file| Reverse((file.name == kept, file.used)));
    let (mut count, mut bytes) = (0_usize, 0_u64);
    for file in modules {
        count += 1;
        bytes = bytes.saturating_add(file.bytes);
        let is_within = count <= CACHED_MODULES_MAX && bytes <= CACHED_BYTES_MAX;
        if !is_within && file.name != kept {
            surplus.push(file.name);
        }
    }
    surplus
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    fn found(name: &str, bytes: u64, hours_ago: u64) -> CacheFile {
        let used = now() - Duration::from_secs(hours_ago * 3_600);
        CacheFile { name: name.to_owned(), bytes, used }
    }

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }

    fn check(files: Vec<CacheFile>, kept: &str, gone: &[&str]) {
        assert_eq!(surplus(files, kept, now()), gone);
    }

    #[test]
    fn within_the_bounds_nothing_goes() {
        let files = vec![found("a.module", 600 * MIB, 9_000), found("b.module", 424 * MIB, 1)];
        check(files, "b.module", &[]);
    }

    #[test]
    fn beyond_the_bytes_the_longest_unused_go() {
        let files = vec![
            found("new.module", 400 * MIB, 3),
            found("oldest.module", MIB, 30),
            found("older.module", 700 * MIB, 20),
            found("kept.module", 100 * MIB, 40),
        ];
        check(files, "kept.module", &["older.module", "oldest.module"]);
    }

    #[test]
    fn beyond_the_number_the_longest_unused_go() {
        let name = |number: u64| format!("{number:03}.module");
        let files = (0..203).map(|number| found(&name(number), 1, 1_000 - number)).collect();
        check(files, &name(1), &["003.module", "002.module", "000.module"]);
    }

    #[test]
    fn module_just_stored_stays_at_any_size() {
        let files = vec![found("kept.module", 2_000 * MIB, 0), found("b.module", 1, 0)];
        check(files, "kept.module", &["b.module"]);
    }

    #[test]
    fn old_unfinished_files_are_removed_and_other_files_stay() {
        let files = vec![
            found("a.module.7-00.unfinished", 1, 2),
            found("b.module.7-00.unfinished", 1, 0),
            found("notes.txt", 5_000 * MIB, 9_000),
        ];
        check(files, "a.module", &["a.module.7-00.unfinished"]);
        assert!(!UNFINISHED_SUFFIX.ends_with(SUFFIX));
    }
}
