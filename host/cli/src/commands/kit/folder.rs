//! A new folder of files, which is made whole or not at all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::process::exit::{Code, Failure};

/// Makes a folder with files. The paths have `/` between their parts.
pub(super) fn make(folder: &Path, files: &[(impl AsRef<str>, String)]) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        Failure::new(Code::Failed, format!("cannot make the folder {}: {error}", folder.display()))
    };
    let is_there = match fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => true,
            Some(_) => {
                let folder = folder.display();
                let message =
                    format!("{folder} is not empty: name a new folder, or empty this one");
                return Err(Failure::input(message));
            }
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(failed(error)),
    };
    let parent = match folder.parent() {
        None => return Err(Failure::input(format!("{} is no new folder", folder.display()))),
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
    };
    fs::create_dir_all(parent).map_err(failed)?;
    // The temporary folder is private. The one in it has the rights of new folders.
    let temporary = tempfile::Builder::new().prefix(".stratalog-new-").tempdir_in(parent);
    let temporary = temporary.map_err(failed)?;
    let whole = temporary.path().join("whole");
    fs::create_dir(&whole).map_err(failed)?;
    for (path, text) in files {
        let path: PathBuf = whole.join(path.as_ref());
        path.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed)?;
        fs::write(&path, text).map_err(failed)?;
    }
    if is_there {
        fs::remove_dir(folder).map_err(failed)?;
    }
    fs::rename(&whole, folder).map_err(failed)
}
