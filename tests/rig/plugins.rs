//! The plugins of this repository, built: the samples, the hostile ones, and the second host.
//!
//! Plugins in Rust and in the text format are always available. The others need tools that some
//! machines lack.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::tools::npm::Node;
use crate::tools::python::Python;
use crate::tools::{cargo, npm, run, target_folder, workspace};

/// The packages of the plugins in Rust, and of the adapters that tests run.
pub const PACKAGES: [&str; 11] = [
    "stratalog-evil",
    "cases",
    "scripted",
    "journal-rust",
    "line-filter",
    "memory",
    "logger",
    "steps",
    "stratalog-fs-store",
    "stratalog-s3-store",
    "stratalog-log-sink",
];
const COMPONENTIZE_PY: &str =
    include_str!("../../examples/plugins/journal-python/requirements.txt");

/// Builds a plugin or an adapter in Rust on the first call, by the name of its file.
///
/// # Panics
/// When it does not build.
pub fn rust(binary: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| match cargo::wasm(&PACKAGES) {
        Ok(folder) => folder,
        Err(reason) => panic!("the plugins do not build: {reason}"),
    });
    folder.join(format!("{binary}.wasm"))
}

/// Returns a component of `tests/evil/wat` as bytes.
///
/// # Panics
/// When it is not well formed.
pub fn wat(name: &str) -> Vec<u8> {
    let file = workspace().join(format!("tests/evil/wat/{name}.wat"));
    match wat::parse_file(&file) {
        Ok(bytes) => bytes,
        Err(error) => panic!("{error}"),
    }
}

/// Builds the journal in Python on the first call, with the command of its README.
///
/// # Errors
/// When there is no Python, or componentize-py cannot be installed for it.
///
/// # Panics
/// When it does not build.
pub fn journal_python() -> Result<PathBuf, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let build = || python(&sample("journal-python"), "journal", "command", "journal-python");
    BUILT.get_or_init(build).clone()
}

/// Builds the program in Python that ends as requested, on the first call.
///
/// # Errors
/// As [`journal_python`].
///
/// # Panics
/// When it does not build.
pub fn ending_python() -> Result<PathBuf, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let sources = workspace().join("tests/cli/plugins/languages/python");
    let build = || python(&sources, "ending", "command-with-exit", "ending-python");
    BUILT.get_or_init(build).clone()
}

fn python(sources: &Path, module: &str, world: &str, name: &str) -> Result<PathBuf, String> {
    let python = Python::with("componentize-py", COMPONENTIZE_PY)?;
    let file = built(name);
    let mut command = python.command();
    command.args(["-c", "import componentize_py; componentize_py.script()"]);
    for wit in [workspace().join("wit"), workspace().join("plugin-kit/wit")] {
        command.arg("--wit-path").arg(wit);
    }
    command.args(["--world", &format!("stratalog:plugin/{world}"), "componentize", module]);
    command.arg("--output").arg(&file).current_dir(sources);
    Ok(finish(&mut command, file))
}

/// Builds the journal in JavaScript on the first call, with the command of its README.
///
/// # Errors
/// When there is no Node, or npm does not install its packages.
///
/// # Panics
/// When it does not build.
pub fn journal_javascript() -> Result<PathBuf, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let build = || javascript(&sample("journal-javascript"), &[], "journal-javascript");
    BUILT.get_or_init(build).clone()
}

/// Builds the program in JavaScript that ends with a code or an error, without these features of
/// its runtime.
///
/// # Errors
/// As [`journal_javascript`].
///
/// # Panics
/// When it does not build.
pub fn ending_javascript(without: &[&str]) -> Result<PathBuf, String> {
    let sources = workspace().join("tests/cli/plugins/languages/javascript");
    javascript(&sources, without, &["ending-javascript", without.join("-").as_str()].concat())
}

fn javascript(sources: &Path, arguments: &[&str], name: &str) -> Result<PathBuf, String> {
    let packages = npm::packages("journal-javascript", &sample("journal-javascript"))?;
    let work = TempDir::new_in(packages).map_err(|e| e.to_string())?;
    // At the places that they have in the repository.
    let folder = work.path().join("examples/plugins/plugin");
    npm::copy_sources(sources, &folder)?;
    let gather = "examples/plugins/gather-wit.mjs";
    fs::copy(workspace().join(gather), work.path().join(gather)).map_err(|e| e.to_string())?;
    for wit in ["wit", "plugin-kit/wit"] {
        npm::copy_sources(&workspace().join(wit), &work.path().join(wit))?;
    }
    let file = built(name);
    let mut command = Command::new("node");
    command.arg("build.mjs").arg(&file).args(arguments).current_dir(folder);
    Ok(finish(&mut command, file))
}

/// The host under Node, with a component. Deleted on drop.
pub struct NodeHost {
    node: Node,
    folder: TempDir,
    /// The name of the component's file, without its ending.
    component: String,
}

impl NodeHost {
    /// Prepares the host for the component in a file, with the commands of its README.
    ///
    /// # Errors
    /// When npm does not install its packages.
    ///
    /// # Panics
    /// When the component cannot be transpiled.
    pub fn with(node: Node, component: &Path) -> Result<NodeHost, String> {
        let sources = workspace().join("examples/node-host");
        let packages = npm::packages("node-host", &sources)?;
        let folder = TempDir::new_in(packages).map_err(|e| e.to_string())?;
        npm::copy_sources(&sources, folder.path())?;
        let name = component.file_stem().and_then(|name| name.to_str());
        let component_name = name.expect("a component has a name").to_owned();
        let host = NodeHost { node, folder, component: component_name };
        match run(host.command("transpile.mjs").arg(component)) {
            Ok(()) => Ok(host),
            Err(reason) => panic!("the component does not become a Node program: {reason}"),
        }
    }

    /// Adds a script to those of the host.
    ///
    /// # Panics
    /// When it cannot be copied.
    #[must_use]
    pub fn adding(self, script: &Path) -> NodeHost {
        let name = script.file_name().expect("a file has a name");
        fs::copy(script, self.folder.path().join(name)).expect("the script is copied");
        self
    }

    /// Returns the Node of the host.
    pub fn node(&self) -> Command {
        self.node.command()
    }

    /// Returns the path of the component in JavaScript.
    pub fn transpiled(&self) -> PathBuf {
        self.file(&format!("component/{}.js", self.component))
    }

    /// Returns the path of a file of the host.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns a command that runs a script of the host.
    pub fn command(&self, script: &str) -> Command {
        let mut command = self.node.command();
        command.arg(self.file(script));
        command
    }
}

fn sample(name: &str) -> PathBuf {
    workspace().join("examples/plugins").join(name)
}

/// Returns the path for a plugin of this process.
fn built(name: &str) -> PathBuf {
    let folder = target_folder().join("test-plugins");
    fs::create_dir_all(&folder).expect("the target folder takes a folder");
    folder.join(format!("{name}-{}.wasm", std::process::id()))
}

/// Builds a plugin whose tools are available.
fn finish(command: &mut Command, file: PathBuf) -> PathBuf {
    let output = command.output().expect("the tool runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} is not built: {said}", file.display());
    // One name for all processes, so that they find its compiled form.
    let name = file.file_name().and_then(|name| name.to_str()).expect("built() names it");
    let (name, _) = name.rsplit_once('-').expect("built() names it");
    let shared = file.with_file_name(format!("{name}.wasm"));
    fs::rename(&file, &shared).expect("the file was built");
    shared
}
