//! The end of a build script.

use std::process::ExitCode;

/// Ends a build script. Cargo prints the message of a failure.
pub(crate) fn end(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            println!("cargo::error={message}");
            ExitCode::FAILURE
        }
    }
}
