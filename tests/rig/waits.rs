//! Waits that are bounded by what happens: a busy machine makes them longer and not wrong.
//!
//! No test says that something ends within some seconds. It lets the only other end be one that does
//! not come, such as a reader that never reads, and the product ends or this guard says that it
//! never does.

use std::thread;
use std::time::{Duration, Instant};

/// When a wait is given up. So long that it says "never", whatever else the machine does.
pub const NEVER: Duration = Duration::from_mins(10);

/// Waits until something holds that others bring about.
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
