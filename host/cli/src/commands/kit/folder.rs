//! A folder of files.
//!
//! 1. A new folder is made whole or not at all: it is renamed once it has all files.
//! 2. The next process removes what a killed one has left: a folder without the lock that its
//!    process holds.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::process::exit::Failure;

/// The start of the names of temporary folders.
const UNFINISHED: &str = ".stratalog-new-";

/// The file in a temporary folder that its process keeps locked.
const LOCK: &str = "lock";

/// Makes a folder with files, or fills an empty one. The paths have `/` between their parts.
pub(super) fn make(
    folder: &Path,
    files: &[(impl AsRef<str>, impl AsRef<[u8]>)],
) -> Result<(), Failure> {
    let shown = folder.display();
    let failed = |error: io::Error| {
        Failure::input(format!(
            "cannot make {shown}: {error}; name a folder in which this user may write"
        ))
    };
    match fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => return write_all(folder, files).map_err(failed),
            Some(_) => {
                let message = format!("{shown} is not empty: name a new folder, or empty this one");
                return Err(Failure::input(message));
            }
        },
        Err(error) if error.kind() == ErrorKind::NotADirectory => {
            return Err(Failure::input(format!("{shown} is not a folder: name a new one")));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    if folder.is_symlink() {
        let message = format!("{shown} is a link to a folder that does not exist: make that one");
        return Err(Failure::input(message));
    }
    let parent = match folder.parent() {
        None => return Err(Failure::input(format!("{shown} is not a folder: name a new one"))),
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
    };
    fs::create_dir_all(parent).map_err(failed)?;
    remove_abandoned(parent);
    // The temporary folder is private. The one in it has the rights of new folders.
    let temporary = tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(parent);
    let temporary = temporary.map_err(|error| {
        let (parent, cause) = (parent.display(), error.kind());
        let message = format!("cannot make {shown}: cannot make a folder in {parent}: {cause}");
        Failure::input(message)
    })?;
    let _lock = lock(temporary.path()).map_err(failed)?;
    let whole = temporary.path().join("whole");
    fs::create_dir(&whole).and_then(|()| write_all(&whole, files)).map_err(failed)?;
    fs::rename(&whole, folder).map_err(failed)
}

/// Locks a temporary folder until the file is closed.
fn lock(temporary: &Path) -> io::Result<File> {
    let unlocked = temporary.join("unlocked");
    let file = File::create(&unlocked)?;
    file.lock()?;
    // A file of this name is locked, or its process has ended.
    fs::rename(unlocked, temporary.join(LOCK))?;
    Ok(file)
}

/// Removes the temporary folders of processes that were killed. Those that cannot be removed, such
/// as those of another user, harm nobody.
fn remove_abandoned(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        if !entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            continue;
        }
        let folder = entry.path();
        let is_abandoned = File::open(folder.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok());
        if is_abandoned {
            fs::remove_dir_all(folder).ok();
        }
    }
}

fn write_all(folder: &Path, files: &[(impl AsRef<str>, impl AsRef<[u8]>)]) -> io::Result<()> {
    for (path, content) in files {
        let path = folder.join(path.as_ref());
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(&path, content.as_ref())?;
    }
    Ok(())
}
