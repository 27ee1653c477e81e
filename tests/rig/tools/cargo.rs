//! Programs of the workspace, built for WebAssembly in the folder in which the host builds the
//! guest.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{run, target_folder, workspace};

const TARGET: &str = "wasm32-wasip2";

/// Builds the binaries of these packages, and returns their folder.
///
/// # Errors
/// The output of cargo.
pub fn wasm(packages: &[&str]) -> Result<PathBuf, String> {
    let folder = target_folder().join("wasm");
    let mut cargo = command("build", &folder);
    for package in packages {
        cargo.args(["--package", package]);
    }
    run(&mut cargo)?;
    Ok(folder.join(TARGET).join("release"))
}

/// Builds one package in this folder, as small as it can be, and returns the component. `options`
/// select what of the package is built.
///
/// # Errors
/// The output of cargo.
pub fn small_wasm(package: &str, options: &[&str], folder: &Path) -> Result<Vec<u8>, String> {
    let mut cargo = command("rustc", folder);
    let settings =
        [("CODEGEN_UNITS", "1"), ("LTO", "fat"), ("OPT_LEVEL", "z"), ("STRIP", "symbols")];
    cargo.envs(settings.map(|(name, value)| (format!("CARGO_PROFILE_RELEASE_{name}"), value)));
    run(cargo.args(["--package", package]).args(options))?;
    let name = package.replace('-', "_");
    let file = folder.join(TARGET).join("release").join(name).with_extension("wasm");
    fs::read(&file).map_err(|e| format!("cannot read {}: {e}", file.display()))
}

/// Returns a command of cargo that builds for WebAssembly in this folder.
fn command(subcommand: &str, folder: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace());
    cargo.args([subcommand, "--release", "--target", TARGET, "--target-dir"]).arg(folder);
    // Flags and wrappers for the host do not apply to WebAssembly.
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"]
    {
        cargo.env_remove(name);
    }
    cargo
}
