//! The rows: hosts with stores.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rig::backends::{Backend, Need};
use rig::plugins::{self, NodeHost};
use rig::servers::{self, Skip, shared_moto};
use rig::tools::npm::Node;
use rig::tools::python::Python;
use rig::tools::wasmtime::Wasmtime;
use rig::tools::{cache_folder, require_or_skip, workspace};
use stratalog::store::{Location, Store, StoreOptions};
use tokio::runtime::Runtime;

use super::native::Native;
use super::objects::Objects;
use crate::binary::{Ran, ok};

/// The number of rows on a machine that has every tool.
pub(super) const ROWS: usize = 12;

/// The script of the host under Node that runs a joined program, which its first argument names.
const JOINED: &str = "joined.js";

/// The cases that a row cannot do.
enum Lacks {
    Nothing,
    These(&'static [&'static str], &'static str),
    AllBut(&'static [&'static str], &'static str),
}

const LABELS: Lacks = Lacks::These(
    &["names-that-no-log-has-are-refused"],
    "The host knows logs by labels, and any other name is denied",
);

/// The cases that write nothing once their logs are there.
const WRITES: Lacks = Lacks::AllBut(
    &[
        "altered-batch-is-damage",
        "confirmed-batch-that-is-gone-is-damage",
        "altered-segment-is-damage",
        "missing-segment-is-damage",
        "missing-index-is-a-finding",
        "altered-manifest-is-damage",
        "foreign-object-is-ignored",
    ],
    "A page reads over HTTP, and writes nothing",
);

pub(super) struct Row {
    pub(super) name: &'static str,
    lacks: Lacks,
    pub(super) objects: Objects,
    /// The file that it runs. A row without one runs the embedded component.
    pub(super) file: Option<PathBuf>,
    program: Program,
    /// The host that writes its logs, if it only reads.
    writer: Option<Arc<Native>>,
    /// The server of the store runs as long as this.
    _backend: Option<Backend>,
}

enum Program {
    Plugin(Arc<Native>),
    Command(Box<dyn Fn() -> Command + Send + Sync>),
}

impl Row {
    /// Runs the cases with these words. Returns the lines that they print.
    pub(super) fn run(&self, words: &[&str], logs: &[String]) -> Vec<String> {
        let said = match &self.program {
            Program::Plugin(native) => native.run(&self.objects.store, words, logs),
            Program::Command(command) => {
                let ran = Ran::from(command().args(words).output().unwrap());
                assert_eq!(ran.code, 0, "{}: {}{}", self.name, ran.stdout, ran.stderr);
                ran.stdout
            }
        };
        lines(&said)
    }

    /// Writes the logs whose objects change. Returns the lines that this prints.
    pub(super) fn prepare(&self, logs: &[String]) -> Vec<String> {
        match &self.writer {
            None => self.run(&["prepare"], logs),
            Some(writer) => lines(&writer.run(&self.objects.store, &["prepare"], logs)),
        }
    }

    /// Returns the cases that it cannot do, each with the reason.
    pub(super) fn lacks<'a>(&self, cases: &'a [String]) -> Vec<(&'a str, &'static str)> {
        let cases = cases.iter().map(String::as_str);
        match self.lacks {
            Lacks::Nothing => Vec::new(),
            Lacks::These(lacks, why) => {
                cases.filter(|case| lacks.contains(case)).map(|case| (case, why)).collect()
            }
            Lacks::AllBut(held, why) => {
                cases.filter(|case| !held.contains(case)).map(|case| (case, why)).collect()
            }
        }
    }

    /// Returns whether it writes logs.
    pub(super) fn writes(&self) -> bool {
        self.writer.is_none()
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// Returns every row that this machine can run.
pub(super) fn all(runtime: &Arc<Runtime>, folder: &Path) -> Vec<Row> {
    let cases = plugins::rust("cases");
    let join = |name: &str, options: &[&str]| {
        let file = folder.join(name).join("app.wasm");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let words = ["component", "join", cases.to_str().unwrap(), "-o", file.to_str().unwrap()];
        ok(&[&words[..], options].concat(), "");
        file
    };
    let alone = join("alone", &[]);
    let fs = join("fs", &["--store=fs"]);
    let s3 = join("s3", &["--store=s3"]);
    let native = Native::new(runtime, &cases);
    let backends = [
        ("native host, memory", Ok(Backend::memory())),
        ("native host, folder", Ok(Backend::folder())),
        ("native host, S3", Backend::moto()),
        ("native host, Google Cloud Storage", Backend::fake_gcs()),
        ("native host, Azure", Backend::azurite()),
        ("native host, WebDAV", Backend::rclone()),
    ];
    let natives = backends.into_iter().filter_map(|(name, backend)| {
        servers::require_or_skip(backend).map(|backend| of_host(name, backend, &native, runtime))
    });
    let mut rows: Vec<Row> = natives.collect();
    let make = |name, host: &str| Make { name, folder: folder.join(host), runtime };
    rows.extend(make("wasmtime, fs-store", "wasmtime").wasmtime(&fs));
    rows.extend(make("wasmtime, s3-store", "wasmtime-s3").wasmtime_with_bucket(&s3));
    rows.extend(make("Node, its own store", "node").node(&alone, "run_cases.mjs"));
    rows.extend(make("Node, fs-store", "node-fs").node(&fs, JOINED));
    rows.extend(make("Python, its own store", "python").python(&alone));
    rows.extend(make("Chromium, reading over HTTP", "chromium").chromium(&alone, &native));
    rows
}

fn of_host(name: &'static str, backend: Backend, native: &Arc<Native>, on: &Arc<Runtime>) -> Row {
    // Where nothing proves that one compactor is alone, an option vouches for it.
    let vouched = !backend.has(Need::Exclusive);
    let store = backend.open(&backend.place("log")).with_sole_compactor(vouched);
    let objects = Objects { store, runtime: Arc::clone(on) };
    let program = Program::Plugin(Arc::clone(native));
    Row { name, lacks: LABELS, objects, file: None, program, writer: None, _backend: Some(backend) }
}

/// The parts of a row that is a program.
struct Make<'a> {
    name: &'static str,
    folder: PathBuf,
    runtime: &'a Arc<Runtime>,
}

