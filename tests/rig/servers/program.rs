//! A server that is a program, run by `serve_program.py`, which reports its port.

use std::ffi::OsString;
use std::path::Path;

use super::process::Supervised;
use crate::tools::python::Python;

const SERVE: &str = include_str!("serve_program.py");

/// Starts the program; `pattern` finds the port in its output.
///
/// # Errors
/// When there is no Python to watch over it.
///
/// # Panics
/// When the program does not start.
pub fn serve(
    kind: &str,
    pattern: &str,
    program: &Path,
    args: &[OsString],
) -> Result<(Supervised, u16), String> {
    let python = Python::system()?;
    let mut command = python.command();
    command.args(["-c", SERVE, pattern]).arg(program).args(args);
    match Supervised::start(&mut command) {
        Ok((process, port)) => {
            let port = port.parse();
            Ok((process, port.unwrap_or_else(|_| panic!("{kind} tells no port"))))
        }
        Err(log) => panic!("{kind} is installed but does not start: {log}"),
    }
}

/// Returns true if a program is on the path.
pub fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| Path::new(&folder).join(program).is_file())
}
