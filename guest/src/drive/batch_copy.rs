//! A copy of a batch, anywhere in the log's folder.
//!
//! 1. It counts only if its digest and number of events are those of the record, which come from an
//!    index or the batch's name.
//! 2. It is read whole into memory, so a copy of more than 32 MiB, which no writer makes, counts as
//!    none.

use std::ops::Range;

use crate::decide::source::Source;
use crate::error::Error;
use crate::format::batch::{BatchRecord, summarize};
use crate::format::host_bytes;
use crate::format::lines;
use crate::format::listed::ListedBatch;
use crate::format::names::Digest;
use crate::format::verified_chunk::{BatchSpan, VerifiedChunk};
use crate::limits::{BATCH_BYTES_WHOLE_MAX, CHUNK_BYTES_MAX};
use crate::ports::{HostBytes, ObjectRange, OrderedRead, Store, StoreErrorKind};

/// A place where a batch may stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BatchCopy {
    pub key: String,
    /// Its range in an object with other batches.
    pub range: Option<Range<u64>>,
    /// Events already trimmed from the beginning of the copy.
    pub trimmed: u64,
    /// The position of its first event that is not trimmed, if it has one.
    pub position: Option<u64>,
    /// The record that it must match. `bytes` counts only for the limit of 32 MiB.
    pub record: BatchRecord,
}

impl BatchCopy {
    /// Returns the bytes that match the record. None if they do not exist or differ.
    pub(crate) fn read<S: Store>(
        &self,
        store: &S,
    ) -> Result<Option<VerifiedChunk<S::Bytes>>, Error> {
        let Some(skip) = self.record.trimmed.checked_sub(self.trimmed) else { return Ok(None) };
        let Some(bytes) = self.bytes(store)? else { return Ok(None) };
        let packed = || S::Bytes::new(&lines::pack_legacy_lines(bytes.read()));
        let wanted = |lines: S::Bytes| {
            let start = lines.line_end(skip);
            let lines = if start == 0 { lines } else { lines.slice(start..lines.length()) };
            let found = summarize(&lines);
            let is_it = found.line_feeds == self.record.events
                && Digest(found.digest) == self.record.digest;
            is_it.then(|| self.verified(lines))
        };
        Ok(match self.record.name.origin {
            Some(_) => wanted(bytes),
            None => wanted(packed()),
        })
    }

    /// The source to report when the copy is gone.
    pub(crate) fn source(&self) -> Source {
        Source::Batch(ListedBatch { name: self.record.name, size: self.record.bytes })
    }

    fn verified<B: HostBytes>(&self, lines: B) -> VerifiedChunk<B> {
        let record = BatchRecord { bytes: lines.length(), lost: false, ..self.record };
        let (start, end) = (record.trimmed, record.events);
        let positions = self.position.map(|first| first - start..first + end);
        let span = BatchSpan { trimmed: record.trimmed, positions, ..BatchSpan::live(record) };
        VerifiedChunk { spans: vec![span], lines }
    }

    fn bytes<S: Store>(&self, store: &S) -> Result<Option<S::Bytes>, Error> {
        let length = self.range.as_ref().map_or(0, |range| range.end - range.start);
        if length > BATCH_BYTES_WHOLE_MAX || self.range.as_ref().is_some_and(Range::is_empty) {
            return Ok(None);
        }
        let read = store.read(&[ObjectRange { key: self.key.clone(), range: self.range.clone() }]);
        let mut read_so_far: Option<S::Bytes> = None;
        loop {
            match read.next(CHUNK_BYTES_MAX) {
                Ok(Some(chunk)) => {
                    let bytes = host_bytes::join(read_so_far.take(), chunk.bytes);
                    if bytes.length() > BATCH_BYTES_WHOLE_MAX {
                        return Ok(None);
                    }
                    read_so_far = Some(bytes);
                }
                Ok(None) => return Ok(read_so_far),
                Err(failure) => match failure.error.kind {
                    StoreErrorKind::NotFound
                    | StoreErrorKind::Invalid
                    | StoreErrorKind::NotAnObject => return Ok(None),
                    _ => return Err(Error::store("read", &self.key, &failure.error)),
                },
            }
        }
    }
}
