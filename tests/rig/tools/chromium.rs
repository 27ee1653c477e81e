//! Chromium, as Debian packages it, and a driver for it under Node.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::npm;
use crate::servers::Skip;

pub const KIND: &str = "chromium";

/// The names of the program.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Scripts that drive a browser. Deleted on drop.
pub struct Browser {
    folder: TempDir,
    chromium: PathBuf,
}

impl Browser {
    /// Prepares the scripts in a folder, with the packages of its lock file.
    ///
    /// # Errors
    /// When there is no Chromium or no Node, or npm does not install the packages.
    pub fn with(sources: &Path) -> Result<Browser, Skip> {
        Browser::prepare(sources).map_err(|reason| Skip { server: KIND, reason })
    }

    fn prepare(sources: &Path) -> Result<Browser, String> {
        let chromium = chromium().ok_or(
            "it is not installed (on Debian: apt-get install --no-install-recommends chromium)",
        )?;
        let packages = npm::packages("browser", sources)?;
        let folder = TempDir::new_in(packages).map_err(|e| e.to_string())?;
        npm::copy_sources(sources, folder.path())?;
        Ok(Browser { folder, chromium })
    }

    /// Returns a command that runs a script.
    pub fn command(&self, script: &str) -> Command {
        let mut command = Command::new("node");
        command.arg(self.folder.path().join(script)).env("CHROMIUM", &self.chromium);
        command
    }
}

fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let programs =
        NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    programs.into_iter().find(|program| program.is_file())
}
