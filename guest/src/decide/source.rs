//! The sources of a log's events, and the objects to read for each.

use crate::format::listed::ListedBatch;
use crate::format::manifest::SegmentRecord;
use crate::format::names::{LogName, ObjectName};
use crate::format::segment::SegmentRange;
use crate::ports::ObjectRange;

/// A source of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A whole segment. Its index is read before its bytes.
    Segment(SegmentRecord),
    /// Consecutive batches of a segment, whose records are known.
    SegmentRange(Box<SegmentRange>),
    Batch(ListedBatch),
}

/// An object to read for a source: its index, or its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceObject {
    pub name: ObjectName,
    pub source: Source,
}

impl Source {
    /// The objects to read, in order.
    pub(crate) fn objects(self) -> impl Iterator<Item = SourceObject> {
        let index = match &self {
            Self::Segment(segment) => Some(SourceObject::index(*segment)),
            Self::SegmentRange(_) | Self::Batch(_) => None,
        };
        index.into_iter().chain([SourceObject::bytes(self)])
    }

    /// The number of objects to read.
    pub(crate) fn objects_count(&self) -> usize {
        match self {
            Self::Segment(_) => 2,
            Self::SegmentRange(_) | Self::Batch(_) => 1,
        }
    }

    /// Consecutive batches of a segment.
    pub(crate) fn range(range: SegmentRange) -> Self {
        Self::SegmentRange(Box::new(range))
    }
}

impl SourceObject {
    /// The index of a segment.
    pub(crate) fn index(segment: SegmentRecord) -> Self {
        let name = ObjectName::Index(segment.name.index());
        Self { name, source: Source::Segment(segment) }
    }

    /// The object with the source's events.
    pub(crate) fn bytes(source: Source) -> Self {
        let name = match &source {
            Source::Segment(segment) => ObjectName::Segment(segment.name),
            Source::SegmentRange(range) => ObjectName::Segment(range.segment.name),
            Source::Batch(batch) => ObjectName::Batch(batch.name),
        };
        Self { name, source }
    }

    pub(crate) fn is_index(&self) -> bool {
        matches!(self.name, ObjectName::Index(_))
    }

    pub(crate) fn to_read(&self, log: &LogName) -> ObjectRange {
        let range = match &self.source {
            Source::SegmentRange(range) => Some(range.bytes.clone()),
            Source::Segment(_) | Source::Batch(_) => None,
        };
        ObjectRange { key: log.key(self.name), range }
    }
}
