//! The build script of the library in the repository: builds the component. `package.rs` is that in
//! the package, which has it built.

mod component;
mod embedding;
mod ending;
mod variables;

use std::process::ExitCode;

use component::Package;

const GUEST: Package = Package {
    name: "stratalog-guest",
    sources: &["adapters/wit", "guest/Cargo.toml", "guest/src", "wit"],
};

fn main() -> ExitCode {
    ending::end(build())
}

fn build() -> Result<(), String> {
    let host = variables::package_dir()?;
    let workspace = host.parent().ok_or("the host has no workspace")?;
    let component = component::build(workspace, &GUEST)?;
    embedding::embed(&component, &workspace.join("wit"), &variables::out_dir()?)
}
