//! The kinds of store: one suite for all of them, and faults on the wire to a server.

mod conformance;
mod copies;
#[cfg(target_os = "linux")]
mod links;
mod wire;
