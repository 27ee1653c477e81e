//! The component: bindings, and a total conversion each way. It decides nothing.

mod convert;
mod exports;
mod imports;

#[expect(
    clippy::all,
    clippy::pedantic,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    missing_docs,
    unsafe_code,
    reason = "generated from wit/"
)]
mod bindings {
    wit_bindgen::generate!({
        path: "../wit",
        world: "log-component",
        generate_all,
        pub_export_macro: true,
    });
}

use exports::Component;

bindings::export!(Component with_types_in bindings);
