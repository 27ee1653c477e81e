//! Writes: creates in one request or in parts, the proof that they are exclusive, deletes, and
//! counts of both.

pub(super) mod count;
pub(super) mod create;
pub(super) mod delete;
pub(super) mod probe;
pub(super) mod upload;
