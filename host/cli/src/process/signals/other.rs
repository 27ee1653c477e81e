//! Ctrl-C, where there are no other signals.

use std::io;

use crate::process::exit::Code;

/// The number that a shell adds to 128 for Ctrl-C.
const INTERRUPT: u8 = 2;

/// Ctrl-C, taken from the system.
pub(crate) struct Taken;

impl Taken {
    pub(crate) fn take() -> io::Result<Self> {
        Ok(Self)
    }

    /// The next Ctrl-C, as the code to end with; each one hastens an end that is under way.
    pub(crate) async fn next(&mut self) -> (Code, bool) {
        match tokio::signal::ctrl_c().await {
            Ok(()) => (Code::Signal(INTERRUPT), true),
            // It is not delivered any more: the system ends the process then.
            Err(_) => std::future::pending().await,
        }
    }
}
