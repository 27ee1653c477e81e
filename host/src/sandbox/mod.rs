//! The sandbox that runs the log's component: wasmtime, the component's imports, and its limits.

pub(crate) mod address_space;
pub(crate) mod bindings;
pub(crate) mod buffer_pool;
pub(crate) mod calls;
mod clock;
mod compaction;
pub(crate) mod component_file;
pub(crate) mod copies;
pub(crate) mod engine;
mod failures;
pub(crate) mod feeds;
pub(crate) mod imports;
pub(crate) mod instance;
pub(crate) mod interface;
pub(crate) mod memory;
pub(crate) mod meter;
pub(crate) mod module_cache;
pub(crate) mod parked;
mod prewarm;
pub(crate) mod reader_seats;
pub(crate) mod seats;
pub(crate) mod survey;
