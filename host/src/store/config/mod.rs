//! The user's description of a store: location, options and credentials, checked before a client is
//! made.

pub(super) mod location;
pub(super) mod location_error;
pub(super) mod options;
pub(super) mod proxy;
pub(super) mod redact;
pub(super) mod root;
pub(super) mod settings;
pub(super) mod tls;
mod truth;
