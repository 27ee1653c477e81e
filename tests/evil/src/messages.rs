//! Fills the operator's screen, or tries to drive it.

use crate::bindings::wasi::logging::logging::{Level, log};
use crate::say;

/// Sequences that drive or fool a terminal, one by one.
const SEQUENCES: &[(&str, &str)] = &[
    ("escape", "\u{1b}"),
    ("clear screen", "\u{1b}[2J"),
    ("window title", "\u{1b}]0;owned\u{7}"),
    ("one-byte CSI", "\u{9b}2J"),
    ("bell", "\u{7}"),
    ("carriage return", "error: nothing\rinfo"),
    ("line feed", "info\nerror: forged"),
    ("NUL", "a\0b"),
    ("delete", "a\u{7f}b"),
    ("right-to-left override", "a\u{202e}b"),
    ("right-to-left isolate", "a\u{2067}b"),
    ("line separator", "a\u{2028}b"),
    ("mark of direction", "a\u{200e}b"),
    ("byte order mark", "a\u{feff}b"),
    ("tag", "a\u{e0041}b"),
];

/// Logs this many messages.
pub(crate) fn flood(count: u64) {
    for number in 0..count {
        log(Level::Error, "flood", &number.to_string());
    }
    say::line(&format!("{count} messages"));
}

/// Logs one message of this many MiB, with a context of the same size.
pub(crate) fn huge(mib: u64) {
    let text = "x".repeat(usize::try_from(mib).unwrap_or(usize::MAX).saturating_mul(1024 * 1024));
    log(Level::Error, &text, &text);
    say::line("1 message");
}

pub(crate) fn escape_sequences() {
    for (name, text) in SEQUENCES {
        log(Level::Error, text, &format!("{name}: {text}"));
    }
    say::line(&format!("{} messages", SEQUENCES.len()));
}
