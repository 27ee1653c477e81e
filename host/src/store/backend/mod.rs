//! The backends that store objects: a local folder, or a service on the network.

#[cfg(feature = "network")]
pub(super) mod client;
#[cfg(feature = "network")]
mod ended;
pub(super) mod local;
pub(super) mod panics;
#[cfg(feature = "network")]
pub(super) mod remote;
pub(super) mod stale_files;
