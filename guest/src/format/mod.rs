//! Names and bytes of a log's objects: encoding, decoding, checking.
//!
//! 1. Nothing here does I/O or reads a clock.
//! 2. Each format is encoded and decoded in one file; only [`names`] builds or parses object names.

pub mod batch;
pub(crate) mod batch_reader;
pub(crate) mod batch_set;
pub(crate) mod byte_search;
mod damage;
pub mod host_bytes;
pub mod index;
pub(crate) mod legacy_batch;
pub(crate) mod lines;
pub mod listed;
pub mod manifest;
pub mod mirror;
pub mod named_position;
pub mod names;
pub(crate) mod numbers;
pub(crate) mod ordered;
pub(crate) mod oversized_batch;
pub(crate) mod position;
pub(crate) mod segment;
pub(crate) mod verified_chunk;
