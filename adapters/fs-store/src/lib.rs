//! A folder of WASI as the store of a log.
//!
//! The component exports the interfaces that the log's component imports, and imports only WASI
//! 0.2. Both together run on any host that opens a folder for them.
//!
//! Owns: the root folder, the steps of a durable write, and the files of a listing.
//! Must not know: the purpose of the files.
//!
//! 1. An object is a regular file, and its key is the path below the root.
//! 2. No link below the root is followed, and nothing outside of the root is reached.
//! 3. A file appears under its name in one step: whole and synced, or not at all.
//! 4. The files of the native host's folder store are the same: both may use one folder
//!    concurrently.
//! 5. `std::fs` is not used. It asks for flags that some hosts refuse.

pub mod failure;
pub mod names;
pub mod root_path;

#[cfg(target_arch = "wasm32")]
#[allow(clippy::all, clippy::restriction, unsafe_code, unreachable_pub, reason = "generated")]
mod bindings;
#[cfg(target_arch = "wasm32")]
#[allow(clippy::all, clippy::restriction, unsafe_code, unreachable_pub, reason = "generated")]
mod component;
#[cfg(target_arch = "wasm32")]
mod folder;
#[cfg(target_arch = "wasm32")]
mod listing;
#[cfg(target_arch = "wasm32")]
mod new_file;
#[cfg(target_arch = "wasm32")]
mod read;
#[cfg(target_arch = "wasm32")]
mod root;
#[cfg(target_arch = "wasm32")]
mod stale_files;
#[cfg(target_arch = "wasm32")]
mod store;
