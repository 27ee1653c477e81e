//! Finds the files that a path has led to before: rotated ones, in the same folder.
//!
//! 1. Rotated files are recognized by their names: that of the file with a number or a time added
//!    behind it or before its extension, as `app.log.1` and `app-2026-01-31.log`. Others in the
//!    folder are left alone.
//! 2. A file that was renamed is found by its identity, and one that was copied by its content.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::fingerprint::{Fingerprint, Likeness};
use super::read_at::FileId;

/// A rotated file.
#[derive(Clone, Debug)]
pub(super) struct Rotated {
    pub(super) path: PathBuf,
    pub(super) id: FileId,
    pub(super) modified: SystemTime,
}

/// Returns the rotated files of a file at this place, the oldest first.
pub(super) fn rotated(place: &Path) -> Vec<Rotated> {
    let (Some(folder), Some(name)) = (place.parent(), place.file_name()) else {
        return Vec::new();
    };
    // A folder that cannot be listed shows no rotated file, and the caller reports that.
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<Rotated> = entries
        .filter_map(Result::ok)
        .filter(|entry| is_rotated_name(name, &entry.file_name()))
        .filter_map(|entry| {
            let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
            let (id, modified) = (FileId::of(&metadata).ok()?, metadata.modified().ok()?);
            Some(Rotated { path: entry.path(), id, modified })
        })
        .collect();
    // Of two of the same time, the one with the greater number is older, as `app.log.10`.
    let name = |rotated: &Rotated| (rotated.path.as_os_str().len(), rotated.path.clone());
    found.sort_by(|a, b| a.modified.cmp(&b.modified).then_with(|| name(b).cmp(&name(a))));
    found
}

/// Returns the newest of some files that has the content of another one.
pub(super) fn copy_of<'r>(
    rotated: &'r [Rotated],
    read: &Fingerprint,
    but: FileId,
) -> Option<&'r Rotated> {
    rotated.iter().rev().filter(|rotated| rotated.id != but && read.offset > 0).find(|rotated| {
        let compared = File::open(&rotated.path).and_then(|file| read.compare(&file));
        matches!(compared, Ok((Likeness::Same, _)))
    })
}

/// Returns true if `found` is the name of a rotated file of this name.
fn is_rotated_name(name: &OsStr, found: &OsStr) -> bool {
    let (Some(name), Some(found)) = (name.to_str(), found.to_str()) else { return false };
    if found.strip_prefix(name).is_some_and(is_number_or_time) {
        return true;
    }
    let Some((stem, extension)) = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) else {
        return false;
    };
    let middle = found.strip_prefix(stem).and_then(|rest| rest.strip_suffix(extension));
    middle.and_then(|rest| rest.strip_suffix('.')).is_some_and(is_number_or_time)
}

/// Returns true for a separator and then a number or a time.
fn is_number_or_time(added: &str) -> bool {
    let is_of_time = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '_' | ':' | 'T' | 'Z');
    added.starts_with(['.', '-', '_'])
        && added.chars().all(is_of_time)
        && added.chars().any(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotated_files_are_recognized_by_their_names() {
        let table = [
            ("app.log", "app.log.1", true),
            ("app.log", "app.log-20260131", true),
            ("app.log", "app.log.2026-01-31T12:00:00Z", true),
            ("app.log", "app-2026-01-31.log", true),
            ("app.log", "app.3.log", true),
            ("app", "app.1", true),
            ("app.log", "app.log", false),
            ("app.log", "app.log.bak", false),
            ("app.log", "app.log.1.gz", false),
            ("app.log", "app.log1", false),
            ("app.log", "app.log.", false),
            ("app.log", "apple.1.log", false),
            ("app.log", "app-error.log", false),
            (".log", ".log.1", true),
            (".log", ".1.log", false),
        ];
        for (name, found, expected) in table {
            let is_rotated = is_rotated_name(OsStr::new(name), OsStr::new(found));
            assert_eq!(is_rotated, expected, "{name} {found}");
        }
    }
}
