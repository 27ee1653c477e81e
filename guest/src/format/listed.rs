//! Objects of a log as a listing shows them.

use crate::format::names::{BatchName, ObjectName};

/// A batch in a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListedBatch {
    pub name: BatchName,
    /// Bytes.
    pub size: u64,
}

/// A manifest, segment or index in a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListedOther {
    pub name: ObjectName,
    /// Bytes.
    pub size: u64,
}
