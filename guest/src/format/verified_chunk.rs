//! Events that were checked against what is known of them: spans of batches, and the bytes of spans that
//! follow each other.

use std::ops::Range;

use crate::format::batch::BatchRecord;
use crate::format::names::{BatchName, SegmentName};

/// Checked events of one batch: all of them, or some that follow on each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BatchSpan {
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
pub(crate) struct VerifiedChunk<B> {
    pub spans: Vec<BatchSpan>,
    pub lines: B,
}

impl BatchSpan {
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
