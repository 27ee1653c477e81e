//! The log messages of any component as the events of a log.
//!
//! The component exports `wasi:logging`, and imports a log and WASI 0.2. A program that logs is
//! joined with it and knows nothing of the log.
//!
//! Owns: the form of an event, the time of a flush, and the count of what is dropped.
//! Must not know: the store, or the meaning of a message.
//!
//! 1. A call never fails or traps because of the log: a record that cannot be appended is dropped
//!    and counted.
//! 2. Nothing is dropped silently. The beginning is reported on stderr, and the number in the log
//!    once it works again.
//! 3. A log that fails is left alone for most of the time, so that its caller does not wait.
//! 4. Messages of the log itself go to stderr, never into the log. So a failing log makes no
//!    events.

pub mod ports;
pub mod record;
pub mod settings;
pub mod sink;
pub mod timestamp;

#[cfg(target_arch = "wasm32")]
#[allow(clippy::all, clippy::restriction, unsafe_code, unreachable_pub, reason = "generated")]
mod bindings;
#[cfg(target_arch = "wasm32")]
#[allow(unsafe_code, reason = "the macro `export` generates it")]
mod component;
#[cfg(target_arch = "wasm32")]
mod system;
