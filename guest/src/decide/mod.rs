//! Decisions: a snapshot of a log goes in, a plan comes out.
//!
//! 1. Nothing here does I/O or reads a clock.

pub(crate) mod agreement;
pub(crate) mod boundary;
pub(crate) mod buffer;
pub(crate) mod compaction;
pub(crate) mod copying;
pub(crate) mod covering;
pub mod cursor;
pub(crate) mod lineage;
pub(crate) mod list_pages;
pub mod log_state;
pub(crate) mod lookup;
pub mod options;
pub(crate) mod overtaken;
pub mod page;
pub mod places;
pub(crate) mod retirement;
pub(crate) mod source;
pub(crate) mod succession;
pub mod survey;
pub mod visibility;
pub(crate) mod window;
