//! Makes JavaScript and core modules of the component, by a program of another workspace.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::component::{cargo, run, target_folder};
use crate::variables::out_dir;

/// Writes the JavaScript of a component to an empty folder.
pub(crate) fn transpile(workspace: &Path, component: &Path, folder: &Path) -> Result<(), String> {
    println!("cargo::rerun-if-changed={}", component.display());
    if let Err(error) = fs::remove_dir_all(folder)
        && error.kind() != ErrorKind::NotFound
    {
        return Err(format!("cannot empty {}: {error}", folder.display()));
    }
    let transpiler = workspace.join("host/cli/transpiler");
    for source in ["src", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", transpiler.join(source).display());
    }
    let mut cargo = cargo(workspace)?;
    cargo.args(["run", "--quiet", "--locked", "--target-dir"]);
    cargo.arg(target_folder(&out_dir()?, "transpiler"));
    cargo.arg("--manifest-path").arg(transpiler.join("Cargo.toml"));
    cargo.arg("--").arg(component).arg(folder);
    run(&mut cargo, "the component is not made into JavaScript")
}
