//! Writes without a reader, and reads without a writer.

use std::hint::black_box;
use std::io::{self, Read as _, Write as _};

use crate::say;

/// Returns a numbered line of 100 bytes with its LF.
fn numbered(number: u64) -> String {
    format!("{number:099}\n")
}

/// Writes numbered lines on stdout, without end or this many.
pub(crate) fn write_lines(count: u64) {
    let mut stdout = io::stdout().lock();
    for number in 0..count {
        if stdout.write_all(numbered(number).as_bytes()).is_err() {
            return;
        }
    }
}

/// Writes numbered lines on stderr, without end or this many.
pub(crate) fn complain(count: u64) {
    say::line("complaining");
    for number in 0..count {
        eprint!("{}", numbered(number));
    }
}

/// Reads stdin to its end.
pub(crate) fn read_without_end() {
    say::line("reading");
    let mut input = Vec::new();
    let read = io::stdin().read_to_end(&mut input);
    say::line(&format!("{} bytes read: {:?}", black_box(input).len(), read.is_ok()));
}
