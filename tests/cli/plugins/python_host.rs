//! The same component under Python: the checks in Python that `examples/python-host` has.

use crate::binary::ok;
use rig::tools::python::{Python, assert_all_hold};
use rig::tools::{cache_folder, require_or_skip, workspace};

const REQUIREMENTS: &str = include_str!("../../../examples/python-host/requirements.txt");

/// The script also runs the binary: each host reads, verifies and compacts events of the other.
#[test]
fn python_host_shares_logs_with_the_binary() {
    let python = Python::with("python-host", REQUIREMENTS);
    let Some(python) = require_or_skip("the host under Python", python) else { return };
    let folder = tempfile::tempdir().unwrap();
    let component = folder.path().join("log.wasm");
    ok(&["component", "export", component.to_str().unwrap()], "");
    let script = workspace().join("examples/python-host/test_host.py");
    let mut command = python.command();
    command.arg("-B").arg(script).arg(&component).arg(env!("CARGO_BIN_EXE_stratalog"));
    assert_all_hold(command.env("XDG_CACHE_HOME", cache_folder()));
}
