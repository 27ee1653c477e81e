//! A plugin's standard streams, which hold up neither the plugin's host nor its end.
//!
//! 1. No task waits for a descriptor of the process: a thread for each stream does. Whoever does not
//!    read or does not feed a stream holds up that thread, and with it only the plugin.
//! 2. What a plugin has written and the thread has not is bounded.
//! 3. A stream that is not ready (EAGAIN) is waited for, as one that blocks would be.

mod descriptor;
mod input;
mod output;

pub use input::Input;
pub use output::Output;
