//! The warnings of all logs of the process that the host passes on.

use std::io;
use std::sync::{Mutex, OnceLock, PoisonError};

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Collects warnings from now on.
pub fn collect() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::WARN)
            .with_ansi(false)
            .with_writer(|| Lines)
            .init();
    });
}

/// Returns the warnings collected so far.
pub fn all() -> Vec<String> {
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&lines).lines().map(str::to_owned).collect()
}

struct Lines;

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
