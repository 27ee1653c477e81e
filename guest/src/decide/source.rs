//! The sources of a log's events, and the objects to read for each.

use std::ops::Range;

use crate::format::index::Index;
use crate::format::listed::ListedBatch;
use crate::format::manifest::SegmentRecord;
use crate::format::names::{LogName, ObjectName};
use crate::format::segment::SegmentRange;
use crate::limits::READ_WHOLE_BYTES_MAX;
use crate::ports::ObjectRange;

/// A source of events. Boxes keep it small: there is one for each of perhaps a million batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A whole segment. Its index is read before its bytes.
    Segment(Box<SegmentRecord>),
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

/// The request for the bytes of a large segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// For as many bytes as the manifest records, so that the host knows their number and may fetch
    /// parts of them concurrently. Bytes behind them are not noticed.
    Recorded,
    /// For the object as it is: bytes behind its end are damage.
    Whole,
}

impl Source {
    /// The objects to read, in order.
    pub(crate) fn objects(self) -> impl Iterator<Item = SourceObject> {
        let index = match &self {
            Self::Segment(segment) => Some(SourceObject::index(**segment)),
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

    /// The offset behind the bytes to read of a segment. None for a batch.
    pub(crate) fn end(&self) -> Option<u64> {
        match self {
            Self::Segment(segment) => Some(segment.bytes),
            Self::SegmentRange(range) => Some(range.bytes.end),
            Self::Batch(_) => None,
        }
    }

    /// The segment of the source. None for a batch.
    pub(crate) fn segment(&self) -> Option<&SegmentRecord> {
        match self {
            Self::Segment(segment) => Some(segment),
            Self::SegmentRange(range) => Some(&range.segment),
            Self::Batch(_) => None,
        }
    }

    /// The batches of a segment with events from this position on. None if no byte of them is left.
    pub(crate) fn behind(segment: &SegmentRecord, index: &Index, position: u64) -> Option<Self> {
        let is_before = |(_, positions): &(_, Range<u64>)| positions.end <= position;
        let before = index.positions(segment).take_while(is_before).count();
        let (before, batches) = index.batches.split_at_checked(before)?;
        let (events, bytes) = before
            .iter()
            .fold((0, 0), |(events, bytes), batch| (events + batch.events, bytes + batch.bytes));
        let bytes = bytes..segment.bytes;
        let (segment, position) = (*segment, segment.position + events);
        let range = SegmentRange { segment, batches: batches.to_vec(), position, bytes };
        (!range.bytes.is_empty()).then(|| Self::range(range))
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
        Self { name, source: Source::Segment(Box::new(segment)) }
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

    /// The range to read.
    pub(crate) fn to_read(&self, log: &LogName, request: Request) -> ObjectRange {
        let range = match &self.source {
            Source::SegmentRange(range) => Some(range.bytes.clone()),
            Source::Segment(segment) if !self.is_index() && request == Request::Recorded => {
                (segment.bytes > READ_WHOLE_BYTES_MAX).then_some(0..segment.bytes)
            }
            Source::Segment(_) | Source::Batch(_) => None,
        };
        ObjectRange { key: log.key(self.name), range }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::manifest::tests::segment_record;

    #[test]
    fn bytes_of_large_segments_are_requested_as_recorded() {
        let log = LogName::parse("log").unwrap();
        let range = |bytes: u64, request| {
            let object = SourceObject::bytes(Source::Segment(segment_record(1, bytes).into()));
            object.to_read(&log, request).range
        };
        let large = READ_WHOLE_BYTES_MAX + 1;
        assert_eq!(range(large, Request::Recorded), Some(0..large));
        assert_eq!(range(READ_WHOLE_BYTES_MAX, Request::Recorded), None);
        assert_eq!(range(large, Request::Whole), None);
        let index = SourceObject::index(segment_record(1, large));
        assert_eq!(index.to_read(&log, Request::Recorded).range, None);
        let (segment, batches) = (segment_record(1, large), Vec::new());
        let range = SegmentRange { segment, batches, position: 0, bytes: 7..9 };
        let read = SourceObject::bytes(Source::range(range));
        for request in [Request::Recorded, Request::Whole] {
            assert_eq!(read.to_read(&log, request).range, Some(7..9));
        }
    }
}
