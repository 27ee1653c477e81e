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
use std::time::SystemTime;

use stratalog_store_rules::folder::entry::What;
use stratalog_store_rules::folder::names::{STALE_AFTER, is_unfinished_of_a_log};

use crate::store::backend::local::below::Folder;
use crate::store::backend::local::failure::Cause;

/// Removes the stale files directly in `folder`, and returns their number.
pub(crate) fn sweep(folder: &Folder, now: SystemTime) -> Result<usize, Cause> {
    let mut removed: usize = 0;
    for name in folder.names()? {
        let (name, kind) = name?;
        if kind == Some(What::Folder) || !is_unfinished_of_a_log(&name) {
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
