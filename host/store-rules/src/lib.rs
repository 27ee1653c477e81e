//! The rules that every store of a log keeps. The native stores of the library and the store
//! components share them.
//!
//! Owns: the types of the contract, keys, names in folders, the checks of answers, and the forms of
//! texts and numbers in messages.
//! Must not know: any file system, network, runtime or binding.
//!
//! 1. Nothing here reads, writes, waits or looks at a clock.
//! 2. It compiles natively and for WebAssembly, with the same results.

pub mod authority;
pub mod error;
pub mod folder;
pub mod key;
pub mod limits;
pub mod log_level;
pub mod numbers;
pub mod objects;
pub mod pieces;
#[cfg(feature = "replies")]
pub mod reply;
pub mod secrets;
pub mod text;
