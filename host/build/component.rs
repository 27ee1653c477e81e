//! Builds a package of the workspace as a component. The build scripts of the library and of the
//! command line share this file.

#[path = "paths.rs"]
mod paths;
#[path = "sections.rs"]
mod sections;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::variables::{out_dir, variable};

const TARGET: &str = "wasm32-wasip2";

/// A package whose library is a component.
pub(crate) struct Package {
    pub(crate) name: &'static str,
    /// The files and folders that the component is built from.
    pub(crate) sources: &'static [&'static str],
}

/// The settings of a component: less than half the size of a release build. They are not those of
/// a profile, since another profile would compile the macros again, which are most of the work.
const SMALL: [&str; 4] =
    ["codegen-units = 1", "lto = 'fat'", "opt-level = 'z'", "strip = 'symbols'"];

/// The packages that are faster and larger: the scans, digests and signatures of all bytes.
const FASTER: [&str; 4] = ["md-5", "memchr", "sha2", "xxhash-rust"];

const FLAGS: [&str; 2] = [
    // Four times faster scans and digests.
    "-Ctarget-feature=+simd128",
    // A component is not a shared library: each address is a constant.
    "-Crelocation-model=static",
];

/// Builds a component and returns its path, in the output folder of this build script.
pub(crate) fn build(workspace: &Path, package: &Package) -> Result<PathBuf, String> {
    let Package { name, sources } = package;
    let out_dir = out_dir()?;
    // All components and the plugins of the tests are built there, so that macros, which are most
    // of the work, are compiled once.
    let target_dir = target_folder(&out_dir, "wasm");
    for source in sources.iter().chain(&["Cargo.lock", "Cargo.toml"]) {
        println!("cargo::rerun-if-changed={}", workspace.join(source).display());
    }
    require_target(&PathBuf::from(variable("RUSTC")?))?;

    let mut flags = paths::flags(workspace, &target_dir)?;
    flags.extend(FLAGS.map(str::to_owned));
    let mut cargo = cargo(workspace)?;
    // Cargo does not optimize across crates if it also makes the library for Rust.
    cargo.args(["rustc", "--lib", "--crate-type", "cdylib"]);
    for setting in SMALL {
        cargo.arg("--config").arg(format!("profile.release.{setting}"));
    }
    for faster in FASTER {
        cargo.arg("--config").arg(format!("profile.release.package.{faster}.opt-level = 3"));
    }
    cargo
        .args(["--release", "--package", name, "--target", TARGET, "--target-dir"])
        .arg(&target_dir)
        // Numbers that are linked take as many bytes as they need, not five.
        .args(["--", "-Clink-arg=--compress-relocations"])
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    run(&mut cargo, &format!("the component {name} does not build"))?;
    let file = format!("{}.wasm", name.replace('-', "_"));
    let built = target_dir.join(TARGET).join("release").join(&file);
    let component = out_dir.join(file);
    let bytes =
        fs::read(&built).map_err(|error| format!("cannot read {}: {error}", built.display()))?;
    let bytes = sections::without_custom(&bytes)
        .ok_or_else(|| format!("{} is no WebAssembly", built.display()))?;
    fs::write(&component, bytes)
        .map_err(|error| format!("cannot write {}: {error}", component.display()))?;
    Ok(component)
}

/// Returns a folder in the target folder, for what another cargo builds.
pub(crate) fn target_folder(out_dir: &Path, name: &str) -> PathBuf {
    let mut folders = out_dir.ancestors();
    let target = folders.find(|folder| folder.join("CACHEDIR.TAG").exists());
    target.unwrap_or(out_dir).join(name)
}

/// Returns a call of cargo in the workspace, for something that is not this package.
///
/// Flags and wrappers meant for the host (clippy's among them) are not for that.
pub(crate) fn cargo(workspace: &Path) -> Result<Command, String> {
    let mut cargo = Command::new(variable("CARGO")?);
    cargo.current_dir(workspace);
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_CFG_")
            || name.starts_with("CARGO_FEATURE_")
            || matches!(
                name.as_str(),
                "CARGO_ENCODED_RUSTFLAGS"
                    | "RUSTFLAGS"
                    | "RUSTC_WRAPPER"
                    | "RUSTC_WORKSPACE_WRAPPER"
                    | "CLIPPY_ARGS"
                    | "RUSTDOCFLAGS"
            )
        {
            cargo.env_remove(name);
        }
    }
    Ok(cargo)
}

/// Runs cargo to its end. If it fails, its messages are warnings of this build script.
pub(crate) fn run(cargo: &mut Command, failed: &str) -> Result<(), String> {
    let output = cargo.output().map_err(|error| format!("cannot run cargo: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    for line in stderr.lines() {
        println!("cargo::warning={line}");
    }
    Err(format!("{failed}: {}", output.status))
}

fn require_target(rustc: &Path) -> Result<(), String> {
    let libraries = paths::said(rustc, &["--print", "target-libdir", "--target", TARGET])?;
    let libraries = PathBuf::from(libraries.trim());
    if libraries.is_dir() {
        return Ok(());
    }
    Err(format!("the target {TARGET} is not installed: run `rustup target add {TARGET}`"))
}
