//! Logs for plugins: programs that run as WebAssembly components and reach only what their host
//! grants them.
//!
//! ```no_run
//! use stratalog_plugin::{Log, Reader};
//!
//! fn main() -> Result<(), stratalog_plugin::Error> {
//!     let log = Log::open("errors")?;
//!     log.append(br#"{"code":500}"#)?;
//!     log.close()?;
//!     for event in Reader::open("errors")?.events() {
//!         println!("{}", event?.text());
//!     }
//!     Ok(())
//! }
//! ```
//!
//! `errors` is a label. Who runs the plugin decides which log, in which store, the label means:
//! `stratalog run plugin.wasm --log errors=s3://bucket/app/errors`. The WIT of the interface
//! `append-log` is the manual of durability, order and cost. What this crate has no function for,
//! such as `trim` and `verify`, is in [`wit`].
//!
//! A plugin has one thread, and each call returns when it is done.
//!
//! # Features
//!
//! - `serde`: `Log::append_json`, `Event::json`.
//! - `journal`: `journal_panics`, which journals panics. The next two include it.
//! - `log`: `logging::init`, which journals the records of the `log` crate.
//! - `tracing`: `tracing_layer::Journal`, which journals the events of the `tracing` crate.
//! - `testing`: `testing::World`, logs in memory with faults, for `cargo test`.

mod error;
mod event;
#[cfg(feature = "journal")]
mod journal;
mod log_handle;
#[cfg(feature = "log")]
pub mod logging;
mod options;
#[cfg(feature = "journal")]
mod panics;
mod reader;
#[cfg(all(feature = "testing", not(target_arch = "wasm32")))]
pub mod testing;
#[cfg(feature = "tracing")]
pub mod tracing_layer;

#[cfg(not(all(feature = "testing", not(target_arch = "wasm32"))))]
#[allow(clippy::all, clippy::restriction, unsafe_code, unreachable_pub, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "stratalog:log/plugin",
        generate_all,
    });
}

/// The interface as it is in WIT.
///
/// In a test with the feature `testing`, its calls act on the current world.
pub mod wit {
    #[cfg(not(all(feature = "testing", not(target_arch = "wasm32"))))]
    pub use crate::bindings::stratalog::log::{append_log, types};
    #[cfg(all(feature = "testing", not(target_arch = "wasm32")))]
    pub use {crate::testing::append_log, stratalog_guest::component::types};
}

pub use error::Error;
pub use event::Event;
pub use log_handle::Log;
pub use options::{OpenOptions, ReadOptions};
#[cfg(feature = "journal")]
pub use panics::journal_panics;
pub use reader::{Events, Reader};
pub use wit::types::Written;
