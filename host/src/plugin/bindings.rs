//! Bindings of a plugin's world, generated from `wit/`, for embedders who run `bindgen!` on a world
//! of their own that imports the logs.
//!
//! ```ignore
//! wasmtime::component::bindgen!({
//!     // ...
//!     with: { "stratalog:log": stratalog::plugin::bindings::log },
//! });
//! ```

#[allow(clippy::all, clippy::pedantic, clippy::restriction, missing_docs, reason = "generated")]
mod generated {
    wit_bindings! {
        world: "plugin",
        imports: { default: async | trappable },
        with: {
            "stratalog:log/types": crate::types::interface,
            "stratalog:log/append-log.log": crate::plugin::handles::LogHandle,
            "stratalog:log/append-log.reader": crate::plugin::handles::ReaderHandle,
            "stratalog:log/append-log.verifier": crate::plugin::handles::VerifierHandle,
        },
    }
}

/// The interfaces of the package `stratalog:log` that a plugin imports.
pub mod log {
    pub use super::generated::stratalog::log::append_log;
    pub use crate::types::interface as types;
}
