//! Reads the lines of an access log from stdin and journals the server errors (status 500 and
//! above) to the log `errors`. Prints their number in the log. This is a plugin: see
//! examples/plugins/README.md.

use std::io::{self, Write as _};
use std::process::ExitCode;

mod access_line;
mod journal;
mod summary;

#[allow(clippy::all, clippy::restriction, unsafe_code, unreachable_pub, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({ path: "../../../wit", world: "plugin", generate_all });
}

fn main() -> ExitCode {
    let printed = match journal::run(io::stdin().lock()) {
        Ok(summary) => write!(io::stdout(), "{summary}"),
        Err(failure) => {
            eprintln!("error: {failure}");
            return ExitCode::FAILURE;
        }
    };
    match printed.and_then(|()| io::stdout().flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: cannot write to stdout: {error}");
            ExitCode::FAILURE
        }
    }
}
