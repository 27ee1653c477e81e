//! What a process that was killed leaves in a local folder: files that never got their name.
//!
//! The library writes an object under its name with `#1` or another number behind, and gives it its
//! name when it is whole. Listings pass such files over, so all they cost is room.
//!
//! Owns: which of them may go. Must not know: who creates objects, or when.
//!
//! 1. Only a file that is named as a log's object under way, and that nobody has written to for
//!    an hour, is removed. Any other file is somebody else's.
//! 2. Nothing rests on that hour: if such a file was still being written, its create fails with an
//!    unknown fate, as when the store is away, and is tried again.
//! 3. Only who writes removes them, once for each folder; that it cannot is no failure of the write.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// A file that nobody has written to for so long has nobody who will.
const ABANDONED_AFTER: Duration = Duration::from_secs(60 * 60);

/// How the names of a log's objects begin, and those of the probes beside them.
const NAME_STARTS: [&str; 4] = ["batch_", "segment_", "manifest_", "probe_"];

/// Says whether a file of that name is an object under way: `name#1`.
pub(super) fn is_under_way(name: &str) -> bool {
    name.split_once('#').is_some_and(|(_, number)| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Removes the abandoned files directly in `folder`, and returns how many there were.
pub(super) fn sweep(folder: &Path, now: SystemTime) -> io::Result<usize> {
    let mut removed: usize = 0;
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if !is_under_way(name) || !NAME_STARTS.iter().any(|start| name.starts_with(start)) {
            continue;
        }
        let metadata = match entry.metadata() {
            Ok(metadata) if metadata.is_file() => metadata,
            // It has got its name, or somebody else sweeps.
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => continue,
        };
        let age = now.duration_since(metadata.modified()?).unwrap_or_default();
        if age < ABANDONED_AFTER {
            continue;
        }
        match fs::remove_file(entry.path()) {
            Ok(()) => removed = removed.saturating_add(1),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(removed)
}
