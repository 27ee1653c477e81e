//! Plugins joined with the log and a store: components for a host that has nothing but WASI.

use std::fs;
use std::path::{Path, PathBuf};

use rig::{plugins, tools};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::p2::bindings::sync::Command;
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use crate::binary::{check, fresh, json, ok, run_with, stratalog};

/// The state of a host that has nothing of the log's.
struct Stock {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Stock {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// A compiled component.
pub(super) struct Compiled {
    engine: Engine,
    component: Component,
}

impl Compiled {
    pub(super) fn of(file: &Path) -> Self {
        let engine = Engine::default();
        let component = Component::from_file(&engine, file).unwrap();
        Self { engine, component }
    }

    /// Runs the component as `wasmtime run --dir FOLDER::/ FILE ARGUMENTS` does, but for what `set`
    /// changes. Returns its stdout.
    pub(super) fn run(
        &self,
        folder: &Path,
        arguments: &[&str],
        set: impl FnOnce(&mut WasiCtxBuilder),
    ) -> String {
        let mut linker = Linker::new(&self.engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker).unwrap();
        let stdout = MemoryOutputPipe::new(1 << 20);
        let mut wasi = WasiCtx::builder();
        wasi.arg("app").args(arguments).stdout(stdout.clone()).inherit_stderr();
        wasi.preopened_dir(folder, "/", FsPerms::ReadWrite).unwrap();
        set(&mut wasi);
        let stock = Stock { wasi: wasi.build(), table: ResourceTable::new() };
        let mut store = Store::new(&self.engine, stock);
        let command = Command::instantiate(&mut store, &self.component, &linker).unwrap();
        assert_eq!(command.wasi_cli_run().call_run(&mut store).unwrap(), Ok(()));
        drop(store);
        String::from_utf8(stdout.try_into_inner().unwrap().to_vec()).unwrap()
    }
}

/// Compiles and runs a component.
pub(crate) fn run_on_wasi(file: &Path, folder: &Path, arguments: &[&str], input: &[u8]) -> String {
    Compiled::of(file).run(folder, arguments, |wasi| {
        wasi.stdin(MemoryInputPipe::new(input.to_vec()));
    })
}

/// Joins a plugin and the store of a folder, with these options.
pub(crate) fn joined(plugin: &Path, to: &Path, options: &[&str]) -> PathBuf {
    let mut arguments = vec!["component", "join", plugin.to_str().unwrap()];
    arguments.extend(["--output", to.to_str().unwrap()]);
    arguments.extend(options);
    ok(&arguments, "");
    to.to_owned()
}

pub(super) fn names(file: &Path, direction: &str) -> Vec<String> {
    let inspected = json(&["component", "inspect", "--json", file.to_str().unwrap()]);
    let names = inspected.get(direction).unwrap().as_array().unwrap().iter();
    names.map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// Checks that a stock host has all that a component imports.
pub(crate) fn assert_imports_only_wasi(file: &Path) {
    let imports = names(file, "imports");
    // An interface of a proposal, which such a host does not have.
    let others = |name: &&String| !name.starts_with("wasi:") || name.starts_with("wasi:logging/");
    assert!(!imports.is_empty());
    assert_eq!(imports.iter().filter(others).count(), 0, "{}: {imports:?}", file.display());
}

#[test]
fn joined_plugin_keeps_a_log_that_this_program_reads_and_changes() {
    let (folder, log) = fresh();
    let app = joined(&plugins::rust("scripted"), &folder.path().join("app.wasm"), &["--store=fs"]);
    assert_imports_only_wasi(&app);
    assert_eq!(names(&app, "exports"), ["wasi:cli/run@0.2.0"]);

    let run = |arguments: &[&str]| run_on_wasi(&app, folder.path(), arguments, b"");
    let said = run(&["open=log=10", "append=a=25", "flush", "append=b", "close"]);
    let said: Vec<&str> = said.lines().collect();
    assert_eq!(said[2..], ["flush: 25 events", "append=b: done", "close: 26 events"]);
    let expected = (0..25).map(|number| format!("a {number}\n")).collect::<String>() + "b\n";
    assert_eq!(ok(&["read", &log], ""), expected);

    ok(&["append", &log], "c\n");
    ok(&["compact", &log], "");
    assert_eq!(run(&["read=log", "trim=log=3", "verify=log"]).lines().count(), 3);
    assert_eq!(ok(&["read", &log], ""), "a 24\nb\nc\n");
    ok(&["verify", &log], "");
}

/// The most bytes of the log's component, alone and with each store.
const SIZES_MAX: [(&[&str], u64); 3] =
    [(&[], 885_000), (&["--store", "fs"], 1_050_000), (&["--store", "s3"], 1_215_000)];

#[test]
fn exported_components_stay_small() {
    let (folder, _) = fresh();
    let file = folder.path().join("log.wasm");
    for (options, bytes_max) in SIZES_MAX {
        ok(&[&["component", "export", file.to_str().unwrap()], options].concat(), "");
        let bytes = fs::metadata(&file).unwrap().len();
        assert!(bytes <= bytes_max, "{options:?}: {bytes} bytes");
    }
}

#[test]
fn exported_components_name_no_folder_of_this_machine() {
    let (folder, _) = fresh();
    let file = folder.path().join("log.wasm");
    let workspace = tools::workspace();
    let registry = Path::new("registry").join("src");
    for options in [&["--store", "fs"], &["--store", "s3"]] {
        ok(&[&["component", "export", file.to_str().unwrap()], &options[..]].concat(), "");
        let bytes = fs::read(&file).unwrap();
        let has = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        // The messages of panics name the sources.
        assert!(has("guest/src/drive/commit.rs") && has("/src/bytes.rs"), "{options:?}");
        for path in [workspace, &*registry] {
            assert!(!has(path.to_str().unwrap()), "{options:?}: {}", path.display());
        }
    }
}

#[test]
fn log_exported_with_a_store_makes_the_same_program() {
    let (folder, log) = fresh();
    let with_store = folder.path().join("log.wasm");
    ok(&["component", "export", "--store", "fs", with_store.to_str().unwrap()], "");
    assert_imports_only_wasi(&with_store);
    let alone = folder.path().join("alone.wasm");
    ok(&["component", "export", alone.to_str().unwrap()], "");
    assert_eq!(names(&with_store, "exports"), names(&alone, "exports"));

    // Nothing is left to provide to the log, so a plugin needs it alone.
    let options = ["--component", with_store.to_str().unwrap()];
    let app = joined(&plugins::rust("scripted"), &folder.path().join("app.wasm"), &options);
    assert_imports_only_wasi(&app);
    let said = run_on_wasi(&app, folder.path(), &["open=log", "append=a=2", "close"], b"");
    assert!(said.ends_with("close: 2 events\n"), "{said}");
    assert_eq!(ok(&["read", &log], ""), "a 0\na 1\n");
}

#[test]
fn joined_journals_import_only_wasi_and_write_the_same_log() {
    let input = fs::read(tools::workspace().join("examples/plugins/access.log")).unwrap();
    let (folder, _) = fresh();
    let rust = plugins::rust("journal-rust");
    let app = joined(&rust, &folder.path().join("rust.wasm"), &["--store", "fs"]);
    assert_imports_only_wasi(&app);
    let said = run_on_wasi(&app, folder.path(), &[], &input);

    let errors = folder.path().join("native");
    let grant = format!("errors={}", errors.display());
    let native = run_with(&["run", rust.to_str().unwrap(), "--log", &grant], &input);
    assert_eq!(said, native.stdout);
    let read = |log: &Path| ok(&["read", log.to_str().unwrap()], "");
    assert_eq!(read(&folder.path().join("errors")), read(&errors));

    let python = tools::require_or_skip("the journal in Python", plugins::journal_python());
    let script = tools::require_or_skip("the journal in JavaScript", plugins::journal_javascript());
    for plugin in [python, script].into_iter().flatten() {
        let app = joined(&plugin, &folder.path().join("other.wasm"), &["--store", "fs"]);
        assert_imports_only_wasi(&app);
    }
}

#[test]
fn store_takes_the_log_messages_of_a_plugin() {
    let (folder, _) = fresh();
    let text = r#"(component
        (import "stratalog:log/append-log@0.1.0" (instance))
        (import "wasi:logging/logging@0.1.0-draft" (instance)))"#;
    let plugin = folder.path().join("plugin.wasm");
    fs::write(&plugin, wat::parse_str(text).unwrap()).unwrap();
    assert_imports_only_wasi(&joined(&plugin, &folder.path().join("app.wasm"), &["--store=fs"]));
}

#[test]
fn log_that_a_program_in_python_leaves_open_is_flushed() {
    let python = tools::require_or_skip("a plugin in Python", plugins::ending_python());
    let Some(python) = python else { return };
    let (folder, log) = fresh();
    let app = joined(&python, &folder.path().join("app.wasm"), &[]);
    ok(&["run", app.to_str().unwrap(), "--log", &format!("log={log}"), "--", "leave-open"], "");
    assert_eq!(ok(&["read", &log], ""), "left open\n");
}

#[test]
fn plugin_joined_without_a_store_gets_its_logs_from_a_grant() {
    let (folder, log) = fresh();
    let app = joined(&plugins::rust("scripted"), &folder.path().join("app.wasm"), &[]);
    let imports = names(&app, "imports");
    assert!(imports.iter().any(|name| name.starts_with("stratalog:log/object-store@")));
    let grant = format!("errors={log}");
    let script = ["open=errors", "append=a", "close"];
    let arguments = [&["run", app.to_str().unwrap(), "--log", &grant, "--"][..], &script].concat();
    assert!(ok(&arguments, "").ends_with("close: 1 events\n"));
    assert_eq!(ok(&["read", &log], ""), "a\n");
}

#[test]
fn log_that_a_plugin_cannot_use_is_reported() {
    let (folder, log) = fresh();
    let plugin = plugins::rust("scripted");
    let path = |name: &str| folder.path().join(name);
    let with_store = joined(&plugin, &path("app.wasm"), &["--store", "fs"]);
    let without_store = joined(&plugin, &path("log.wasm"), &[]);
    let grant = format!("errors={log}");
    for (file, is_warned) in [(&with_store, true), (&without_store, false), (&plugin, false)] {
        let file = file.to_str().unwrap();
        let ran = run_with(&["run", file, "--log", &grant], b"");
        let warning = format!("warning: --log {grant} has no effect: {file} imports nothing of ");
        assert_eq!((ran.code, ran.stderr.contains(&warning)), (0, is_warned), "{}", ran.stderr);
        let ran = run_with(&["run", file], b"");
        assert!(!ran.stderr.contains("no effect"), "{}", ran.stderr);
    }
}

#[test]
fn file_that_cannot_be_joined_is_named_with_the_cause() {
    let (folder, _) = fresh();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let app = path("app.wasm");
    fs::write(&app, "before").unwrap();
    let write = |name: &str, bytes: &[u8]| {
        fs::write(path(name), bytes).unwrap();
        path(name)
    };
    let component = |name: &str, text: &str| write(name, &wat::parse_str(text).unwrap());
    let importing = |name: &str, interface: &str| {
        component(name, &format!(r#"(component (import "{interface}" (instance)))"#))
    };
    let log = path("log.wasm");
    ok(&["component", "export", &log], "");
    let scripted = fs::read(plugins::rust("scripted")).unwrap();
    let code = component(
        "code.wasm",
        r#"(component (import "stratalog:log/append-log@0.1.0" (instance))
            (core module (func (result i32) (i32.const 7))))"#,
    );
    // A name that would colour the terminal.
    let name = fs::read(importing("evil.wasm", "aaa:bEVILE/c")).unwrap();
    let at = name.windows(5).position(|bytes| bytes == b"EVILE").unwrap();
    let evil = [&name[..at], b"\x1b[31m", &name[at + 5..]].concat();
    let mut invalid = fs::read(&code).unwrap();
    let at = invalid.windows(3).rposition(|bytes| bytes == [0x41, 7, 0x0b]).unwrap();
    invalid[at] = 0xff;
    let half = write("half.wasm", &scripted[..scripted.len() / 2]);
    let other = component(
        "other.wasm",
        r#"(component
            (import "stratalog:log/append-log@0.1.0" (instance))
            (import "acme:shop/cart@1.0.0" (instance)))"#,
    );
    let form = component(
        "form.wasm",
        r#"(component (import "stratalog:log/append-log@0.1.0"
            (instance (export "fly" (func)))))"#,
    );
    let later = "stratalog:log/append-log@0.9.0";
    let table: [(&str, &[&str]); 12] = [
        (&path("missing.wasm"), &["cannot read the component", "missing.wasm"]),
        (&write("text.wasm", b"(component)"), &["it is not a WebAssembly component; name one"]),
        (
            &write("module.wasm", b"\0asm\x01\0\0\0"),
            &["it is a core WebAssembly module", "build it for wasm32-wasip2"],
        ),
        (&half, &["it is damaged: ", "copy or build it again"]),
        (&write("code.wasm", &invalid), &["it is damaged: ", "copy or build it again"]),
        (
            &importing("unversioned.wasm", "stratalog:log/append-log"),
            &["of no version: build it against 0.1.0"],
        ),
        (&write("evil.wasm", &evil), &["it is damaged: ", "aaa:b\u{fffd}[31m/c"]),
        (&component("none.wasm", "(component)"), &["imports no stratalog:log/append-log; name"]),
        (&log, &["it is a log component, not a plugin; name a plugin"]),
        (
            &importing("later.wasm", later),
            &[&format!(
                "was made for {later}, and the built-in component has version 0.1.0: build"
            )],
        ),
        (&form, &["imports stratalog:log/append-log@0.1.0 in another form", "build it against"]),
        (&other, &["imports acme:shop/cart@1.0.0, which neither the log nor the store exports"]),
    ];
    for (plugin, words) in table {
        let arguments = ["component", "join", plugin, "--store", "fs", "-o", &app];
        check(&arguments, "", 5, words);
        check(&arguments, "", 5, &[plugin]);
    }
    assert_eq!(fs::read(&app).unwrap(), b"before");

    let plugin = plugins::rust("scripted");
    let join = |to: &str, code, words: &[&str]| {
        let plugin = plugin.to_str().unwrap();
        check(&["component", "join", plugin, "--store", "fs", "-o", to], "", code, words);
    };
    join(plugin.to_str().unwrap(), 5, &["cannot write", "scripted.wasm: it is an input"]);
    join(&path("no/app.wasm"), 5, &["cannot write", "its folder does not exist; create"]);
    join(folder.path().to_str().unwrap(), 5, &["cannot write"]);
    let export = ["component", "export", "--component", &log, "--store", "fs", &log];
    check(&export, "", 5, &["cannot write", "log.wasm: it is an input; name another file"]);
    let export = ["component", "export", "--component", &other, "--store", "fs", &app];
    check(&export, "", 5, &["exports no stratalog:log/append-log; name a log component"]);

    // A whole file takes the place of the old one, and stdout is a file, too.
    join(&app, 0, &["app.wasm (", "sha256 "]);
    let output = ["component", "join", plugin.to_str().unwrap(), "--store", "fs", "-o", "-"];
    assert_eq!(stratalog(&output).output().unwrap().stdout, fs::read(&app).unwrap());
}
