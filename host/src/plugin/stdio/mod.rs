//! A plugin's standard streams, which delay neither the plugin's host nor its end.
//!
//! 1. No task waits for a descriptor of the process: a thread for each stream does. A peer that
//!    does not read or does not feed a stream delays that thread, and with it only the plugin.
//! 2. The output that a plugin has written and the thread has not is bounded.
//! 3. A stream that is not ready (EAGAIN) is waited for, as a blocking one would be.

mod descriptor;
mod input;
mod last_output;
mod output;

pub use input::Input;
pub(super) use last_output::last_of;
pub use output::Output;
