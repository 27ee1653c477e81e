//! Events that were checked: spans of batches, and the bytes of consecutive spans.

use std::ops::Range;
use std::rc::Rc;

use crate::format::batch::BatchRecord;
use crate::format::names::{BatchName, SegmentName};
use crate::ports::HostBytes;

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

/// A verified chunk within the bytes it came with. It is cut out when it is taken: each cut holds a
/// handle of the host, which gives few, and one read of a segment may give many chunks.
#[derive(Debug)]
pub(crate) struct UncutChunk<B> {
    spans: Vec<BatchSpan>,
    bytes: Rc<B>,
    range: Range<u64>,
}

impl<B: HostBytes> UncutChunk<B> {
    pub(crate) fn new(spans: Vec<BatchSpan>, bytes: &Rc<B>, range: Range<u64>) -> Self {
        Self { spans, bytes: bytes.clone(), range }
    }

    pub(crate) fn cut(self) -> VerifiedChunk<B> {
        let Self { spans, bytes, range } = self;
        let lines = match Rc::try_unwrap(bytes) {
            Ok(bytes) if range == (0..bytes.length()) => bytes,
            Ok(bytes) => bytes.slice(range),
            Err(bytes) => bytes.slice(range),
        };
        VerifiedChunk { spans, lines }
    }
}

impl<B: HostBytes> From<VerifiedChunk<B>> for UncutChunk<B> {
    fn from(VerifiedChunk { spans, lines }: VerifiedChunk<B>) -> Self {
        let range = 0..lines.length();
        Self { spans, bytes: Rc::new(lines), range }
    }
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
