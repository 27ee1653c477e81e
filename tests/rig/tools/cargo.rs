//! Programs of the workspace, built for WebAssembly in the folder in which the host builds the
//! guest.

use std::path::PathBuf;
use std::process::Command;

use super::{run, target_folder, workspace};

const TARGET: &str = "wasm32-wasip2";

/// Builds the binaries of these packages, and returns their folder.
///
/// # Errors
/// The output of cargo.
pub fn wasm(packages: &[&str]) -> Result<PathBuf, String> {
    let folder = target_folder().join("wasm");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace());
    cargo.args(["build", "--release", "--target", TARGET, "--target-dir"]).arg(&folder);
    for package in packages {
        cargo.args(["--package", package]);
    }
    // Flags and wrappers for the host do not apply to WebAssembly.
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"]
    {
        cargo.env_remove(name);
    }
    run(&mut cargo)?;
    Ok(folder.join(TARGET).join("release"))
}
