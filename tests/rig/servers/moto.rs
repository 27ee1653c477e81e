//! moto, a mock of S3 in Python, run by `serve_moto.py`.
//!
//! Runs on the machine's own packages if they are exactly those of `requirements.txt`; otherwise
//! on an environment under the target folder that the first process to need it makes.
//!
//! 1. An environment has its final name only once complete and checked; it is never changed then.
//! 2. One process makes it at a time, the others wait. One that dies meanwhile leaves behind the
//!    lock, free, and a folder with its own process id, which the next maker deletes.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::process::Supervised;
use super::{S3Server, Skip};

pub const KIND: &str = "moto";
const SERVE: &str = include_str!("serve_moto.py");
const REQUIREMENTS: &str = include_str!("requirements.txt");
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
/// Usually a second; a loaded machine takes its time.
const READY_MAX: Duration = Duration::from_mins(1);

pub fn start() -> Result<S3Server, Skip> {
    let python = python().map_err(|reason| Skip { server: KIND, reason })?;
    match Supervised::start(python.command().args(["-c", SERVE]), READY_MAX) {
        Ok((process, port)) => {
            let endpoint = format!("http://127.0.0.1:{port}");
            // moto checks no signature.
            Ok(S3Server::with_bucket(KIND, endpoint, "unchecked".to_owned(), process))
        }
        Err(log) => panic!("moto is installed but does not start: {log}"),
    }
}

/// An interpreter, and where it finds packages besides its own.
struct Python {
    program: PathBuf,
    packages: Option<PathBuf>,
}

impl Python {
    fn system() -> Python {
        Python { program: "python3".into(), packages: None }
    }

    /// What `make` left in the folder.
    fn in_folder(folder: &Path) -> Python {
        let program = folder.join("venv/bin/python");
        if program.exists() {
            Python { program, packages: None }
        } else {
            Python { packages: Some(folder.join("packages")), ..Python::system() }
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        if let Some(packages) = &self.packages {
            command.env("PYTHONPATH", packages);
        }
        command
    }

    /// Runs the interpreter to its end.
    ///
    /// # Errors
    /// When it does not succeed: the last line that it printed on standard error.
    fn run(
        &self,
        args: impl IntoIterator<Item = impl AsRef<std::ffi::OsStr>>,
    ) -> Result<(), String> {
        let output = self.command().args(args).stdin(Stdio::null()).output();
        let output = output.map_err(|e| format!("cannot run {}: {e}", self.program.display()))?;
        if output.status.success() {
            return Ok(());
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        Err(stderr.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it failed").to_owned())
    }

    fn pip_install(&self, options: &[&str]) -> Result<(), String> {
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        let pins: Vec<&str> = pins().collect();
        self.run([&pip, options, &pins].concat())
    }

    /// Tells whether what would run is what was pinned.
    fn check(&self) -> Result<(), String> {
        let without_extras = |pin: &str| match (pin.find('['), pin.find("==")) {
            (Some(extras), Some(version)) => pin[..extras].to_owned() + &pin[version..],
            _ => pin.to_owned(),
        };
        self.run(["-c", CHECK].map(str::to_owned).into_iter().chain(pins().map(without_extras)))
    }
}

/// The lines of the requirements that name a package.
fn pins() -> impl Iterator<Item = &'static str> {
    REQUIREMENTS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// An interpreter that has the pinned packages.
fn python() -> Result<Python, String> {
    let system = Python::system();
    system.run(["--version"]).map_err(|e| format!("{e} (install python3)"))?;
    if system.check().is_ok() {
        return Ok(system);
    }
    let mut hasher = DefaultHasher::new();
    REQUIREMENTS.hash(&mut hasher);
    let root = target_folder().join("test-servers");
    let folder = root.join(format!("moto-{:016x}", hasher.finish()));

    let locked = fs::create_dir_all(&root)
        .and_then(|()| File::create(root.join("moto.lock")))
        .and_then(|file| file.lock().map(|()| file));
    let _unlocks_when_dropped =
        locked.map_err(|e| format!("cannot lock {}: {e}", root.display()))?;
    let installed = Python::in_folder(&folder);
    if folder.exists() && installed.check().is_ok() {
        return Ok(installed);
    }
    install(&root, &folder)?;
    Ok(Python::in_folder(&folder))
}

/// Makes the environment; the caller holds the lock.
fn install(root: &Path, folder: &Path) -> Result<(), String> {
    let unfinished = root.join(format!("moto-unfinished-{}", std::process::id()));
    let prepare = || {
        for entry in fs::read_dir(root)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with("moto-") {
                // What an orphaned pip still writes into cannot be deleted, and does no harm.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        fs::create_dir(&unfinished)
    };
    prepare().map_err(|e: io::Error| format!("cannot write in {}: {e}", root.display()))?;

    eprintln!("installing moto into {}, once", folder.display());
    make(&unfinished).map_err(|e| {
        let _ = fs::remove_dir_all(&unfinished);
        format!(
            "it cannot be installed: {e} (on Debian: apt-get install python3-venv; or install \
             tests/rig/servers/requirements.txt for python3 yourself)"
        )
    })?;
    fs::rename(&unfinished, folder).map_err(|e| format!("cannot make {}: {e}", folder.display()))
}

/// Fills the folder: with a virtual environment, or, as some systems have pip without what that
/// needs, with the packages alone.
fn make(folder: &Path) -> Result<(), String> {
    let venv = folder.join("venv").display().to_string();
    let in_venv = Python::system().run(["-m", "venv", &venv]);
    let installed = match in_venv {
        Ok(()) => Python::in_folder(folder).pip_install(&[]),
        Err(no_venv) => {
            let _ = fs::remove_dir_all(&venv);
            let packages = folder.join("packages").display().to_string();
            Python::system()
                .pip_install(&["--target", &packages])
                .map_err(|no_pip| format!("no venv ({no_venv}), no pip ({no_pip})"))
        }
    };
    installed.and_then(|()| Python::in_folder(folder).check())
}

/// The target folder that this test was built into: cargo marks it as a cache.
fn target_folder() -> PathBuf {
    let marked = std::env::current_exe().ok().and_then(|program| {
        let mut folders = program.ancestors();
        folders.find(|folder| folder.join("CACHEDIR.TAG").exists()).map(Path::to_owned)
    });
    marked.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"))
}
