//! A bucket of S3 as the store of a log.
//!
//! The component exports the interfaces that the log's component imports, and imports only WASI
//! 0.2. Both together run on any host that lets them send HTTP requests.
//!
//! Owns: the requests, their signatures and retries, and the checks of the answers.
//! Must not know: the purpose of the objects.
//!
//! 1. Everything but `transport` and `store` is plain Rust. It is compiled and tested natively.
//! 2. An answer counts only if it is the reply to its request.
//! 3. A write is "not written" only if no attempt can have had an effect.
//! 4. The objects are those of the native host's store: both may use one bucket concurrently.

pub mod create;
pub mod delete;
pub mod encoding;
pub mod endpoint;
pub mod engine;
pub mod exchange;
pub mod failure;
pub mod listing;
pub mod opened;
pub mod probe;
pub mod read;
pub mod reply;
pub mod request;
pub mod settings;
pub mod signer;
pub mod upload;

#[cfg(target_arch = "wasm32")]
#[allow(clippy::all, clippy::restriction, unsafe_code, unreachable_pub, reason = "generated")]
mod bindings;
#[cfg(target_arch = "wasm32")]
#[allow(clippy::all, clippy::restriction, unsafe_code, unreachable_pub, reason = "generated")]
mod component;
#[cfg(target_arch = "wasm32")]
mod store;
#[cfg(target_arch = "wasm32")]
mod transport;
