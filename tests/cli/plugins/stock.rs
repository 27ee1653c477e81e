//! Composed files under the stock wasmtime: a host that has nothing of the log's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rig::plugins;
use rig::tools::wasmtime::Wasmtime;
use rig::tools::{cache_folder, require_or_skip, target_folder};

use super::joined::joined;
use crate::binary::Ran;

mod bucket;
mod clocks;
mod commands;
mod ends;
mod folders;
mod kills;
mod sink;

/// A composed file in machine code, and the host that runs it.
#[derive(Clone)]
struct App {
    wasmtime: Wasmtime,
    file: PathBuf,
}

impl App {
    /// Returns the plugin that executes its arguments, joined with the store of a folder.
    fn folder() -> Option<Self> {
        static APP: OnceLock<Option<App>> = OnceLock::new();
        APP.get_or_init(|| Self::of("scripted", &["--store=fs"], "stock-fs")).clone()
    }

    /// Returns the same plugin, joined with the store of a bucket.
    fn bucket() -> Option<Self> {
        static APP: OnceLock<Option<App>> = OnceLock::new();
        APP.get_or_init(|| Self::of("scripted", &["--store=s3"], "stock-s3")).clone()
    }

    /// Joins and compiles a program. The file is shared by all processes.
    fn of(program: &str, options: &[&str], name: &str) -> Option<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let (process, made) = (std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let wasmtime = require_or_skip("the stock wasmtime", Wasmtime::stock())?;
        let folder = target_folder().join("test-plugins");
        fs::create_dir_all(&folder).unwrap();
        let own = |kind: &str| folder.join(format!("{name}-{process}-{made}.{kind}"));
        let composed = joined(&plugins::rust(program), &own("wasm"), options);
        wasmtime.compile(&composed, &own("cwasm")).unwrap();
        fs::remove_file(composed).unwrap();
        let file = folder.join(format!("{name}.cwasm"));
        fs::rename(own("cwasm"), &file).unwrap();
        Some(Self { wasmtime, file })
    }

    /// Returns a command that runs the program with these options of the host.
    fn command(&self, options: &[&str], arguments: &[&str]) -> Command {
        let mut command = self.wasmtime.command();
        command
            .args(["run", "-C", "cache=n", "--allow-precompiled"])
            .args(options)
            .arg(&self.file)
            .args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Returns a command that runs the program on a folder.
    fn on(&self, folder: &Path, arguments: &[&str]) -> Command {
        let opened = format!("{}::/", folder.display());
        self.command(&["--dir", &opened], arguments)
    }
}

/// Runs a command to its end.
fn run(command: &mut Command) -> Ran {
    command.output().unwrap().into()
}

/// Runs a command that must succeed, without a word on stderr. Returns the lines of its stdout.
fn lines(command: &mut Command) -> Vec<String> {
    let ran = run(command);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    ran.stdout.lines().map(str::to_owned).collect()
}
