//! Builds the store adapters and tells the command line where they are.

#[path = "../build/component.rs"]
mod component;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use component::{Package, Size, variable};

const FS_STORE: Package = Package {
    name: "stratalog-fs-store",
    sources: &["adapters/exports", "adapters/fs-store", "adapters/wit", "wit"],
    size: Size::Small,
};

fn main() -> ExitCode {
    match build() {
        Ok(component) => {
            println!("cargo::rustc-env=STRATALOG_FS_STORE={}", component.display());
            ExitCode::SUCCESS
        }
        Err(message) => {
            println!("cargo::error={message}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the path of the adapter of a folder.
fn build() -> Result<PathBuf, String> {
    let command_line = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let workspace = command_line.ancestors().nth(2).map(Path::to_owned);
    component::build(&workspace.ok_or("the command line has no workspace")?, &FS_STORE)
}
