//! The commands of the pages, to the letter.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rig::tools::workspace;
use tempfile::TempDir;

use super::{App, cache_folder, plugins, run};
use crate::binary::{Ran, stratalog};

/// Returns the commands of the first block of a page that has these words.
fn block(page: &str, words: &str) -> String {
    let page = fs::read_to_string(workspace().join(page)).unwrap();
    let mut blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let block = blocks.find(|block| block.contains(words));
    let block = block.unwrap_or_else(|| panic!("no block has {words:?}"));
    // What a user builds is there.
    block
        .lines()
        .filter(|line| !line.trim().starts_with("cargo "))
        .fold(String::new(), |block, line| block + line.trim_start() + "\n")
}

/// A folder with what the commands of a page use.
struct Place(TempDir);

impl Place {
    fn new(app: &App) -> Self {
        let place = Self(TempDir::new().unwrap());
        let wasmtime = app.wasmtime.command();
        place.program("wasmtime", &format!("exec '{}' \"$@\"", path(wasmtime.get_program())));
        let stratalog = stratalog::<&str>(&[]);
        let (program, cache) = (path(stratalog.get_program()), cache_folder());
        let caching = format!("set -- --cache-dir '{}' \"$@\"", cache.display());
        let text = format!("[ \"$1\" = component ] || {caching}\nexec '{program}' \"$@\"");
        place.program("stratalog", &text);
        place.copy(&workspace().join("examples/plugins/access.log"), "examples/plugins/access.log");
        place
    }

    fn program(&self, name: &str, text: &str) {
        let file = self.0.path().join(name);
        fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn copy(&self, file: &Path, to: &str) {
        let to = self.0.path().join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(file, to).unwrap();
    }

    /// Runs commands that must succeed. Their input is the log of a server.
    fn run(&self, commands: &str) -> Ran {
        let mut shell = Command::new("sh");
        shell.args(["-ec", commands]).current_dir(self.0.path()).stdout(Stdio::piped());
        let places = std::env::var("PATH").unwrap();
        shell.env("PATH", format!("{}:{places}", self.0.path().display()));
        shell.env("XDG_CACHE_HOME", self.0.path().join("cache"));
        shell.stdin(fs::File::open(self.0.path().join("examples/plugins/access.log")).unwrap());
        let ran = run(&mut shell);
        assert_eq!(ran.code, 0, "{commands}{}", ran.stderr);
        ran
    }
}

fn path(program: &std::ffi::OsStr) -> &str {
    program.to_str().unwrap()
}

#[test]
fn pages_have_commands_that_make_a_file_for_the_stock_wasmtime() {
    let Some(app) = App::folder() else { return };
    let journal = plugins::rust("journal-rust");
    let mut found = Vec::new();
    for page in ["README.md", "adapters/README.md"] {
        let place = Place::new(&app);
        place.copy(&journal, "target/wasm32-wasip2/release/journal-rust.wasm");
        place.run(&block(page, "wasmtime run --dir ./store::/ app.wasm"));
        found.push(place.run("stratalog read ./store/errors").stdout);
        place.run("stratalog verify ./store/errors");
    }
    assert!(found[0].lines().count() > 2, "{}", found[0]);
    assert_eq!(found[0], found[1]);
}

#[test]
fn page_of_the_sink_has_commands_that_journal_a_program() {
    let Some(app) = App::folder() else { return };
    let place = Place::new(&app);
    place.copy(&plugins::rust("logger"), "shop.wasm");
    let commands = block("adapters/README.md", "--log-sink");
    // The program logs what its arguments say.
    let commands =
        commands.replace("journalled.wasm\nstratalog", "journalled.wasm log=info=a=b\nstratalog");
    let ran = place.run(&commands);
    assert!(
        ran.stdout.contains(r#""level":"info","context":"a","message":"b"}"#),
        "{}",
        ran.stdout
    );
}
