//! A folder of files. A new folder is made whole or not at all.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::process::exit::{Code, Failure};

/// Makes a folder with files, or fills an empty one. The paths have `/` between their parts.
pub(super) fn make(
    folder: &Path,
    files: &[(impl AsRef<str>, impl AsRef<str>)],
) -> Result<(), Failure> {
    let shown = folder.display();
    let failed =
        |error: io::Error| Failure::new(Code::Failed, format!("cannot make {shown}: {error}"));
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
    // The temporary folder is private. The one in it has the rights of new folders.
    let temporary = tempfile::Builder::new().prefix(".stratalog-new-").tempdir_in(parent);
    let temporary = temporary.map_err(|error| {
        let (parent, cause) = (parent.display(), error.kind());
        let message = format!("cannot make {shown}: cannot make a folder in {parent}: {cause}");
        Failure::new(Code::Failed, message)
    })?;
    let whole = temporary.path().join("whole");
    fs::create_dir(&whole).and_then(|()| write_all(&whole, files)).map_err(failed)?;
    fs::rename(&whole, folder).map_err(failed)
}

fn write_all(folder: &Path, files: &[(impl AsRef<str>, impl AsRef<str>)]) -> io::Result<()> {
    for (path, text) in files {
        let path = folder.join(path.as_ref());
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(&path, text.as_ref())?;
    }
    Ok(())
}
