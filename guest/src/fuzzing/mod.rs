//! Properties of formats and decisions, checked on arbitrary bytes. Built for tests and with the
//! feature `fuzzing` only.
//!
//! 1. Each function takes any bytes and panics if a property does not hold.
//! 2. `fuzz/fuzz_targets` has one target for each. The tests here run each over `fuzz/seeds`.
//! 3. An oracle is naive: it shares no code with what it checks.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a property that does not hold panics"
)]

mod handles;
mod index;
mod lines;
mod manifest;
mod names;
mod objects;
mod position;
mod rebuild;
mod segment;
mod strict_bytes;

pub use handles::handles;
pub use index::index;
pub use lines::lines;
pub use manifest::manifest;
pub use names::names;
pub use position::position;
pub use rebuild::rebuild;
pub use segment::segment;

#[cfg(test)]
mod tests;
