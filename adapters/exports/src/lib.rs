//! The exports that all store adapters share.
//!
//! An adapter is a component that provides a store to the log's component. It implements
//! [`store::Store`] and exports `Adapter<ItsStore>`, which is compiled for WebAssembly only.
//!
//! Owns: the exported interfaces, host bytes, the form of keys and of log messages, and the limits
//! of the contract.
//! Must not know: any store, or the meaning of an object.
//!
//! 1. All that the log's component passes in is checked here once: sizes, counts and ranges.
//! 2. A call that breaks a limit of the contract traps where the contract says so, and fails
//!    otherwise.

#[cfg(target_arch = "wasm32")]
mod component;
pub mod host_bytes;
pub mod logging;
pub mod slots;
pub mod store;

#[cfg(target_arch = "wasm32")]
pub use component::{Adapter, bindings};
