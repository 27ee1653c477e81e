//! The newest hosts that have a package, with WASI 0.3 turned on. Our components are made for WASI
//! 0.2, and run there unchanged.

use std::fs;
use std::process::Command;

use rig::plugins;
use rig::servers::{require_or_skip as server_or_skip, shared_moto};
use rig::tools::python::Python;
use rig::tools::require_or_skip;
use rig::tools::wasmtime::Wasmtime;

use super::joined::joined;
use crate::binary::{fresh, ok};

/// Turns on all that WASI 0.3 needs, and turns it off.
const ON: [&str; 4] = ["-S", "p3=y", "-W", "component-model-async=y"];
const OFF: [&str; 4] = ["-S", "p3=n", "-W", "component-model-async=n"];

/// A command that imports WASI 0.3.
const PROBE: &str = r#"(component
    (import "wasi:clocks/monotonic-clock@0.3.0" (instance (export "now" (func (result u64)))))
    (core module $module (func (export "run") (result i32) i32.const 0))
    (core instance $core (instantiate $module))
    (func $run (result (result)) (canon lift (core func $core "run")))
    (instance $command (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $command)))"#;

fn stock() -> Option<Wasmtime> {
    require_or_skip("the newest wasmtime", Wasmtime::stock())
}

/// Runs a command of wasmtime. Returns whether it succeeded, its stdout and its stderr.
fn run(command: &mut Command) -> (bool, String, String) {
    let ended = command.output().unwrap();
    let [stdout, stderr] =
        [ended.stdout, ended.stderr].map(|text| String::from_utf8(text).unwrap());
    (ended.status.success(), stdout, stderr)
}

#[test]
fn newest_wasmtime_has_wasi_0_3() {
    let Some(wasmtime) = stock() else { return };
    let folder = tempfile::tempdir().unwrap();
    let probe = folder.path().join("probe.wat");
    fs::write(&probe, PROBE).unwrap();
    let with = |flags: [&str; 4]| run(wasmtime.command().arg("run").args(flags).arg(&probe));
    let (succeeded, _, said) = with(ON);
    assert!(succeeded, "{said}");
    let (succeeded, _, said) = with(OFF);
    assert!(!succeeded && said.contains("wasi:clocks/monotonic-clock@0.3.0"), "{said}");
}

#[test]
fn joined_plugin_runs_with_wasi_0_3_and_without() {
    let Some(wasmtime) = stock() else { return };
    let (folder, log) = fresh();
    let app = joined(&plugins::rust("scripted"), &folder.path().join("app.wasm"), &["--store=fs"]);
    let opened = format!("{}::/", folder.path().display());
    let mut expected = String::new();
    for (flags, event) in [(ON, "on"), (OFF, "off")] {
        let mut command = wasmtime.command();
        command.arg("run").args(flags).args(["--dir", &opened]).arg(&app);
        let append = format!("append={event}=25");
        let words = ["open=log=10", &append, "close", "compact=log", "verify=log"];
        let (succeeded, stdout, stderr) = run(command.args(words));
        assert!(succeeded, "{event}: {stderr}");
        assert!(stdout.contains("close: 25 events") && stdout.contains(" 0 findings"), "{stdout}");
        expected += &(0..25).map(|number| format!("{event} {number}\n")).collect::<String>();
        assert_eq!(ok(&["read", &log], ""), expected);
    }
}

#[test]
fn plugin_joined_with_a_bucket_runs_with_wasi_0_3() {
    let Some(wasmtime) = stock() else { return };
    let Some(server) = server_or_skip(shared_moto()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let app = folder.path().join("app.wasm");
    let app = joined(&plugins::rust("scripted"), &app, &["--store=s3"]);
    let root = server.url("");
    let mut command = wasmtime.command();
    command.arg("run").args(ON).args(["-S", "http", "--env"]);
    command.arg(format!("STRATALOG_ROOT={}", root.trim_end_matches('/')));
    for (name, value) in server.store_options() {
        command.arg("--env").arg(format!("{}={value}", name.to_uppercase()));
    }
    let words = ["open=log=10", "append=a=25", "close", "read=log", "compact=log", "verify=log"];
    let (succeeded, stdout, stderr) = run(command.arg(&app).args(words));
    assert!(succeeded, "{stderr}");
    assert!(stdout.contains("read=log: 25 events, 0 missed\n"), "{stdout}");
    assert!(stdout.contains(" 0 findings"), "{stdout}");
}

/// The checks in Python call the adapters and the log in wasmtime for Python: see [`super`]. There,
/// what WASI 0.3 is made of is on by default.
#[test]
fn wasmtime_for_python_has_the_async_component_model() {
    let requirements = [
        ("wasmtime", include_str!("../../adapters/requirements.txt")),
        ("python-host", include_str!("../../../examples/python-host/requirements.txt")),
    ];
    for (kind, requirements) in requirements {
        let python = Python::with(kind, requirements);
        let Some(python) = require_or_skip("wasmtime for Python", python) else { return };
        let probe = "from wasmtime import Config, Engine\n\
            from wasmtime.component import Component\n\
            Component(Engine(Config()), '(component (core func (canon backpressure.inc)))')";
        let (succeeded, _, said) = run(python.command().args(["-c", probe]));
        assert!(succeeded, "{said}");
    }
}
