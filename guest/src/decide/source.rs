//! The sources of a log's events, and the objects to read for each.

use crate::format::listed::ListedBatch;
use crate::format::manifest::SegmentRecord;
use crate::format::names::{LogName, ObjectName};
use crate::format::segment::SegmentRange;
use crate::limits::{READ_PART_BYTES, READ_PARTS_MAX, READ_WHOLE_BYTES_MAX};
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

/// The requests for a large segment, or for a large range of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Requests {
    /// One for each part, so that they can run concurrently. The last part ends with the last byte
    /// that the manifest records: bytes behind it are not noticed.
    InParts,
    /// One for the object as it is: bytes behind its end are damage.
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

    /// The number of ranges to read: of the index, and of the bytes.
    pub(crate) fn ranges_count(&self, requests: Requests) -> u64 {
        match self {
            Self::Segment(segment) => 1 + parts_count(segment.bytes, requests),
            Self::SegmentRange(range) => parts_count(range.bytes.end - range.bytes.start, requests),
            Self::Batch(_) => 1,
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

    /// The ranges to read, in order: one, or the parts of a large segment.
    pub(crate) fn to_read(&self, log: &LogName, requests: Requests) -> Vec<ObjectRange> {
        let key = log.key(self.name);
        let bytes = match &self.source {
            Source::SegmentRange(range) => range.bytes.clone(),
            Source::Segment(segment) if !self.is_index() => 0..segment.bytes,
            Source::Segment(_) | Source::Batch(_) => return vec![ObjectRange { key, range: None }],
        };
        let count = parts_count(bytes.end - bytes.start, requests);
        if count == 1 {
            let range = matches!(self.source, Source::SegmentRange(_)).then_some(bytes);
            return vec![ObjectRange { key, range }];
        }
        let part = part_bytes(bytes.end - bytes.start);
        let parts = (0..count).map(|number| {
            let start = bytes.start + number * part;
            start..bytes.end.min(start.saturating_add(part))
        });
        parts.map(|part| ObjectRange { key: key.clone(), range: Some(part) }).collect()
    }
}

/// The number of parts in which bytes of a segment are read.
fn parts_count(bytes: u64, requests: Requests) -> u64 {
    match requests {
        Requests::InParts if bytes > READ_WHOLE_BYTES_MAX => bytes.div_ceil(part_bytes(bytes)),
        Requests::InParts | Requests::Whole => 1,
    }
}

fn part_bytes(bytes: u64) -> u64 {
    READ_PART_BYTES.max(bytes.div_ceil(READ_PARTS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::manifest::tests::segment_record;

    #[test]
    fn large_segments_are_read_in_parts_and_small_ones_whole() {
        let log = LogName::parse("log").unwrap();
        let ranges = |bytes: u64| {
            let object = SourceObject::bytes(Source::Segment(segment_record(1, bytes).into()));
            let read = object.to_read(&log, Requests::InParts).into_iter();
            read.map(|part| part.range).collect::<Vec<_>>()
        };
        let part = READ_PART_BYTES;
        assert_eq!((ranges(0), ranges(READ_WHOLE_BYTES_MAX)), (vec![None], vec![None]));
        let large = ranges(READ_WHOLE_BYTES_MAX + 1);
        assert_eq!(large[..2], [Some(0..part), Some(part..2 * part)]);
        assert_eq!(large[16..], [Some(16 * part..16 * part + 1)]);
        assert_eq!(ranges(128 << 20).len(), 32);
        assert_eq!(ranges(u64::MAX).len(), 1_100);
        let index = SourceObject::index(segment_record(1, 128 << 20));
        assert_eq!(index.to_read(&log, Requests::InParts).len(), 1);
        let whole = SourceObject::bytes(Source::Segment(segment_record(1, 128 << 20).into()));
        let whole = whole.to_read(&log, Requests::Whole);
        assert_eq!(whole.iter().map(|read| read.range.clone()).collect::<Vec<_>>(), [None]);
        let bytes = 7..7 + 17 * part;
        let (segment, batches) = (segment_record(1, 128 << 20), Vec::new());
        let range = SegmentRange { segment, batches, position: 0, bytes };
        let read = SourceObject::bytes(Source::range(range));
        let read = read.to_read(&log, Requests::InParts);
        assert_eq!(read.len(), 17);
        assert_eq!(read[2].range, Some(7 + 2 * part..7 + 3 * part));
    }
}
