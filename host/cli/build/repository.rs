//! The build script of the command line in the repository: builds the adapters, and the JavaScript
//! of the page of `stratalog view`, and packs the plugin kit. `package.rs` is that in the package,
//! which has the components built.

#[path = "../../build/component.rs"]
mod component;
#[path = "../../build/ending.rs"]
mod ending;
mod files_below;
mod kit;
mod page;
mod transpile;
#[path = "../../build/variables.rs"]
mod variables;

use std::path::Path;
use std::process::ExitCode;

use component::Package;
use variables::variable;

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

/// The small components around a program, each with the variable that has its path.
const AROUND_PROGRAMS: [(&str, &str); 4] = [
    ("STRATALOG_LOG_SINK_EXIT", "adapters/log-sink/exit.wasm"),
    ("STRATALOG_LOG_SINK_RUN", "adapters/log-sink/run.wasm"),
    ("STRATALOG_OPEN_LOGS_EXIT", "adapters/open-logs/exit.wasm"),
    ("STRATALOG_OPEN_LOGS_RUN", "adapters/open-logs/run.wasm"),
];

fn main() -> ExitCode {
    ending::end(build())
}

fn build() -> Result<(), String> {
    let command_line = variables::package_dir()?;
    let workspace = command_line.ancestors().nth(2).ok_or("the command line has no workspace")?;
    for (variable, package) in &ADAPTERS {
        let component = component::build(workspace, package)?;
        println!("cargo::rustc-env={variable}={}", component.display());
    }
    for (variable, file) in AROUND_PROGRAMS {
        println!("cargo::rustc-env={variable}={}", workspace.join(file).display());
    }
    let out_dir = variables::out_dir()?;
    kit::pack(workspace, &out_dir)?;
    let javascript = out_dir.join(page::COMPONENT);
    // The build script of the library names it.
    let component = variable("DEP_STRATALOG_COMPONENT")?;
    transpile::transpile(workspace, Path::new(&component), &javascript)?;
    page::pack(&command_line.join("page"), &javascript, &out_dir)
}
