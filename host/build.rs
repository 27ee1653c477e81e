//! Builds the guest component and tells the host where it is, its digest, and the version of its
//! interface.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

use sha2::{Digest as _, Sha256};

const TARGET: &str = "wasm32-wasip2";
const PACKAGE: &str = "stratalog-guest";

fn main() -> ExitCode {
    match build() {
        Ok((component, sha256, version)) => {
            println!("cargo::rustc-env=STRATALOG_COMPONENT={}", component.display());
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
    let variable =
        |name: &str| env::var_os(name).ok_or_else(|| format!("cargo did not set {name}"));
    let host = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let workspace = host.parent().ok_or("the host has no workspace")?;
    let out_dir = PathBuf::from(variable("OUT_DIR")?);
    let target_dir = wasm_dir(&out_dir);
    for part in ["guest/Cargo.toml", "guest/src", "wit", "Cargo.lock", "Cargo.toml"] {
        println!("cargo::rerun-if-changed={}", workspace.join(part).display());
    }
    let version = interface_version(&workspace.join("wit").join("world.wit"))?;
    require_target(&PathBuf::from(variable("RUSTC")?))?;

    let mut cargo = Command::new(variable("CARGO")?);
    cargo
        .current_dir(workspace)
        .args(["build", "--release", "--package", PACKAGE, "--target", TARGET, "--target-dir"])
        .arg(&target_dir)
        // Four times faster scans and digests.
        .env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+simd128");
    // Flags and wrappers meant for the host (clippy's among them) are not for the guest.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_CFG_")
            || name.starts_with("CARGO_FEATURE_")
            || matches!(
                name.as_str(),
                "RUSTFLAGS"
                    | "RUSTC_WRAPPER"
                    | "RUSTC_WORKSPACE_WRAPPER"
                    | "CLIPPY_ARGS"
                    | "RUSTDOCFLAGS"
            )
        {
            cargo.env_remove(name);
        }
    }
    let output = cargo.output().map_err(|error| format!("cannot run cargo: {error}"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        for line in stderr.lines() {
            println!("cargo::warning={line}");
        }
        return Err(format!("the guest component {PACKAGE} does not build: {}", output.status));
    }
    let built = target_dir.join(TARGET).join("release").join("stratalog_guest.wasm");
    let component = out_dir.join("stratalog_guest.wasm");
    let copy = || {
        fs::copy(&built, &component)?;
        fs::read(&component)
    };
    let bytes = copy().map_err(|error| format!("cannot copy {}: {error}", built.display()))?;
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

/// Returns the folder `wasm` in the target folder. The tests build plugins there, too, so that
/// macros, which are most of the work, are compiled once for both.
fn wasm_dir(out_dir: &Path) -> PathBuf {
    let mut folders = out_dir.ancestors();
    let target = folders.find(|folder| folder.join("CACHEDIR.TAG").exists());
    target.unwrap_or(out_dir).join("wasm")
}

fn require_target(rustc: &Path) -> Result<(), String> {
    let output = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .map_err(|error| format!("cannot run {}: {error}", rustc.display()))?;
    let libraries = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    if libraries.is_dir() {
        return Ok(());
    }
    Err(format!("the target {TARGET} is not installed: run `rustup target add {TARGET}`"))
}
