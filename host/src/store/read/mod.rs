//! Reads: one object, a listing, many objects in order.

mod file;
pub(super) mod get;
pub(super) mod list;
pub(super) mod ordered;
