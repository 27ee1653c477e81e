//! Tells the library where its component and its interface are.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// The variable of the library that has the path of its component.
const COMPONENT: &str = "STRATALOG_COMPONENT";

/// Embeds a component and the interface in the folder `wit`. `out_dir` is the output folder of this
/// build script.
pub(crate) fn embed(component: &Path, wit: &Path, out_dir: &Path) -> Result<(), String> {
    println!("cargo::rerun-if-changed={}", wit.display());
    println!("cargo::rustc-env={COMPONENT}={}", component.display());
    // The build script of the command line reads it.
    println!("cargo::metadata=component={}", component.display());
    println!("cargo::rustc-env={COMPONENT}_SHA256={}", sha256(component)?);
    let version = interface_version(&wit.join("world.wit"))?;
    println!("cargo::rustc-env=STRATALOG_INTERFACE_VERSION={version}");
    write_macro(wit, &out_dir.join("wit.rs"))
}

fn sha256(file: &Path) -> Result<String, String> {
    let bytes =
        fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    Ok(Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Writes the macro that generates bindings of a world of the interface.
fn write_macro(wit: &Path, file: &PathBuf) -> Result<(), String> {
    let text = format!(
        "macro_rules! wit_bindings {{
    ($($options:tt)*) => {{
        wasmtime::component::bindgen!({{ path: {wit:?}, $($options)* }});
    }};
}}
"
    );
    fs::write(file, text).map_err(|error| format!("cannot write {}: {error}", file.display()))
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
