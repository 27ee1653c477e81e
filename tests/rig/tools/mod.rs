//! Tools that tests need and that some machines lack: cargo for WebAssembly, Python packages, npm
//! packages, wasmtime. A test gets the tool, or the reason why this machine has none.
//!
//! 1. Everything is installed below the target folder, once, and all processes share it.
//! 2. An installation gets its final name only when complete, and never changes after that.
//! 3. One process installs at a time, and the others wait. One that dies leaves the lock free. It
//!    also leaves a folder with its own process id, which the next installer deletes.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub mod cargo;
pub mod chromium;
pub mod npm;
pub mod python;
pub mod wasmtime;

/// Returns the value, or `None` after printing on standard error what is skipped and why.
///
/// # Panics
/// When it is missing in CI (`CI` is set): there nothing is skipped.
pub fn require_or_skip<T>(what: &str, tool: Result<T, String>) -> Option<T> {
    match tool {
        Ok(tool) => Some(tool),
        Err(reason) if in_ci() => {
            panic!("{what}: {reason} (CI is set, so this test must not be skipped)")
        }
        Err(reason) => {
            eprintln!("SKIPPED {what}: {reason}");
            None
        }
    }
}

pub fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !value.is_empty() && value != "false")
}

/// Returns the repository's root.
pub fn workspace() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().find(|folder| folder.join("Cargo.lock").exists()).unwrap_or(package)
}

/// Returns the target folder that contains the running test.
pub fn target_folder() -> PathBuf {
    let marked = std::env::current_exe().ok().and_then(|program| {
        let mut folders = program.ancestors();
        folders.find(|folder| folder.join("CACHEDIR.TAG").exists()).map(Path::to_owned)
    });
    marked.unwrap_or_else(|| workspace().join("target"))
}

/// Returns the folder of compiled components, shared by all tests.
pub fn cache_folder() -> PathBuf {
    target_folder().join("test-cache")
}

/// Returns the folder `NAME-…`, filled by `make`. The first process that asks for this `content`,
/// the text that says what to install, makes it.
pub(crate) fn installed_once(
    name: &str,
    content: &str,
    make: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    let root = target_folder().join("test-tools");
    let folder = root.join(format!("{name}-{:016x}", hasher.finish()));
    let locked = fs::create_dir_all(&root)
        .and_then(|()| File::create(root.join(format!("{name}.lock"))))
        .and_then(|file| file.lock().map(|()| file));
    let _unlocks_when_dropped =
        locked.map_err(|e| format!("cannot lock {}: {e}", root.display()))?;
    if folder.exists() {
        return Ok(folder);
    }
    let unfinished = root.join(format!("{name}-unfinished-{}", std::process::id()));
    let prepare = || {
        for entry in fs::read_dir(&root)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(&format!("{name}-")) {
                // A folder that an orphaned installer still writes into cannot be deleted, and does
                // no harm.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        fs::create_dir(&unfinished)
    };
    prepare().map_err(|e: io::Error| format!("cannot write in {}: {e}", root.display()))?;
    eprintln!("installing {name} into {}, once", folder.display());
    make(&unfinished).inspect_err(|_| {
        let _ = fs::remove_dir_all(&unfinished);
    })?;
    fs::rename(&unfinished, &folder)
        .map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
    Ok(folder)
}

/// Runs a program to its end.
///
/// # Errors
/// When it cannot be run or does not succeed: the end of its output.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().display().to_string();
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|e| format!("cannot run {program}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = if output.stderr.is_empty() { output.stdout } else { output.stderr };
    let said = String::from_utf8_lossy(&said);
    let mut lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let end = lines.split_off(lines.len().saturating_sub(5));
    Err(format!("{program} failed ({}): {}", output.status, end.join("\n")))
}

/// Copies a folder and its contents but for these names, through symbolic links.
///
/// # Errors
/// When a file cannot be read or written.
pub fn copy_folder(from: &Path, to: &Path, leave_out: &[&str]) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        if leave_out.iter().any(|left_out| name == OsStr::new(left_out)) {
            continue;
        }
        let (source, target) = (from.join(&name), to.join(&name));
        if source.is_dir() {
            copy_folder(&source, &target, leave_out)?;
        } else {
            fs::copy(&source, &target)?;
        }
    }
    Ok(())
}
