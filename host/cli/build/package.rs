//! The build script of the command line in its package, where the adapters and the JavaScript of
//! the page are built. `repository.rs` builds them.

mod built_files;
mod ending;
mod files_below;
mod kit;
mod page;
mod variables;

use std::process::ExitCode;

/// The built files, each with the variable that has its path.
const FILES: [(&str, &str); 7] = [
    ("STRATALOG_FS_STORE", "stratalog_fs_store.wasm"),
    ("STRATALOG_S3_STORE", "stratalog_s3_store.wasm"),
    ("STRATALOG_LOG_SINK", "stratalog_log_sink.wasm"),
    ("STRATALOG_LOG_SINK_EXIT", "log-sink/exit.wasm"),
    ("STRATALOG_LOG_SINK_RUN", "log-sink/run.wasm"),
    ("STRATALOG_OPEN_LOGS_EXIT", "open-logs/exit.wasm"),
    ("STRATALOG_OPEN_LOGS_RUN", "open-logs/run.wasm"),
];

fn main() -> ExitCode {
    ending::end(build())
}

fn build() -> Result<(), String> {
    let package = variables::package_dir()?;
    let built = package.join("built");
    let files = built_files::checked(&built)?;
    for (variable, name) in FILES {
        println!("cargo::rustc-env={variable}={}", files.get(name)?.display());
    }
    let out_dir = variables::out_dir()?;
    kit::pack(&package.join("kit"), &out_dir)?;
    page::pack(&package.join("page"), &built.join(page::COMPONENT), &out_dir)
}
