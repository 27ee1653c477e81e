//! The adapters in wasmtime for Python: the checks in Python that `tests/adapters` has.

use std::fs;
use std::path::Path;

use rig::plugins;
use rig::servers::{self, shared_moto, shared_radosgw};
use rig::tools::python::Python;
use rig::tools::{require_or_skip, workspace};
use wasm_compose::composer::ComponentComposer;
use wasm_compose::config::Config;

use crate::binary::ok;

const REQUIREMENTS: &str = include_str!("../adapters/requirements.txt");

/// Runs a script of `tests/adapters`, which ends with success if all its properties hold.
fn check(script: &str, argument: &Path) {
    check_with(script, argument, &[]);
}

/// As [`check`], with these variables of the environment.
fn check_with(script: &str, argument: &Path, variables: &[(&str, &str)]) {
    let python = Python::with("wasmtime", REQUIREMENTS);
    let Some(python) = require_or_skip("the adapters under Python", python) else { return };
    let script = workspace().join("tests/adapters").join(script);
    let mut command = python.command();
    command.arg("-B").arg(script).arg(argument).envs(variables.iter().copied());
    let ended = command.output().unwrap();
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
fn bucket_adapter_keeps_the_contract_of_stores() {
    for server in [shared_moto(), shared_radosgw()] {
        let Some(server) = servers::require_or_skip(server) else { continue };
        let variables = [
            ("AWS_ENDPOINT", server.endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", server.access_key.as_str()),
            ("AWS_SECRET_ACCESS_KEY", server.secret_key.as_str()),
        ];
        check_with("run_bucket.py", &plugins::rust("stratalog_s3_store"), &variables);
    }
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
