//! Waits that end by an event: a busy machine makes them longer and not wrong.
//!
//! No test asserts that something ends within some seconds. A test makes any other end impossible,
//! for example by a reader that never reads. Then the product ends, or this guard reports that it
//! never does.

use std::thread;
use std::time::{Duration, Instant};

/// The time after which a wait fails. Long enough to mean "never", even on a busy machine.
pub const NEVER: Duration = Duration::from_mins(10);

/// Waits until a condition holds that others bring about.
///
/// # Panics
/// When it never does.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < NEVER, "this never happens: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}
