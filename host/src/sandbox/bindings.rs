//! Bindings of the component's world, generated from `wit/`.

#![allow(clippy::all, clippy::pedantic, clippy::restriction, missing_docs, reason = "generated")]

wit_bindings! {
    world: "log-component",
    imports: { "stratalog:log/host-bytes": trappable, default: async | trappable },
    exports: { default: async },
    with: {
        "stratalog:log/types": crate::types::interface,
        "stratalog:log/host-bytes.bytes": crate::sandbox::imports::host_bytes::HostBytes,
        "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
        "wasi:random": wasmtime_wasi::p2::bindings::random,
        "stratalog:log/object-store.listing": crate::sandbox::imports::listing::ListingSlot,
        "stratalog:log/object-store.pending-create": crate::sandbox::imports::object_store::CreateSlot,
        "stratalog:log/object-store.ordered-read": crate::sandbox::imports::object_store::ReadSlot,
        "stratalog:log/object-store.upload": crate::sandbox::imports::object_store::UploadSlot,
    },
}
