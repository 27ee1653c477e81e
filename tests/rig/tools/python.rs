//! Python with pinned packages: the machine's own if it has exactly those, otherwise an environment
//! below the target folder.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{installed_once, run};

/// Exits with 0 if every `name==version` it is given is what the interpreter would import.
const CHECK: &str = "\
import sys
from importlib.metadata import version
for pin in sys.argv[1:]:
    name, wanted = pin.split('==')
    found = version(name)
    if found != wanted:
        sys.exit(f'{name} is {found}, not {wanted}')
";

/// An interpreter, and where it finds packages besides its own.
pub struct Python {
    program: PathBuf,
    packages: Option<PathBuf>,
}

impl Python {
    /// An interpreter that has the packages of a requirements file, installed under `name` if need be.
    ///
    /// # Errors
    /// When there is no Python, or the packages cannot be installed for it.
    pub fn with(name: &str, requirements: &str) -> Result<Python, String> {
        let system = Python::system();
        system.run(["--version"]).map_err(|e| format!("{e} (install python3)"))?;
        if system.check(requirements).is_ok() {
            return Ok(system);
        }
        let folder = installed_once(name, requirements, |folder| {
            install(folder, requirements).map_err(|e| {
                format!(
                    "it cannot be installed: {e} (on Debian: apt-get install python3-venv; or \
                     install its requirements.txt for python3 yourself)"
                )
            })
        })?;
        Ok(Python::in_folder(&folder))
    }

    fn system() -> Python {
        Python { program: "python3".into(), packages: None }
    }

    /// What `install` left in the folder.
    fn in_folder(folder: &Path) -> Python {
        let program = folder.join("venv/bin/python");
        if program.exists() {
            Python { program, packages: None }
        } else {
            Python { packages: Some(folder.join("packages")), ..Python::system() }
        }
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        if let Some(packages) = &self.packages {
            command.env("PYTHONPATH", packages);
        }
        command
    }

    fn run(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Result<(), String> {
        run(self.command().args(args))
    }

    fn pip_install(&self, options: &[&str], requirements: &str) -> Result<(), String> {
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        let pins: Vec<&str> = pins(requirements).collect();
        self.run([&pip, options, &pins].concat())
    }

    /// Tells whether what would run is what was pinned.
    fn check(&self, requirements: &str) -> Result<(), String> {
        let without_extras = |pin: &str| match (pin.find('['), pin.find("==")) {
            (Some(extras), Some(version)) => pin[..extras].to_owned() + &pin[version..],
            _ => pin.to_owned(),
        };
        let pins = pins(requirements).map(without_extras);
        self.run(["-c", CHECK].map(str::to_owned).into_iter().chain(pins))
    }
}

/// The lines of the requirements that name a package.
fn pins(requirements: &str) -> impl Iterator<Item = &str> {
    requirements.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Fills the folder: with a virtual environment, or, as some systems have pip without what that
/// needs, with the packages alone.
fn install(folder: &Path, requirements: &str) -> Result<(), String> {
    let venv = folder.join("venv").display().to_string();
    let in_venv = Python::system().run(["-m", "venv", &venv]);
    let installed = match in_venv {
        Ok(()) => Python::in_folder(folder).pip_install(&[], requirements),
        Err(no_venv) => {
            let _ = fs::remove_dir_all(&venv);
            let packages = folder.join("packages").display().to_string();
            Python::system()
                .pip_install(&["--target", &packages], requirements)
                .map_err(|no_pip| format!("no venv ({no_venv}), no pip ({no_pip})"))
        }
    };
    installed.and_then(|()| Python::in_folder(folder).check(requirements))
}
