//! What is read of a log: the parts asked for, in order, and the checked pieces that come of them.

use std::ops::Range;

use crate::batch::BatchRecord;
use crate::manifest::SegmentRecord;
use crate::names::{BatchName, LogName, ObjectName, SegmentName};
use crate::ports::ReadPart;
use crate::view::ListedBatch;

/// An object to read, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The index of the segment that comes next.
    Index(SegmentRecord),
    Segment(SegmentRecord),
    Slice(Slice),
    Batch(ListedBatch),
}

/// Neighbouring batches of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slice {
    pub segment: SegmentRecord,
    pub batches: Vec<BatchRecord>,
    /// The position of the first of their events.
    pub position: u64,
    /// Where they stand in the segment's bytes.
    pub range: Range<u64>,
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

/// Checked events of one batch: all of them, or some that follow on each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub batch: BatchName,
    /// In a segment, which one, and the positions of the whole batch; none for a live batch.
    pub segment: Option<SegmentName>,
    pub positions: Option<Range<u64>>,
    /// Events at the beginning of the batch that were trimmed: the first piece begins behind them.
    pub trimmed: u64,
    pub bytes: u64,
    pub events: u64,
    /// With the last events of the batch, what is known of all of it.
    pub end: Option<BatchRecord>,
}

/// Checked pieces, one after the other, and the bytes of all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run<B> {
    pub pieces: Vec<Piece>,
    pub lines: B,
}

impl Piece {
    /// The record of a batch whose bytes are lost.
    pub(crate) fn lost(end: BatchRecord) -> Self {
        let BatchRecord { name, trimmed, .. } = end;
        Self {
            batch: name,
            segment: None,
            positions: None,
            trimmed,
            bytes: 0,
            events: 0,
            end: Some(end),
        }
    }

    /// All of a live batch.
    pub(crate) fn live(end: BatchRecord) -> Self {
        let BatchRecord { name, events, bytes, .. } = end;
        let end = Some(end);
        Self { batch: name, segment: None, positions: None, trimmed: 0, bytes, events, end }
    }
}
