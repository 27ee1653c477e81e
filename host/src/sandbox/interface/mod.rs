//! Checks a component before it is compiled: its interfaces, and whether this host has them.
//!
//! 1. Only the names and types of a component's imports and exports are read here, not its code.
//! 2. The compiler and the linker would also refuse each component that is refused here, but later.
//!    Their decision is final.

mod demands;
mod surface;
mod version;

pub(crate) use demands::{World, check};
