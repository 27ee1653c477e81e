//! Node programs of this repository, with the packages that their lock files name.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{copy_folder, installed_once, run};

/// The lowest version of Node and npm that the samples accept.
const NODE_MAJOR_MIN: u32 = 20;
/// The newest version that tests run under. npm has a package of it for each system.
const NODE_NEWEST: &str = "22.23.3";

/// A program `node`.
#[derive(Clone, Debug)]
pub struct Node(PathBuf);

impl Node {
    /// Returns the machine's own Node.
    ///
    /// # Errors
    /// When there is none, or it is too old.
    pub fn system() -> Result<Node, String> {
        check_node().map(|()| Node("node".into()))
    }

    /// Returns the newest Node that tests run under, which npm installs once.
    ///
    /// # Errors
    /// When npm does not install it.
    pub fn newest() -> Result<Node, String> {
        check_node()?;
        let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
        let name = format!("node-{}-{arch}", std::env::consts::OS);
        let package = format!("{name}@{NODE_NEWEST}");
        let folder = installed_once("node-newest", &package, |folder| {
            let install =
                ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
            run(Command::new("npm").args(install).arg("--prefix").arg(folder).arg(&package))
        })?;
        Ok(Node(folder.join("node_modules").join(name).join("bin/node")))
    }

    pub fn command(&self) -> Command {
        Command::new(&self.0)
    }
}

/// Installs the packages that `package-lock.json` in a folder names, once. Programs below the
/// returned folder find them.
///
/// # Errors
/// When there is no such Node, or npm does not install: its output.
pub fn packages(name: &str, sources: &Path) -> Result<PathBuf, String> {
    check_node()?;
    let lock = sources.join("package-lock.json");
    let content =
        fs::read_to_string(&lock).map_err(|e| format!("cannot read {}: {e}", lock.display()))?;
    installed_once(name, &content, |folder| {
        for file in ["package.json", "package-lock.json"] {
            fs::copy(sources.join(file), folder.join(file)).map_err(|e| format!("{file}: {e}"))?;
        }
        let install = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
        run(Command::new("npm").args(install).current_dir(folder))
    })
}

/// Copies sources below installed packages, to run there.
///
/// # Errors
/// When they cannot be copied.
pub fn copy_sources(sources: &Path, to: &Path) -> Result<(), String> {
    copy_folder(sources, to, &["node_modules", "component"])
        .map_err(|e| format!("cannot copy {}: {e}", sources.display()))
}

/// Runs a script of a folder in that folder, under the machine's Node.
///
/// # Errors
/// The output of the script.
pub fn run_script(folder: &Path, script: &str, argument: &Path) -> Result<(), String> {
    run(Command::new("node").arg(script).arg(argument).current_dir(folder))
}

fn check_node() -> Result<(), String> {
    let output = Command::new("node").arg("--version").output();
    let output = output.map_err(|e| format!("cannot run node: {e} (install Node 20 and npm)"))?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let major = version.trim_start_matches('v').split('.').next().and_then(|n| n.parse().ok());
    if major.is_some_and(|major: u32| major >= NODE_MAJOR_MIN) {
        return run(Command::new("npm").arg("--version"));
    }
    Err(format!("node is {version:?}: {NODE_MAJOR_MIN} or newer is needed"))
}
