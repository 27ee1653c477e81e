//! The surroundings of all rows: runtime, host, programs, folders.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rig::tools::cache_folder;
use stratalog::Host;
use stratalog::store::{Location, Store, StoreOptions};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::Arguments;

pub(crate) struct Lab {
    pub(crate) runtime: Runtime,
    pub(crate) host: Host,
    /// Runs of each row.
    pub(crate) runs: usize,
    /// The time of a run that measures a pace.
    pub(crate) time: Duration,
    /// Live batches of the row `live`.
    pub(crate) batches: Vec<usize>,
    folder: PathBuf,
}

impl Lab {
    pub(crate) fn new(arguments: &Arguments) -> Self {
        let folder = arguments.folder.clone().unwrap_or_else(std::env::temp_dir);
        std::fs::create_dir_all(&folder).expect("a folder");
        Self {
            runtime: runtime(),
            host: cached_host(),
            runs: arguments.runs.into(),
            time: Duration::from_secs_f64(arguments.seconds),
            batches: arguments.batches.clone(),
            folder: folder.canonicalize().expect("a folder"),
        }
    }

    /// Returns the folder for all logs.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns a new folder that is deleted with the value.
    pub(crate) fn temporary(&self) -> TempDir {
        tempfile::tempdir_in(&self.folder).expect("a folder")
    }

    /// Returns the command line, to be given arguments. Compiled modules are cached.
    pub(crate) fn stratalog(&self) -> Command {
        self.program(&built("stratalog"))
    }

    /// Returns another build of the command line in the same way.
    pub(crate) fn program(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.arg("--cache-dir").arg(cache_folder()).arg("--quiet");
        command
    }
}

/// Returns a runtime as programs have it.
pub(crate) fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().expect("a runtime")
}

/// Returns a host that compiles nothing a second time.
pub(crate) fn cached_host() -> Host {
    Host::builder().cache_folder(cache_folder()).build().expect("a host")
}

/// Returns the path of a program that `tests/speed/run` builds.
pub(crate) fn built(name: &str) -> PathBuf {
    let program = std::env::current_exe().expect("a program").with_file_name(name);
    assert!(program.is_file(), "there is no {}: use tests/speed/run", program.display());
    program
}

/// Opens the folder as a store.
pub(crate) fn local(folder: &Path) -> Store {
    std::fs::create_dir_all(folder).expect("a folder");
    let location = Location::parse(folder.join("log").to_str().expect("a name"));
    let root = location.expect("a location").root;
    Store::open(&root, &StoreOptions::default()).expect("a store")
}
