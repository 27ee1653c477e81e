//! The variables that cargo sets for a build script.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// Returns a variable that cargo sets for build scripts.
pub(crate) fn variable(name: &str) -> Result<OsString, String> {
    env::var_os(name).ok_or_else(|| format!("cargo did not set {name}"))
}

/// Returns the output folder of this build script.
pub(crate) fn out_dir() -> Result<PathBuf, String> {
    variable("OUT_DIR").map(PathBuf::from)
}

/// Returns the folder of the package.
pub(crate) fn package_dir() -> Result<PathBuf, String> {
    variable("CARGO_MANIFEST_DIR").map(PathBuf::from)
}
