//! Folders below the target folder with what servers run on, made once by who needs them first.
//!
//! 1. A folder has its final name only once complete and checked; it is never changed then. Its name
//!    holds what it was made from, so a new version is a new folder.
//! 2. One process makes it at a time, the others wait. One that dies meanwhile leaves behind the
//!    lock, free, and a folder with its own process id, which the next maker deletes.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Returns the folder of `kind` that `make` fills from `spec`.
///
/// # Errors
/// When it cannot be made.
pub fn folder(
    kind: &str,
    spec: &str,
    make: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    let mut hasher = DefaultHasher::new();
    spec.hash(&mut hasher);
    let root = target_folder().join("test-servers");
    let folder = root.join(format!("{kind}-{:016x}", hasher.finish()));

    let locked = fs::create_dir_all(&root)
        .and_then(|()| File::create(root.join(format!("{kind}.lock"))))
        .and_then(|file| file.lock().map(|()| file));
    let _unlocks_when_dropped =
        locked.map_err(|e| format!("cannot lock {}: {e}", root.display()))?;
    if !folder.exists() {
        install(kind, &root, &folder, make)?;
    }
    Ok(folder)
}

/// Makes the folder; the caller holds the lock.
fn install(
    kind: &str,
    root: &Path,
    folder: &Path,
    make: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<(), String> {
    let unfinished = root.join(format!("{kind}-unfinished-{}", std::process::id()));
    let prepare = || {
        for entry in fs::read_dir(root)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(&format!("{kind}-")) {
                // What an orphaned installer still writes into cannot be deleted, and does no harm.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        fs::create_dir(&unfinished)
    };
    prepare().map_err(|e: io::Error| format!("cannot write in {}: {e}", root.display()))?;

    eprintln!("installing {kind} into {}, once", folder.display());
    make(&unfinished).inspect_err(|_| {
        let _ = fs::remove_dir_all(&unfinished);
    })?;
    fs::rename(&unfinished, folder).map_err(|e| format!("cannot make {}: {e}", folder.display()))
}

/// Runs a command to its end.
///
/// # Errors
/// When it does not succeed: the last line that it printed on standard error.
pub fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().display().to_string();
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|e| format!("cannot run {program}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(stderr.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it failed").to_owned())
}

/// The target folder that this test was built into: cargo marks it as a cache.
pub fn target_folder() -> PathBuf {
    let marked = std::env::current_exe().ok().and_then(|program| {
        let mut folders = program.ancestors();
        folders.find(|folder| folder.join("CACHEDIR.TAG").exists()).map(Path::to_owned)
    });
    marked.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"))
}
