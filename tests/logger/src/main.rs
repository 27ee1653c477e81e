//! A program that logs through `wasi:logging` and knows no log.
//!
//! An argument is words joined by `=`: `log=LEVEL=CONTEXT=MESSAGE`, `many=COUNT` for records of
//! level info, `sleep=MILLISECONDS`, or `exit=` with `success` or `failure`.

use std::process::ExitCode;
use std::time::Duration;

#[allow(clippy::all, clippy::restriction, unsafe_code, unreachable_pub, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../wit/deps/logging",
        world: "wasi:logging/imports@0.1.0-draft",
    });
}

use bindings::wasi::logging::logging::{Level, log};

fn main() -> ExitCode {
    for argument in std::env::args().skip(1) {
        let words: Vec<&str> = argument.splitn(4, '=').collect();
        if perform(&words).is_none() {
            eprintln!("cannot do {argument}");
            return ExitCode::FAILURE;
        }
    }
    println!("done");
    ExitCode::SUCCESS
}

/// Executes one argument. None: it cannot be understood.
fn perform(words: &[&str]) -> Option<()> {
    match words {
        ["log", name, context, message] => log(level(name)?, context, message),
        ["many", count] => {
            for number in 0..count.parse::<u32>().ok()? {
                log(Level::Info, "many", &format!("record {number}"));
            }
        }
        ["exit", "success"] => std::process::exit(0),
        ["exit", "failure"] => std::process::exit(1),
        ["sleep", millis] => std::thread::sleep(Duration::from_millis(millis.parse().ok()?)),
        _ => return None,
    }
    Some(())
}

fn level(name: &str) -> Option<Level> {
    Some(match name {
        "trace" => Level::Trace,
        "debug" => Level::Debug,
        "info" => Level::Info,
        "warn" => Level::Warn,
        "error" => Level::Error,
        "critical" => Level::Critical,
        _ => return None,
    })
}
