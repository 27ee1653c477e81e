//! Objects of a log as a listing shows them.

use crate::format::names::{BatchName, ObjectName};
use crate::format::ordered::Map;

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

/// Returns the sizes of objects by their names.
pub(crate) fn sizes(others: &[ListedOther]) -> Map<ObjectName, u64> {
    others.iter().map(|other| (other.name, other.size)).collect()
}