impl Make<'_> {
    /// Makes a row whose store is the folder.
    fn in_folder(self, file: &Path, command: impl Fn() -> Command + Send + Sync + 'static) -> Row {
        let log = self.folder.join("log");
        let place = Location::parse(log.to_str().unwrap()).unwrap();
        self.at(&place, &StoreOptions::new(), file, command)
    }

    fn at(
        self,
        place: &Location,
        options: &StoreOptions,
        file: &Path,
        command: impl Fn() -> Command + Send + Sync + 'static,
    ) -> Row {
        let store = Store::open(&place.root, options).unwrap();
        let objects = Objects { store, runtime: Arc::clone(self.runtime) };
        let program = Program::Command(Box::new(command));
        let file = Some(file.to_owned());
        Row {
            name: self.name,
            lacks: Lacks::Nothing,
            objects,
            file,
            program,
            writer: None,
            _backend: None,
        }
    }

    /// Compiles a file, so that not each run does.
    fn compiled(&self, wasmtime: &Wasmtime, file: &Path) -> PathBuf {
        std::fs::create_dir_all(&self.folder).unwrap();
        let compiled = file.with_extension("cwasm");
        wasmtime.compile(file, &compiled).unwrap();
        compiled
    }

    fn wasmtime(self, file: &Path) -> Option<Row> {
        let wasmtime = require_or_skip(self.name, Wasmtime::stock())?;
        let app = self.compiled(&wasmtime, file);
        let preopen = format!("{}::/", self.folder.display());
        Some(self.in_folder(file, move || {
            let mut command = wasmtime.command();
            command.args(["run", "--allow-precompiled", "--dir", &preopen]).arg(&app);
            command
        }))
    }

    fn wasmtime_with_bucket(self, file: &Path) -> Option<Row> {
        let wasmtime = require_or_skip(self.name, Wasmtime::stock())?;
        let server = servers::require_or_skip(shared_moto())?;
        let app = self.compiled(&wasmtime, file);
        let url = server.url("log");
        let given = server.store_options();
        let options = given.iter().fold(StoreOptions::new(), |options, (name, value)| {
            options.with_option(name, value).unwrap()
        });
        let place = Location::parse(&url).unwrap();
        let root = url.strip_suffix("/log").unwrap().to_owned();
        Some(self.at(&place, &options, file, move || {
            let mut command = wasmtime.command();
            command.args(["run", "--allow-precompiled", "-S", "http"]);
            command.arg("--env").arg(format!("STRATALOG_ROOT={root}"));
            for (name, value) in &given {
                command.arg("--env").arg(format!("{}={value}", name.to_uppercase()));
            }
            command.arg(&app);
            command
        }))
    }

    /// Runs a script of the host under Node, or of the matrix.
    fn node(self, file: &Path, script: &'static str) -> Option<Row> {
        let host = Node::newest().and_then(|node| NodeHost::with(node, file));
        let host = require_or_skip(self.name, host)?;
        let own = workspace().join("tests/matrix").join(script);
        let host = if own.exists() { host.adding(&own) } else { host };
        std::fs::create_dir_all(&self.folder).unwrap();
        let folder = self.folder.clone();
        Some(self.in_folder(file, move || {
            let mut command = host.command(script);
            if script == JOINED {
                command.arg(host.transpiled());
            }
            command.arg(&folder);
            command
        }))
    }

    fn python(self, file: &Path) -> Option<Row> {
        let requirements = include_str!("../../../examples/python-host/requirements.txt");
        let python = Python::with("python-host", requirements);
        let python = require_or_skip(self.name, python)?;
        let (folder, app) = (self.folder.clone(), file.to_owned());
        Some(self.in_folder(file, move || {
            let mut command = python.command();
            command.arg("-B").arg(workspace().join("tests/matrix/run_cases.py"));
            command.arg(&app).arg(&folder).env("XDG_CACHE_HOME", cache_folder());
            command
        }))
    }

    /// Runs the store of the page of `stratalog view` in a headless browser.
    fn chromium(self, file: &Path, writer: &Arc<Native>) -> Option<Row> {
        let browser = servers::require_or_skip(chromium())?;
        let host = Node::newest().and_then(|node| NodeHost::with(node, file));
        let host = require_or_skip(self.name, host)?;
        std::fs::create_dir_all(&self.folder).unwrap();
        let folder = self.folder.clone();
        let row = self.in_folder(file, move || {
            let mut command = host.node();
            command.arg(workspace().join("tests/matrix/run_in_chromium.mjs"));
            command.arg(&browser).arg(workspace().join("host/cli/page/worker"));
            command.arg(host.file("component")).arg(&folder);
            command
        });
        Some(Row { lacks: WRITES, writer: Some(Arc::clone(writer)), ..row })
    }
}

/// Returns the program of Chromium.
fn chromium() -> Result<PathBuf, Skip> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let programs = std::env::split_paths(&path).map(|folder| folder.join("chromium"));
    let reason = "it is not installed (on Debian: apt-get install chromium)";
    let missing = || Skip { server: "chromium", reason: reason.to_owned() };
    { programs }.find(|program| program.is_file()).ok_or_else(missing)
}
