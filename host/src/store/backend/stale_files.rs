//! Files in a local folder that never got their name, since their process was killed.
//!
//! An object is written under its name followed by `#` and a number, and gets its name when it is
//! whole. Listings distinguish such files from objects, so they only cost space.
//!
//! Owns: which of them may be removed. Must not know: the creators of objects, or the time of a
//! create.
//!
//! 1. A file is removed only if it is named as an unfinished object of a log, and was not written
//!    to for an hour. Any other file belongs to another program.
//! 2. Correctness does not rest on that hour. If such a file was still being written, its create
//!    fails and is retried.
//! 3. Only a write removes stale files, once for each folder. If that fails, the write still
//!    succeeds.

use std::io;
use std::time::{Duration, SystemTime};

use crate::store::backend::local::below::Folder;
use crate::store::backend::local::failure::{Cause, What};

/// A file that was not written to for this long is stale.
const STALE_AFTER: Duration = Duration::from_secs(60 * 60);

/// The starts of the names of all that a log writes, its probes included.
const NAME_STARTS: [&str; 6] =
    ["batch_", "segment_", "manifest_", "generation_", "set-aside_", "probe_"];

/// Returns whether a file of that name is an unfinished object: `name#1`.
pub(crate) fn is_unfinished(name: &str) -> bool {
    name.split_once('#').is_some_and(|(_, number)| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Removes the stale files directly in `folder`, and returns their number.
pub(crate) fn sweep(folder: &Folder, now: SystemTime) -> Result<usize, Cause> {
    let mut removed: usize = 0;
    for name in folder.names()? {
        let (name, kind) = name?;
        let is_ours =
            is_unfinished(&name) && NAME_STARTS.iter().any(|start| name.starts_with(start));
        if kind == Some(What::Folder) || !is_ours {
            continue;
        }
        let entry = match folder.inspect(&name) {
            Ok(entry) if entry.what == What::File => entry,
            // The file has got its name, or another process removed it.
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => continue,
        };
        let age = entry.modified.and_then(|modified| now.duration_since(modified).ok());
        if age.unwrap_or_default() < STALE_AFTER {
            continue;
        }
        match folder.remove(&name) {
            Ok(()) => removed += 1,
            Err(cause) if cause.is_not_found() => {}
            Err(cause) => return Err(cause),
        }
    }
    Ok(removed)
}
