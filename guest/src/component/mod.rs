//! The component: bindings, and a total conversion each way. It decides nothing.
//!
//! With the feature `native`, a program has the types of the WIT and their conversions without a
//! component.

mod convert;
#[cfg(target_arch = "wasm32")]
mod dropped;
#[cfg(target_arch = "wasm32")]
mod exports;
#[cfg(target_arch = "wasm32")]
mod imports;

#[cfg(target_arch = "wasm32")]
use bindings::exports::stratalog::log::types;
#[cfg(not(target_arch = "wasm32"))]
pub use bindings::stratalog::log::types;

#[cfg(target_arch = "wasm32")]
#[allow(clippy::all, clippy::restriction, unsafe_code, unreachable_pub, reason = "generated")]
mod bindings {
    use super::exports::Component;

    wit_bindgen::generate!({
        path: ["../wit", "../adapters/wit"],
        world: "stratalog:adapters/log",
        generate_all,
    });

    export!(Component with_types_in self);
}

#[cfg(not(target_arch = "wasm32"))]
#[allow(clippy::all, clippy::restriction, unsafe_code, unreachable_pub, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "../wit",
        world: "stratalog:log/data",
        generate_all,
    });
}
