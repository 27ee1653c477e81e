//! The protocols of `guest/FORMAT.md` as a model, under random schedules with faults, lies and
//! damage.
//!
//! `tests/model/protocol.py` documents what it checks; it needs Python 3.

use std::path::Path;
use std::process::{Command, Stdio};

/// Runs the model, and asserts that it ends well.
fn run(arguments: &[&str]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("model/protocol.py");
    let output = Command::new("python3").arg(script).args(arguments).stdin(Stdio::null()).output();
    let output = match output {
        Ok(output) => output,
        Err(error) if std::env::var_os("CI").is_none() => {
            eprintln!("SKIPPED the model of the protocols: cannot run python3: {error}");
            return;
        }
        Err(error) => panic!("cannot run python3, which the model of the protocols needs: {error}"),
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn model_under_random_schedules_keeps_every_event() {
    run(&["2500"]);
}

#[test]
fn model_with_a_rule_broken_is_caught() {
    run(&["5000", "--mutants"]);
}
