//! Python with pinned packages: the machine's own if it has exactly those, otherwise an
//! environment.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{installed_once, run};

/// Exits with 0 if the interpreter would import every given `name==version`.
const CHECK: &str = "\
import sys
from importlib.metadata import version
for pin in sys.argv[1:]:
    name, wanted = pin.split('==')
    found = version(name)
    if found != wanted:
        sys.exit(f'{name} is {found}, not {wanted}')
";

/// Runs a script that prints a line `ok …` for each property that holds.
///
/// # Panics
/// When it fails, or has no more than ten properties.
pub fn assert_all_hold(script: &mut Command) {
    let ended = script.output().expect("Python runs");
    let [stdout, stderr] =
        [ended.stdout, ended.stderr].map(|text| String::from_utf8(text).expect("text"));
    assert!(ended.status.success(), "{stdout}{stderr}");
    assert!(stdout.lines().filter(|line| line.starts_with("ok ")).count() > 10, "{stdout}");
}

/// An interpreter, and the folder of its additional packages.
pub struct Python {
    program: PathBuf,
    packages: Option<PathBuf>,
}

impl Python {
    /// Returns the machine's own interpreter.
    ///
    /// # Errors
    /// When there is none.
    pub fn system() -> Result<Python, String> {
        let system = Python { program: "python3".into(), packages: None };
        let version = system.run(&["--version".to_owned()]);
        version.map_err(|e| format!("{e} (install python3)")).map(|()| system)
    }

    /// Returns an interpreter with the packages that `requirements` pins, one `name==version` on a
    /// line.
    ///
    /// # Errors
    /// When there is no Python, or the packages cannot be installed for it.
    pub fn with(kind: &str, requirements: &str) -> Result<Python, String> {
        let pins: Vec<&str> = requirements
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect();
        let system = Python::system()?;
        if system.check(&pins).is_ok() {
            return Ok(system);
        }
        let folder = installed_once(kind, requirements, |folder| make(folder, &pins))?;
        Ok(Python::in_folder(&folder))
    }

    /// Returns the interpreter that `make` left in the folder.
    fn in_folder(folder: &Path) -> Python {
        let program = folder.join("venv/bin/python");
        if program.exists() {
            Python { program, packages: None }
        } else {
            Python { program: "python3".into(), packages: Some(folder.join("packages")) }
        }
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        if let Some(packages) = &self.packages {
            command.env("PYTHONPATH", packages);
        }
        command
    }

    /// Returns the path of a program that came with the packages.
    pub fn program(&self, name: &str) -> PathBuf {
        match &self.packages {
            Some(packages) => packages.join("bin").join(name),
            None => self.program.with_file_name(name),
        }
    }

    /// Returns the path of a file that came with a module.
    ///
    /// # Errors
    /// When the module has no such file.
    pub fn file_of(&self, module: &str, name: &str) -> Result<PathBuf, String> {
        let find = format!("import {module}; print({module}.__path__[0])");
        let found = self.command().args(["-c", &find]).output();
        let found = found.map_err(|e| format!("cannot run Python: {e}"))?;
        let file = Path::new(String::from_utf8_lossy(&found.stdout).trim()).join(name);
        match file.exists() {
            true => Ok(file),
            false => Err(format!("the module {module} of Python has no file {name}")),
        }
    }

    fn run(&self, args: &[String]) -> Result<(), String> {
        run(self.command().args(args))
    }

    fn pip_install(&self, options: &[&str], pins: &[&str]) -> Result<(), String> {
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        self.run(&[&pip, options, pins].concat().into_iter().map(str::to_owned).collect::<Vec<_>>())
    }

    /// Checks that the interpreter would import the pinned packages.
    fn check(&self, pins: &[&str]) -> Result<(), String> {
        let without_extras = |pin: &&str| match (pin.find('['), pin.find("==")) {
            (Some(extras), Some(version)) => pin[..extras].to_owned() + &pin[version..],
            _ => (*pin).to_owned(),
        };
        let pins: Vec<String> = pins.iter().map(without_extras).collect();
        self.run(&[vec!["-c".to_owned(), CHECK.to_owned()], pins].concat())
    }
}

/// Fills the folder with a virtual environment. Some systems have pip but not the modules of an
/// environment; there, the folder gets the packages alone.
fn make(folder: &Path, pins: &[&str]) -> Result<(), String> {
    let venv = folder.join("venv").display().to_string();
    let system = Python::system()?;
    let in_venv = system.run(&["-m".to_owned(), "venv".to_owned(), venv.clone()]);
    let installed = match in_venv {
        Ok(()) => Python::in_folder(folder).pip_install(&[], pins),
        Err(no_venv) => {
            let _ = fs::remove_dir_all(&venv);
            let packages = folder.join("packages").display().to_string();
            system
                .pip_install(&["--target", &packages], pins)
                .map_err(|no_pip| format!("no venv ({no_venv}), no pip ({no_pip})"))
        }
    };
    installed.and_then(|()| Python::in_folder(folder).check(pins)).map_err(|e| {
        format!("it cannot be installed: {e} (on Debian: apt-get install python3-venv)")
    })
}
