//! The adapters in wasmtime for Python: the checks in Python that `tests/adapters` has.

use std::fs;
use std::path::Path;

use rig::plugins;
use rig::servers;
use rig::tools::python::{Python, assert_all_hold};
use rig::tools::{require_or_skip, workspace};
use wasm_compose::composer::ComponentComposer;
use wasm_compose::config::Config;

use super::joined::{self, assert_imports_only_wasi};
use crate::binary::ok;

const REQUIREMENTS: &str = include_str!("../../adapters/requirements.txt");

/// Returns Python with wasmtime, or none where there is no Python.
fn python() -> Option<Python> {
    require_or_skip("the adapters under Python", Python::with("wasmtime", REQUIREMENTS))
}

/// Runs a script of `tests/adapters`. It ends with success if all its properties hold.
fn check(script: &str, argument: &Path) {
    let Some(python) = python() else { return };
    let script = workspace().join("tests/adapters").join(script);
    let mut command = python.command();
    assert_all_hold(command.arg("-B").arg(script).arg(argument));
}

/// Joins a component with one that exports what it imports.
fn plug(component: &Path, exporter: &Path, to: &Path) {
    let dir = to.parent().unwrap().to_owned();
    let config = Config { dir, definitions: vec![exporter.to_owned()], ..Config::default() };
    fs::write(to, ComponentComposer::new(component, &config).compose().unwrap()).unwrap();
}

#[test]
fn folder_adapter_keeps_to_regular_files_below_its_root() {
    check("run.py", &plugins::rust("stratalog_fs_store"));
}

#[test]
fn log_sink_journals_what_a_program_logs() {
    let folder = tempfile::tempdir().unwrap();
    let [log, sink, app] =
        ["log", "sink", "app"].map(|part| folder.path().join(part).with_extension("wasm"));
    ok(&["component", "export", "--store", "fs", log.to_str().unwrap()], "");
    let (alone, output) = (plugins::rust("stratalog_log_sink"), sink.to_str().unwrap());
    ok(&["component", "join", "--store", "fs", alone.to_str().unwrap(), "-o", output], "");
    plug(&plugins::rust("logger"), &sink, &app);
    check("run_sink.py", folder.path());
}

#[test]
fn plugin_joined_with_a_bucket_writes_a_log_that_is_read() {
    let Some(server) = servers::require_or_skip(servers::shared_moto()) else { return };
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let app = folder.path().join("app.wasm");
    let app = joined::joined(&plugins::rust("scripted"), &app, &["--store=s3"]);
    assert_imports_only_wasi(&app);
    let imports = joined::names(&app, "imports");
    assert!(!imports.iter().any(|name| name.starts_with("wasi:filesystem/")), "{imports:?}");

    let log = server.url("log");
    let mut command = python.command();
    command.arg("-B").arg(workspace().join("tests/adapters/run_app.py")).arg(app);
    command.arg(format!("STRATALOG_ROOT={}", log.strip_suffix("/log").unwrap()));
    for (name, value) in server.store_options() {
        command.arg(format!("{}={value}", name.to_uppercase()));
    }
    command.args(["--", "open=log=10", "append=a=25", "flush", "close", "verify=log"]);
    let ended = command.output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));

    let expected: String = (0..25).map(|number| format!("a {number}\n")).collect();
    let options = server.store_options().into_iter();
    let options: Vec<_> =
        options.map(|(name, value)| format!("--store-option={name}={value}")).collect();
    for (command, expected) in [("read", Some(expected)), ("verify", None)] {
        let mut arguments = vec![command, &log];
        arguments.extend(options.iter().map(String::as_str));
        let found = ok(&arguments, "");
        assert!(expected.is_none_or(|expected| found == expected), "{found}");
    }
}
