//! Plugins: WebAssembly components that are granted logs, and can harm only themselves.
//!
//! A plugin imports `stratalog:log/append-log` (see `wit/`) and opens a log under a *label*. The
//! host decides which log is behind the label, and which rights the plugin has on it. The plugin
//! sees no URL, no credential and no other log. It has a wasmtime store of its own, apart from that
//! of the log's component. So a plugin that traps, exits, reaches a limit or is dropped leaves its
//! appended events flushed.
//!
//! There are two ways to run one:
//!
//! - A command (`wasi:cli/run`), run by a [`PluginEngine`] under [`PluginLimits`]. `stratalog run`
//!   uses this way.
//! - A component of your own world. Put a [`LogsCtx`] into the wasmtime store and call
//!   [`add_to_linker`], with [`bindings`] for `bindgen`'s `with`. The embedder then sets the limits
//!   on time and on the component's own memories. Give the component an [`Output`] and an [`Input`]
//!   as its standard streams, since those of wasmtime block the thread that runs it. To keep a
//!   record of it, call [`LogsCtx::record`].
//!   `examples/own_world.rs` is a complete program.
//!
//! # Example
//!
//! ```no_run
//! # async fn example(plugin: Vec<u8>) -> Result<(), stratalog::Error> {
//! use stratalog::plugin::{Grant, LogsCtx, PluginEngine, PluginLimits, Run};
//! use stratalog::{Host, store::Store};
//!
//! let (host, store) = (Host::new()?, Store::memory());
//! let engine = PluginEngine::new(PluginLimits::default(), None)?;
//! let plugin = engine.compile(plugin, "the plugin").await?;
//!
//! let logs = LogsCtx::builder()
//!     .grant("errors", Grant::new(&host, &store, "app/errors"))
//!     .limits(engine.limits())
//!     .build()?;
//! let mut run = Run::new(logs);
//! run.inherit_stdio()?.wasi().args(&["plugin", "--since", "yesterday"]);
//! let outcome = plugin.run(run).await?;
//! println!("it {}, {} events appended", outcome.end, outcome.usage.events_appended);
//! # Ok(())
//! # }
//! ```

mod append_log;
pub mod bindings;
mod engine;
mod exit;
mod grant;
mod handles;
mod label;
mod limits;
mod logs;
mod messages;
mod meter;
mod quota;
mod rate;
mod recorder;
mod recording;
mod rights;
mod run;
mod state;
mod stdio;
mod usage;

pub use append_log::add_to_linker;
pub use engine::{Plugin, PluginEngine};
pub use exit::ExitReason;
pub use grant::Grant;
pub use handles::{Closing, Unflushed};
pub use label::check_label;
pub use limits::{LimitHit, PluginLimits};
pub use logs::{LogsCtx, LogsCtxBuilder, LogsView};
pub use quota::{Quota, QuotaUsage};
pub use recorder::{Record, RecordOutcome};
pub use recording::Recording;
pub use rights::{Right, Rights, RightsError};
pub use run::{Outcome, Run};
pub use stdio::{Input, Output};
pub use usage::Usage;
