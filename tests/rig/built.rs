//! Plugins of this workspace, built for `wasm32-wasip2` when a test first asks for them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// The component of a package: built once in a process, and by cargo only if something changed.
pub fn plugin(package: &str) -> PathBuf {
    static BUILT: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    built.entry(package.to_owned()).or_insert_with(|| build(package)).clone()
}

fn build(package: &str) -> PathBuf {
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    // Not the folder that the tests are built in: the cargo that runs them may hold its lock.
    let target = workspace.join("target").join("plugins");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(&workspace)
        .args(["build", "--release", "--locked", "--target", "wasm32-wasip2"])
        .args(["--package", package, "--target-dir"])
        .arg(&target)
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_TARGET_DIR");
    let output = cargo.output().expect("cargo runs");
    assert!(
        output.status.success(),
        "{package} does not build:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let built = target.join("wasm32-wasip2").join("release");
    // A library's component has underscores in its name.
    let names = [format!("{package}.wasm"), format!("{}.wasm", package.replace('-', "_"))];
    let found = names.iter().map(|name| built.join(name)).find(|file| file.exists());
    found.unwrap_or_else(|| panic!("{package} has no component in {}", built.display()))
}
