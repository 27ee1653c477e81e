//! Builds the adapters and the page of `stratalog view`, and tells the command line where they are.

#[path = "../build/component.rs"]
mod component;
#[path = "build/page.rs"]
mod page;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use component::{Package, variable};

/// The adapters, each with the variable that has its path.
const ADAPTERS: [(&str, Package); 3] = [
    (
        "STRATALOG_FS_STORE",
        Package {
            name: "stratalog-fs-store",
            sources: &[
                "adapters/exports",
                "adapters/fs-store",
                "adapters/wit",
                "host/store-rules",
                "wit",
            ],
        },
    ),
    (
        "STRATALOG_S3_STORE",
        Package {
            name: "stratalog-s3-store",
            sources: &[
                "adapters/exports",
                "adapters/s3-store",
                "adapters/wit",
                "host/store-rules",
                "wit",
            ],
        },
    ),
    (
        "STRATALOG_LOG_SINK",
        Package {
            name: "stratalog-log-sink",
            sources: &["adapters/log-sink", "adapters/wit", "host/store-rules", "wit"],
        },
    ),
];

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            println!("cargo::error={message}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let command_line = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let workspace = command_line.ancestors().nth(2).ok_or("the command line has no workspace")?;
    for (variable, package) in &ADAPTERS {
        let component = component::build(workspace, package)?;
        println!("cargo::rustc-env={variable}={}", component.display());
    }
    // The build script of the library says it.
    page::build(workspace, Path::new(&variable("DEP_STRATALOG_COMPONENT")?))?;
    Ok(())
}
