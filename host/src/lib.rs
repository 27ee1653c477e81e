//! An append log on object storage whose logic is a sandboxed WebAssembly component.
//!
//! A *log* is a sequence of *events*, each one line of bytes, usually JSON. Events are buffered.
//! Each sealed buffer is written as one new object (a *batch*). A reader yields the events in
//! order. A compaction copies small objects into large ones (*segments*). The logic runs in a
//! `wasm32-wasip2` component that is embedded in this crate. This crate provides it with an object
//! store, a clock and a sink for log messages.
//!
//! - [`store::Store`] stores objects: in memory, a folder, S3, GCS, Azure or WebDAV.
//! - [`Host`] runs the component and opens logs.
//! - [`Log`] appends, from any number of tasks. With [`LogOptions::compact_after`] it also compacts
//!   in the background.
//! - [`Reader`] reads what [`ReadOptions`] select. Its position can be stored, and a later pass
//!   resumes from it. [`Follow`] waits for new events.
//! - [`Host::compact`] keeps a log in few objects, [`Host::trim`] removes its oldest events,
//!   [`Verifier`] checks it, [`Host::stat`] counts it, and [`Host::files`] lists its objects for
//!   other tools.
//! - [`Host::copy`] copies a log to another store while it is used.
//! - [`Host::logs`] finds the [`Logs`] below a folder, by the names of their objects, and
//!   [`keep::Keeper`] compacts, trims and verifies them by policies.
//!
//! Any number of processes may append to one log, read, compact and trim it, without coordination.
//!
//! # Features
//!
//! | feature | adds | default |
//! |---|---|---|
//! | `s3`, `gcs`, `azure`, `webdav` | a kind of store each, and their HTTP client | yes |
//! | `plugins` | the module `plugin`, which runs components that keep logs | yes |
//! | `metrics` | the module `telemetry`, which reports metrics by OpenTelemetry | no |
//! | `serde` | events as values, and reports that serialize | no |
//!
//! The library with everything compiles 236 crates, itself included. Without the four stores it
//! compiles 196, and no HTTP client or TLS among them. One store needs as many crates as all four.
//! Memory, folders and [`store::Store::from_object_store`] need no feature. `plugins` adds code and
//! no crates: the log's component itself needs WASI.
//!
//! ```toml
//! stratalog = { version = "0.1", default-features = false, features = ["s3"] }
//! ```
//!
//! A URL of a store that is left out is an error that names its feature.
//!
//! The page `docs/embedding.md` of this package shows the parts together.
//!
//! # Example
//!
//! ```
//! use stratalog::store::Store;
//! use stratalog::{Host, LogOptions, ReadOptions};
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
//!
//! // A saved position resumes the pass: nothing is repeated, nothing is skipped.
//! let mut reader = host.read_with(&store, "app/errors", ReadOptions::new().limit(2)).await?;
//! while reader.next().await?.is_some() {}
//! let position = reader.position().await?;
//! let rest = ReadOptions::new().start(position);
//! let mut reader = host.read_with(&store, "app/errors", rest).await?;
//! assert_eq!(reader.next().await?.map(|page| page.events), Some(1));
//! # Ok(())
//! # }
//! ```

#![warn(missing_docs)]
#![cfg_attr(
    not(all(
        feature = "azure",
        feature = "gcs",
        feature = "metrics",
        feature = "plugins",
        feature = "s3",
        feature = "webdav"
    )),
    allow(dead_code, reason = "parts that only a store or a plugin uses")
)]

include!(concat!(env!("OUT_DIR"), "/wit.rs"));

/// The code of the page for embedders, which compiles as an example.
#[cfg(doctest)]
#[doc = include_str!("../docs/embedding.md")]
mod embedding_page {}

mod clock;
mod error;
mod host;
pub mod keep;
mod limits;
mod log;
mod log_at;
mod named_position;
mod numbers;
mod options;
mod page;
#[cfg(feature = "plugins")]
pub mod plugin;
mod prices;
mod read_options;
mod sandbox;
mod stats;
pub mod store;
mod stores;
#[cfg(feature = "metrics")]
pub mod telemetry;
#[cfg(not(feature = "metrics"))]
#[allow(unreachable_pub, reason = "public with the feature")]
mod telemetry;
mod times;
mod types;

pub use clock::Clock;

#[cfg(feature = "serde")]
pub use error::JsonError;
pub use error::{Error, Result};
pub use host::Host;
pub use host::builder::HostBuilder;
pub use limits::Limits;
pub use log::Log;
#[cfg(feature = "serde")]
pub use log::Values;
pub use log::{
    Copied, Copier, Event, Events, Feed, Files, FilesOptions, Follow, ListOptions, ListedLog,
    LogFile, Logs, Mirror, NameCounts, Notice, Notices, Pages, Reader, ResumedFeed, Verifier,
};
pub use log_at::{LogAt, at};
pub use named_position::NamedPosition;
pub use options::LogOptions;
pub use page::Page;
pub use read_options::ReadOptions;
pub use sandbox::interface::INTERFACE_VERSION;
pub use stats::Stats;
pub use types::{
    CompactOptions, Compaction, CompactionPlan, Damage, EventFault, Finding, Garbage,
    GarbageReason, InvalidEvent, NoLog, RepairAction, RepairStep, Skipped, StoreFailure, Stranded,
    Tier, TooLong, TrimOptions, TrimPoint, TrimResult, VerifyProgress, WriteFailure, WriteFate,
    Written,
};
