//! The component: bindings, and a total conversion each way.

mod convert;
mod exports;

pub use exports::Adapter;

/// The exported interfaces, and the macro `export` that an adapter calls.
#[allow(
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    missing_docs,
    unsafe_code,
    unreachable_pub,
    reason = "generated"
)]
pub mod bindings {
    wit_bindgen::generate!({
        path: ["../../wit", "../wit"],
        world: "stratalog:adapters/store",
        generate_all,
        pub_export_macro: true,
        default_bindings_module: "stratalog_store_exports::bindings",
    });
}
