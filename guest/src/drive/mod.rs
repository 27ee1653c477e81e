//! Drivers: they list, read, write and delete as the decisions say.
//!
//! 1. Only drivers use the store, the clock and the log messages of [`crate::ports`].

pub(crate) mod absent;
pub(crate) mod batch_copy;
pub mod catalog;
pub(crate) mod change;
pub(crate) mod commit;
pub mod compactor;
pub mod copier;
pub(crate) mod existing;
pub mod files;
pub(crate) mod interrupted;
pub mod named;
pub mod open_writers;
pub mod reader;
pub mod repair;
pub(crate) mod segment_writer;
pub(crate) mod source_reader;
pub mod stat;
pub mod trimmer;
pub mod verifier;
pub mod writer;

#[cfg(test)]
mod tests;
