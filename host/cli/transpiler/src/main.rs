//! Makes JavaScript and core modules of a component: `stratalog-transpiler COMPONENT FOLDER`.
//!
//! A browser imports `FOLDER/log.js`, and gives the imports when it instantiates the component.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use anyhow::{Context as _, bail};
use js_component_bindgen::{InstantiationMode, TranspileOpts, transpile};

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[PathBuf]) -> anyhow::Result<()> {
    let [component, folder] = arguments else {
        bail!("usage: stratalog-transpiler COMPONENT FOLDER");
    };
    let bytes =
        fs::read(component).with_context(|| format!("cannot read {}", component.display()))?;
    let options = TranspileOpts::builder()
        .name("log".to_owned())
        .no_typescript(true)
        .nodejs_compat_disabled(true)
        .instantiation_mode(InstantiationMode::Async)
        .build();
    let made = transpile(&bytes, options)
        .with_context(|| format!("cannot make JavaScript of {}", component.display()))?;
    for (path, bytes) in made.files {
        write(&folder.join(path), &bytes)?;
    }
    Ok(())
}

fn write(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))
}
