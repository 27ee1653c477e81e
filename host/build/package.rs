//! The build script of the library in its package, where the component is built. `repository.rs`
//! builds it.

mod built_files;
mod embedding;
mod ending;
mod variables;

use std::process::ExitCode;

fn main() -> ExitCode {
    ending::end(build())
}

fn build() -> Result<(), String> {
    let package = variables::package_dir()?;
    let files = built_files::checked(&package.join("built"))?;
    let component = files.get("stratalog_guest.wasm")?;
    embedding::embed(component, &package.join("wit"), &variables::out_dir()?)
}
