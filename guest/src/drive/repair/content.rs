//! A segment's bytes, with random access to lines.

use crate::error::Error;
use crate::format::host_bytes;
use crate::format::index::Content;
use crate::format::names::Digest;
use crate::limits::{BATCH_BYTES_WHOLE_MAX, CHUNK_BYTES_MAX};
use crate::ports::{HostBytes, ObjectRange, OrderedRead, Store, StoreErrorKind};

/// Bytes asked for in one request.
const FETCH_BYTES: u64 = 4 * 1024 * 1024;

/// Bytes kept behind the last offset read.
const KEPT_BYTES: u64 = 8 * 1024 * 1024;

/// Bytes scanned in all, which takes a few seconds. A longer search is abandoned.
const SCANNED_BYTES_MAX: u64 = 1 << 33;

/// The bytes of a segment, as far as they were fetched.
pub(super) struct SegmentBytes<S: Store> {
    store: S,
    key: String,
    size: u64,
    /// The offset of the window.
    start: u64,
    window: Option<S::Bytes>,
    scanned: u64,
}

impl<S: Store> SegmentBytes<S> {
    /// An object of `size` bytes, or 0 if it does not exist.
    pub(super) fn new(store: S, key: String, size: u64) -> Self {
        Self { store, key, size, start: 0, window: None, scanned: 0 }
    }

    fn end(&self) -> u64 {
        let window = self.window.as_ref().map_or(0, HostBytes::length);
        self.start + window
    }

    /// Fetches more bytes. Returns false at the end.
    fn fetch(&mut self) -> Result<bool, Error> {
        let start = self.end();
        let end = start.saturating_add(FETCH_BYTES).min(self.size);
        if start >= end {
            return Ok(false);
        }
        let range = ObjectRange { key: self.key.clone(), range: Some(start..end) };
        let read = self.store.read(&[range]);
        loop {
            match read.next(CHUNK_BYTES_MAX) {
                Ok(Some(chunk)) => {
                    self.window = Some(host_bytes::join(self.window.take(), chunk.bytes));
                    if chunk.last {
                        return Ok(self.end() > start);
                    }
                }
                Ok(None) => return Ok(self.end() > start),
                Err(failure) => match failure.error.kind {
                    StoreErrorKind::NotFound | StoreErrorKind::Invalid => {
                        self.size = start;
                        return Ok(false);
                    }
                    _ => return Err(Error::store("read", &self.key, &failure.error)),
                },
            }
        }
    }

    /// Moves the window to an offset, unless it contains it.
    fn turn_to(&mut self, offset: u64) {
        let end = self.end();
        if offset < self.start || offset > end {
            (self.start, self.window) = (offset, None);
        } else if offset - self.start > KEPT_BYTES {
            let window = self.window.take();
            self.window = window.map(|window| window.slice(offset - self.start..window.length()));
            self.start = offset;
        }
    }
}

impl<S: Store> Content for SegmentBytes<S> {
    fn lines(&mut self, offset: u64, events: u64) -> Result<Option<(u64, Digest)>, Error> {
        if offset >= self.size || self.scanned > SCANNED_BYTES_MAX {
            return Ok(None);
        }
        self.turn_to(offset);
        loop {
            if let Some(window) = &self.window {
                let from = offset - self.start;
                let end = window.slice(from..window.length()).line_end(events);
                self.scanned += end;
                let summary = window.summarize(from, &[end]).first().copied();
                if let Some(found) = summary.filter(|found| found.line_feeds == events) {
                    return Ok(Some((end, Digest(found.digest))));
                }
                if end > BATCH_BYTES_WHOLE_MAX {
                    return Ok(None);
                }
            }
            if !self.fetch()? {
                return Ok(None);
            }
        }
    }
}
