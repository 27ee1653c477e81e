//! The logic of stratalog: an append log on object storage.
//!
//! `FORMAT.md` beside this crate documents object names, bytes and protocols. From below:
//!
//! - vocabulary and formats: [`limits`], [`names`], [`error`], `events`, [`batch`], [`index`],
//!   [`manifest`], `segment`;
//! - decisions: [`options`], `buffer`, `paging`, [`view`], `agreement`, `part`, [`cursor`], `boundary`,
//!   `compaction`. They do no I/O and read no clock;
//! - [`ports`]: what is needed from outside;
//! - drivers: [`stored_log`], `absent`, `existing`, `parts`, `batch_copy`, `segment_writer`, `commit`,
//!   `change`, [`writer`], [`reader`], [`compactor`], [`trim`], [`verify`], [`repair`], [`stat`];
//! - `component`: the shell that makes all this a component. It converts and calls.
//!
//! A layer uses only those above it in this list. Nothing here knows the host.

mod absent;
mod agreement;
pub mod batch;
mod batch_copy;
mod boundary;
mod buffer;
mod change;
mod commit;
mod compaction;
pub mod compactor;
pub mod cursor;
pub mod error;
mod events;
mod existing;
pub mod held;
pub mod index;
pub mod limits;
pub mod manifest;
pub mod mutants;
pub mod names;
mod old_batch;
pub mod options;
pub mod page;
mod paging;
mod part;
mod parts;
pub mod ports;
mod position;
pub mod reader;
pub mod repair;
mod segment;
mod segment_writer;
pub mod stat;
pub mod stored_log;
mod streamed;
pub mod trim;
pub mod verify;
pub mod view;
pub mod writer;

#[cfg(target_arch = "wasm32")]
mod component;
