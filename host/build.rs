//! Builds the guest component and tells the host where it is, its digest, and the version of its
//! interface.

#[path = "build/component.rs"]
mod component;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use component::{Package, variable};
use sha2::{Digest as _, Sha256};

const GUEST: Package = Package {
    name: "stratalog-guest",
    sources: &["adapters/wit", "guest/Cargo.toml", "guest/src", "wit"],
};

fn main() -> ExitCode {
    match build() {
        Ok((component, sha256, version)) => {
            println!("cargo::rustc-env=STRATALOG_COMPONENT={}", component.display());
            println!("cargo::metadata=component={}", component.display());
            println!("cargo::rustc-env=STRATALOG_COMPONENT_SHA256={sha256}");
            println!("cargo::rustc-env=STRATALOG_INTERFACE_VERSION={version}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            println!("cargo::error={message}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the path of the component, its SHA-256 and the version of the interface.
fn build() -> Result<(PathBuf, String, String), String> {
    let host = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let workspace = host.parent().ok_or("the host has no workspace")?;
    let version = interface_version(&workspace.join("wit").join("world.wit"))?;
    let component = component::build(workspace, &GUEST)?;
    let bytes = fs::read(&component)
        .map_err(|error| format!("cannot read {}: {error}", component.display()))?;
    let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((component, sha256, version))
}

/// The version of the package, from its first line of WIT.
fn interface_version(world: &Path) -> Result<String, String> {
    let text = fs::read_to_string(world)
        .map_err(|error| format!("cannot read {}: {error}", world.display()))?;
    let version = text.lines().find_map(|line| {
        let version = line.strip_prefix("package stratalog:log@")?.strip_suffix(';')?;
        let is_number = |part: &str| part.parse::<u64>().is_ok();
        let is_version = version.split('.').count() == 3 && version.split('.').all(is_number);
        is_version.then(|| version.to_owned())
    });
    version.ok_or_else(|| format!("{} has no line `package stratalog:log@X.Y.Z;`", world.display()))
}
