//! The objects that are read of a log, or ranges of them.

use crate::format::listed::ListedBatch;
use crate::format::manifest::SegmentRecord;
use crate::format::names::{LogName, ObjectName};
use crate::format::segment::SegmentRange;
use crate::ports::ObjectRange;

/// An object to read, or a range of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The index of the segment that comes next.
    Index(SegmentRecord),
    Segment(SegmentRecord),
    SegmentRange(SegmentRange),
    Batch(ListedBatch),
}

impl Source {
    pub(crate) fn key(&self, log: &LogName) -> String {
        log.key(self.name())
    }

    /// The object's own name.
    pub(crate) fn name(&self) -> ObjectName {
        match self {
            Self::Index(segment) => ObjectName::Index(segment.name.index()),
            Self::Segment(segment) => ObjectName::Segment(segment.name),
            Self::SegmentRange(range) => ObjectName::Segment(range.segment.name),
            Self::Batch(batch) => ObjectName::Batch(batch.name),
        }
    }

    pub(crate) fn to_read(&self, log: &LogName) -> ObjectRange {
        let range = match self {
            Self::SegmentRange(range) => Some(range.bytes.clone()),
            _ => None,
        };
        ObjectRange { key: self.key(log), range }
    }
}
