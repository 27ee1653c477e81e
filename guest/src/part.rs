//! What is read of a log: the parts asked for, in order, and the checked pieces that come of them.

use std::borrow::Cow;

use crate::batch::BatchRecord;
use crate::manifest::SegmentRecord;
use crate::names::{BatchName, LogName};
use crate::view::ListedBatch;

/// An object to read. A segment stands right after its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Index(SegmentRecord),
    Segment(SegmentRecord),
    Batch(ListedBatch),
}

impl Part {
    pub(crate) fn key(&self, log: &LogName) -> String {
        match self {
            Self::Index(segment) => log.key(segment.name.index()),
            Self::Segment(segment) => log.key(segment.name),
            Self::Batch(batch) => log.key(batch.name),
        }
    }
}

/// Some checked events of one batch.
#[derive(Debug)]
pub(crate) struct Piece<'a> {
    pub batch: BatchName,
    /// In a segment, the position after the batch; none for a live batch.
    pub position_end: Option<u64>,
    pub lines: Cow<'a, [u8]>,
    pub events: u64,
    /// With the last events of the batch, what is known of all of it.
    pub end: Option<BatchRecord>,
}
