//! The objects that are read of a log, or ranges of them.

use crate::format::listed::ListedBatch;
use crate::format::manifest::SegmentRecord;
use crate::format::names::{LogName, ObjectName};
use crate::format::segment::Slice;
use crate::ports::ReadPart;

/// An object to read, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The index of the segment that comes next.
    Index(SegmentRecord),
    Segment(SegmentRecord),
    Slice(Slice),
    Batch(ListedBatch),
}

impl Part {
    pub(crate) fn key(&self, log: &LogName) -> String {
        log.key(self.name())
    }

    /// The object's own name.
    pub(crate) fn name(&self) -> ObjectName {
        match self {
            Self::Index(segment) => ObjectName::Index(segment.name.index()),
            Self::Segment(segment) => ObjectName::Segment(segment.name),
            Self::Slice(slice) => ObjectName::Segment(slice.segment.name),
            Self::Batch(batch) => ObjectName::Batch(batch.name),
        }
    }

    pub(crate) fn to_read(&self, log: &LogName) -> ReadPart {
        let range = match self {
            Self::Slice(slice) => Some(slice.range.clone()),
            _ => None,
        };
        ReadPart { key: self.key(log), range }
    }
}
