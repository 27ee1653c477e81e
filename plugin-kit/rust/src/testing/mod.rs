//! Tests plugins with `cargo test`, against logs in memory with faults. The logs are the real ones.
//!
//! ```
//! use stratalog_plugin::testing::World;
//! use stratalog_plugin::{Error, Log};
//!
//! // A part of the plugin.
//! fn sell(item: &str) -> Result<(), Error> {
//!     let log = Log::open("orders")?;
//!     log.append(item)?;
//!     log.close()?;
//!     Ok(())
//! }
//!
//! let world = World::new();
//! world.grant("orders");
//! world.lose_replies(1);
//! assert!(sell("tea").unwrap_err().is_transient());
//! // The host flushed the handle when it was dropped, and the log has the event once.
//! assert_eq!(world.events("orders"), ["tea"]);
//! ```
//!
//! A test runs the code of the plugin as it is. The logic of the log is that of the component,
//! compiled natively, over a store in memory. Labels, rights and error texts are those of a host.
//! The cause of an error is on stderr. A test sets the only limit: [`World::limit_calls`].
//!
//! Each thread has a world of its own, so tests may run at the same time. What a program sets once,
//! such as a logger of the `log` crate, acts on the world of the thread that calls it.

#[doc(hidden)]
pub mod append_log;
mod calls;
mod clock;
mod grants;
mod handles;
mod host;
mod memory_reads;
mod memory_store;
mod refusals;
mod world;

pub use grants::Right;
pub use world::World;
