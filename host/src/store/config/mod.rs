//! The user's description of a store: location, options and credentials, checked before a client is
//! made.

pub(super) mod environment;
pub(super) mod location;
pub(super) mod location_error;
pub(super) mod open_error;
pub(super) mod opening;
pub(super) mod options;
#[cfg(feature = "network")]
pub(super) mod proxy;
pub(super) mod redact;
pub(super) mod root;
#[cfg(feature = "network")]
pub(super) mod settings;
#[cfg(feature = "network")]
pub(super) mod tls;
mod truth;
