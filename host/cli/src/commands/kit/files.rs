//! The files of the kit, which the build script packs.

/// A path and its text.
pub(super) type File = (&'static str, &'static str);

pub(super) static WIT: &[File] = include!(concat!(env!("OUT_DIR"), "/kit_wit.rs"));
pub(super) static RUST: &[File] = include!(concat!(env!("OUT_DIR"), "/kit_rust.rs"));
pub(super) static PYTHON: &[File] = include!(concat!(env!("OUT_DIR"), "/kit_python.rs"));
pub(super) static JAVASCRIPT: &[File] = include!(concat!(env!("OUT_DIR"), "/kit_javascript.rs"));
