//! Events that were checked: spans of batches, and the bytes of consecutive spans.

use std::ops::Range;

use crate::format::batch::BatchRecord;
use crate::format::names::{BatchName, SegmentName};

/// Checked events of one batch: all of them, or consecutive ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BatchSpan {
    pub batch: BatchName,
    /// The segment of the batch and the positions of the whole batch in it. None for a live batch.
    pub segment: Option<SegmentName>,
    pub positions: Option<Range<u64>>,
    /// Events trimmed from the beginning of the batch: the first span begins behind them.
    pub trimmed: u64,
    pub bytes: u64,
    pub events: u64,
    /// The record of the whole batch, with its last events.
    pub end: Option<BatchRecord>,
}

/// Consecutive spans, and the bytes of all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VerifiedChunk<B> {
    pub spans: Vec<BatchSpan>,
    pub lines: B,
}

impl BatchSpan {
    /// The span of a batch whose bytes are lost.
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

    /// The span of a whole live batch.
    pub(crate) fn live(end: BatchRecord) -> Self {
        let BatchRecord { name, events, bytes, .. } = end;
        let end = Some(end);
        Self { batch: name, segment: None, positions: None, trimmed: 0, bytes, events, end }
    }
}
