//! An append log on object storage whose logic is a sandboxed WebAssembly component.
//!
//! A *log* is a sequence of *events*, each one line of bytes, usually JSON. Events are buffered, each
//! full buffer is written once as one new object (a *batch*), read back in order, and small objects
//! are compacted into large ones (*segments*). The logic runs in a `wasm32-wasip2` component that is
//! embedded in this crate; this crate lends it an object store, a clock and a log sink.
//!
//! - [`store::Store`] is where objects live: memory, a folder, S3, GCS, Azure or WebDAV.
//! - [`Host`] runs the component and opens logs.
//! - [`Log`] appends, from any number of tasks; [`Reader`] reads.
//!
//! Any number of processes may append to one log, read and compact it, without coordination.
//!
//! # Example
//!
//! ```
//! use stratalog::store::Store;
//! use stratalog::{Host, LogOptions};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), stratalog::Error> {
//! let host = Host::new()?;
//! let store = Store::memory();
//!
//! let log = host.open(&store, "app/errors", LogOptions::new()).await?;
//! log.append(br#"{"error":"disk full"}"#).await?;
//! log.append_lines("{\"error\":\"timeout\"}\n{\"error\":\"refused\"}\n").await?;
//! let written = log.flush().await?; // From here on they are durable.
//! assert_eq!(written.events, 3);
//!
//! let mut reader = log.read_all().await?;
//! let mut events = Vec::new();
//! while let Some(page) = reader.next().await? {
//!     events.extend(page.iter().map(<[u8]>::to_vec));
//! }
//! assert_eq!(events.len(), 3);
//! assert_eq!(events[0], br#"{"error":"disk full"}"#);
//!
//! log.close().await?;
//! # Ok(())
//! # }
//! ```

#![warn(missing_docs)]

mod bindings;
mod clock;
mod engine;
mod error;
mod host;
mod imports;
mod limits;
mod log;
mod meter;
mod options;
mod reader;
mod records;
pub mod store;

pub use clock::Clock;
pub use error::{Error, EventFault, Result, WriteFate};
pub use host::{Host, HostBuilder};
pub use limits::Limits;
pub use log::Log;
pub use options::LogOptions;
pub use reader::Reader;
pub use records::{Compaction, Page, Stats, Written};
