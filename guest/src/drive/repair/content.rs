//! A segment's bytes, looked at line by line wherever it is asked for.

use crate::error::Error;
use crate::format::host_bytes;
use crate::format::index::Content;
use crate::format::names::Digest;
use crate::limits::{BATCH_BYTES_WHOLE_MAX, CHUNK_BYTES_MAX};
use crate::ports::{HostBytes, OrderedRead, ReadPart, Store, StoreErrorKind};

/// Bytes asked for in one request.
const FETCH_BYTES: u64 = 4 * 1024 * 1024;

/// Bytes that are kept behind where was looked last.
const KEPT_BYTES: u64 = 8 * 1024 * 1024;

/// Bytes that are measured in all: some seconds. A search that needs more is given up.
const SCANNED_BYTES_MAX: u64 = 1 << 33;

/// The bytes of a segment, as far as they were got.
pub(super) struct SegmentBytes<S: Store> {
    store: S,
    key: String,
    size: u64,
    /// Where what is held begins.
    start: u64,
    window: Option<S::Bytes>,
    scanned: u64,
}

impl<S: Store> SegmentBytes<S> {
    /// Of an object of so many bytes; none if it is not there.
    pub(super) fn new(store: S, key: String, size: u64) -> Self {
        Self { store, key, size, start: 0, window: None, scanned: 0 }
    }

    fn end(&self) -> u64 {
        let window = self.window.as_ref().map_or(0, HostBytes::length);
        self.start.saturating_add(window)
    }

    /// Gets more. False if there is no more.
    fn fetch(&mut self) -> Result<bool, Error> {
        let start = self.end();
        let end = start.saturating_add(FETCH_BYTES).min(self.size);
        if start >= end {
            return Ok(false);
        }
        let part = ReadPart { key: self.key.clone(), range: Some(start..end) };
        let read = self.store.read(&[part]);
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

    /// Begins at an offset, unless what is held will do.
    fn turn_to(&mut self, offset: u64) {
        let end = self.end();
        if offset < self.start || offset > end {
            (self.start, self.window) = (offset, None);
        } else if offset.saturating_sub(self.start) > KEPT_BYTES {
            let window = self.window.take();
            self.window = window
                .map(|window| window.slice(offset.saturating_sub(self.start)..window.length()));
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
                let from = offset.saturating_sub(self.start);
                let end = window.slice(from..window.length()).line_end(events);
                self.scanned = self.scanned.saturating_add(end);
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
