//! Tests that measure their process, and so need one of their own: other tests are threads of the
//! same process.

use std::process::Command;

/// Set in the process of a test that runs alone.
const ALONE: &str = "STRATALOG_TEST_ALONE";

/// Runs a test in a new process that runs nothing else. `test` is its path with the crate's name:
/// `concat!(module_path!(), "::NAME")`.
///
/// # Panics
/// When the test fails there.
pub fn alone(test: &str, measure: impl FnOnce()) {
    if std::env::var_os(ALONE).is_some() {
        return measure();
    }
    let (_, name) = test.split_once("::").expect("the path of a test");
    let program = std::env::current_exe().expect("this program has a path");
    let mut command = Command::new(program);
    command.args(["--exact", name, "--nocapture"]).env(ALONE, "1");
    let output = command.output().expect("this program runs again");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    // No test has this name: then none is run, and none fails.
    assert!(output.status.success() && said.contains("1 passed"), "{name} failed alone");
}
