//! Reads: one object, a listing, many objects in order.

mod fetch;
mod file;
pub(super) mod get;
pub(super) mod listing;
#[cfg(not(feature = "network"))]
mod no_checksum;
pub(super) mod ordered;
pub(super) mod part;
mod parts;
mod run;
pub(super) mod tree;
pub(super) mod window;
