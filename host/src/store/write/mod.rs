//! Writes: creates in one request or in parts, the proof that they are exclusive, and deletes.

pub(super) mod create;
pub(super) mod delete;
pub(super) mod probe;
pub(super) mod upload;
