//! Files that never got their name, since their process was killed.
//!
//! Owns: which of them may be removed. Must not know: the creators of objects.
//!
//! 1. A file is removed only if it is named as an unfinished object of a log, and was not written
//!    to for an hour. Any other file belongs to another program.
//! 2. Correctness does not rest on that hour. If such a file was still being written, its create
//!    fails and is retried.
//! 3. Only a write removes stale files, once for each folder. If that fails, the write still
//!    succeeds.

use std::time::Duration;

use stratalog_store_rules::folder::entry::What;
use stratalog_store_rules::folder::failure::Reason;
use stratalog_store_rules::folder::names::{STALE_AFTER, is_unfinished_of_a_log};

use crate::failure::{Cause, SystemError};
use crate::folder::Folder;

/// Removes the stale files directly in `folder`, and returns their number. `now` is since 1970.
pub(crate) fn sweep(folder: &Folder, now: Duration) -> Result<usize, Cause> {
    let mut names = Vec::new();
    folder.each_name::<SystemError>(|name, kind| {
        if kind != Some(What::Folder) && is_unfinished_of_a_log(&name) {
            names.push(name);
        }
        Ok(())
    })?;
    let mut removed: usize = 0;
    for name in names {
        let entry = match folder.inspect(&name) {
            Ok(entry) if entry.what == What::File => entry,
            // The file has got its name, or another process removed it.
            Err(error) if error.reason != Reason::NotFound => return Err(error.into()),
            _ => continue,
        };
        let age = entry.modified.and_then(|modified| now.checked_sub(modified));
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
