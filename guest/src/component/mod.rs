//! The component: bindings, and a total conversion each way. It decides nothing.

mod convert;
mod dropped;
mod exports;
mod imports;

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
