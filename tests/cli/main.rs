//! The command line and its plugins, through the real binary, in temporary folders.

#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests")]

mod address_space;
mod binary;
mod bucket;
mod cache;
mod commands;
pub(crate) mod copies;
mod disks;
mod doctor;
mod endings;
mod events;
mod files;
mod following;
mod inputs;
#[cfg(unix)]
mod installed;
mod interface;
mod keep;
mod lacks;
mod ls;
mod matrix;
mod metrics;
mod mistakes;
mod named;
mod once;
mod options;
#[cfg(unix)]
mod packages;
mod permissions;
mod plugins;
mod positions;
mod refusals;
#[cfg(unix)]
mod release;
mod repairs;
mod replies;
mod secrets;
mod signals;
mod strangers;
mod streams;
mod summaries;
mod terminal;
mod upkeep;
mod view;
