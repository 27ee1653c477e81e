//! Folders as stores: their names and entries, and the fate of a failed step.
//!
//! Must not know: any file system.

pub mod entry;
pub mod failure;
pub mod link;
pub mod names;
pub mod packed_names;
