//! Bindings of a plugin's world, generated from `wit/`, for embedders who run `bindgen!` on a world
//! of their own that imports the logs.
//!
//! ```ignore
//! wasmtime::component::bindgen!({
//!     // ...
//!     with: { "stratalog:log": stratalog::plugin::bindings::stratalog::log },
//! });
//! ```

#![allow(clippy::all, clippy::pedantic, clippy::restriction, missing_docs, reason = "generated")]

wasmtime::component::bindgen!({
    path: "../wit",
    world: "plugin",
    imports: { default: async | trappable },
    with: {
        "stratalog:log/append-log.log": crate::plugin::handles::LentLog,
        "stratalog:log/append-log.reader": crate::plugin::handles::LentReader,
        "stratalog:log/append-log.verifier": crate::plugin::handles::LentVerifier,
    },
});
