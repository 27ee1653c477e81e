//! The files below a folder. So the list of files that are packed is not kept by hand.

use std::fs;
use std::path::{Path, PathBuf};

/// Collects the files below a folder, by their paths at a place: the folder's own for an empty one.
pub(crate) fn collect(
    folder: &Path,
    place: &str,
    files: &mut Vec<(String, PathBuf)>,
) -> Result<(), String> {
    let failed = |error| format!("cannot list {}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let place = if place.is_empty() { name } else { format!("{place}/{name}") };
        if path.is_dir() {
            collect(&path, &place, files)?;
        } else {
            files.push((place, path));
        }
    }
    Ok(())
}
