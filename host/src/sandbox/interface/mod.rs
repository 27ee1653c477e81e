//! Looks at a component before it is compiled: what it was made for, and whether this host has it.
//!
//! 1. Only the names and types of a component's imports and exports are read here, not its code.
//! 2. What is refused here the compiler and the linker would refuse, too, and later: they have the
//!    last word.

mod demands;
mod surface;
mod version;

pub(crate) use demands::{World, check};
