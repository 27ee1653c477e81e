//! What a process that was killed leaves in a local folder: files that never got their name.
//!
//! An object is written under its name with `#1` or another number behind, and gets its name when it
//! is whole. Listings tell such files apart from objects, so all they cost is room.
//!
//! Owns: which of them may go. Must not know: who creates objects, or when.
//!
//! 1. Only a file that is named as a log's object under way, and that nobody has written to for
//!    an hour, is removed. Any other file is somebody else's.
//! 2. Nothing rests on that hour: if such a file was still being written, its create fails, and is
//!    tried again.
//! 3. Only who writes removes them, once for each folder; that it cannot is no failure of the write.

use std::io;
use std::time::{Duration, SystemTime};

use crate::store::backend::local::below::Folder;
use crate::store::backend::local::failure::{Cause, What};

/// A file that nobody has written to for so long has nobody who will.
const ABANDONED_AFTER: Duration = Duration::from_secs(60 * 60);

/// How the names of a log's objects begin, and those of the probes beside them.
const NAME_STARTS: [&str; 4] = ["batch_", "segment_", "manifest_", "probe_"];

/// Says whether a file of that name is an object under way: `name#1`.
pub(crate) fn is_under_way(name: &str) -> bool {
    name.split_once('#').is_some_and(|(_, number)| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Removes the abandoned files directly in `folder`, and returns how many there were.
pub(crate) fn sweep(folder: &Folder, now: SystemTime) -> Result<usize, Cause> {
    let mut removed: usize = 0;
    for name in folder.names()? {
        let (name, is_folder) = name?;
        let is_ours =
            is_under_way(&name) && NAME_STARTS.iter().any(|start| name.starts_with(start));
        if is_folder || !is_ours {
            continue;
        }
        let entry = match folder.look(&name) {
            Ok(entry) if entry.what == What::File => entry,
            // It has got its name, or somebody else sweeps.
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => continue,
        };
        let age = entry.modified.and_then(|modified| now.duration_since(modified).ok());
        if age.unwrap_or_default() < ABANDONED_AFTER {
            continue;
        }
        match folder.remove(&name) {
            Ok(()) => removed = removed.saturating_add(1),
            Err(cause) if cause.is_not_found() => {}
            Err(cause) => return Err(cause),
        }
    }
    Ok(removed)
}
