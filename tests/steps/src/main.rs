//! A plugin that does the steps of a scenario. Each step is a line of stdin, and its outcome is a
//! line of stdout: `null` for a step that is not one of a plugin.

#[allow(clippy::expect_used, clippy::panic, unreachable_pub, reason = "it is a part of a test")]
#[path = "../../../plugin-kit/rust/tests/scenarios/steps.rs"]
mod steps;

use std::io::{self, Write as _};

use serde_json::json;

use steps::Steps;

fn main() -> io::Result<()> {
    let mut plugin = Steps::default();
    for line in io::stdin().lines() {
        let outcome = match plugin.step(&serde_json::from_str(&line?)?) {
            Some(Ok(value)) => json!({ "expect": value }),
            Some(Err(case)) => json!({ "error": case }),
            None => json!(null),
        };
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{outcome}")?;
        stdout.flush()?;
    }
    Ok(())
}
