//! The adapters in wasmtime for Python: the checks in Python that `tests/adapters` has.

use std::fs;
use std::path::Path;

use rig::plugins;
use rig::tools::python::Python;
use rig::tools::{require_or_skip, workspace};
use wasm_compose::composer::ComponentComposer;
use wasm_compose::config::Config;

use crate::binary::ok;

const REQUIREMENTS: &str = include_str!("../adapters/requirements.txt");

/// Runs a script of `tests/adapters`, which ends with success if all its properties hold.
fn check(script: &str, argument: &Path) {
    let python = Python::with("wasmtime", REQUIREMENTS);
    let Some(python) = require_or_skip("the adapters under Python", python) else { return };
    let script = workspace().join("tests/adapters").join(script);
    let ended = python.command().arg("-B").arg(script).arg(argument).output().unwrap();
    let [stdout, stderr] =
        [ended.stdout, ended.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(ended.status.success(), "{stdout}{stderr}");
    assert!(stdout.lines().filter(|line| line.starts_with("ok ")).count() > 10, "{stdout}");
}

/// Joins a component with one that exports what it imports.
fn joined(component: &Path, exporter: &Path, to: &Path) {
    let dir = to.parent().unwrap().to_owned();
    let config = Config { dir, definitions: vec![exporter.to_owned()], ..Config::default() };
    fs::write(to, ComponentComposer::new(component, &config).compose().unwrap()).unwrap();
}

#[test]
fn folder_adapter_keeps_the_contract_of_stores() {
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
    joined(&plugins::rust("logger"), &sink, &app);
    check("run_sink.py", folder.path());
}
