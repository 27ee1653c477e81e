//! The paths in a component: those of the sources, in the messages of panics.
//!
//! They do not depend on the machine, so each machine builds the same bytes.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::variables::variable;

/// Returns the flags by which the compiler writes the same paths everywhere.
///
/// `target` is the folder that generated sources are in.
pub(crate) fn flags(workspace: &Path, target: &Path) -> Result<Vec<String>, String> {
    let rustc = PathBuf::from(variable("RUSTC")?);
    let sysroot = PathBuf::from(said(&rustc, &["--print", "sysroot"])?.trim());
    let version = said(&rustc, &["--verbose", "--version"])?;
    let commit = version.lines().find_map(|line| line.strip_prefix("commit-hash: "));
    let commit = commit.ok_or_else(|| format!("{} names no commit", rustc.display()))?;
    // The last prefix that fits counts.
    let prefixes = [
        (workspace.to_owned(), "".to_owned()),
        (target.to_owned(), "target".to_owned()),
        (cargo_home()?.join("registry").join("src"), "".to_owned()),
        // Without the sources of the library, the compiler names them so, too.
        (sysroot.join("lib/rustlib/src/rust"), format!("/rustc/{commit}")),
    ];
    let flag = |(from, to): (PathBuf, String)| {
        let from = from.to_str().ok_or_else(|| format!("{} is not UTF-8", from.display()))?;
        Ok(format!("--remap-path-prefix={from}={to}"))
    };
    prefixes.into_iter().map(flag).collect()
}

/// Returns the folder in which cargo keeps the sources of dependencies.
fn cargo_home() -> Result<PathBuf, String> {
    if let Some(home) = env::var_os("CARGO_HOME").filter(|home| !home.is_empty()) {
        return Ok(PathBuf::from(home));
    }
    let home = env::home_dir().ok_or("there is no home folder: set CARGO_HOME")?;
    Ok(home.join(".cargo"))
}

/// Returns the output of the compiler.
pub(crate) fn said(rustc: &Path, arguments: &[&str]) -> Result<String, String> {
    let failed = |why: &dyn std::fmt::Display| format!("cannot run {}: {why}", rustc.display());
    let output = Command::new(rustc).args(arguments).output().map_err(|error| failed(&error))?;
    if !output.status.success() {
        return Err(failed(&output.status));
    }
    String::from_utf8(output.stdout).map_err(|error| failed(&error))
}
