//! Catches Ctrl-C, on systems without other signals.

use std::io;

use crate::process::exit::Code;

/// The number that a shell adds to 128 for Ctrl-C.
const INTERRUPT: u8 = 2;

/// Ctrl-C, caught.
pub(crate) struct CaughtSignals;

impl CaughtSignals {
    pub(crate) fn catch() -> io::Result<Self> {
        Ok(Self)
    }

    /// Returns the next Ctrl-C as its exit code. Each one hastens an end in progress.
    pub(crate) async fn next(&mut self) -> (Code, bool) {
        match tokio::signal::ctrl_c().await {
            Ok(()) => (Code::Signal(INTERRUPT), true),
            // Ctrl-C is no longer delivered here: then the system ends the process.
            Err(_) => std::future::pending().await,
        }
    }
}
