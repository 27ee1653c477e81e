//! The component's imports as the ports that the logic uses.

use std::ops::Range;

use super::bindings::stratalog::log::host_bytes::Bytes;
use super::bindings::stratalog::log::object_store as wit;
use super::bindings::wasi::clocks::wall_clock;
use super::bindings::wasi::logging::logging;
use super::bindings::wasi::random::random;
use crate::format::host_bytes;
use crate::format::numbers::to_u64;
use crate::ports::{
    Chunk, HostBytes, ListPage, Listing, ObjectRange, OrderedRead, PendingCreate, ReadFailure,
    Sizes, Store, StoreError, Summary, System, Upload, WriteError,
};

/// Bytes in the host, by handle.
pub struct BytesHandle {
    handle: Bytes,
    length: u64,
}

/// The host's object store.
#[derive(Clone, Copy)]
pub(super) struct HostStore;

/// The host's clock, randomness and log sink.
#[derive(Clone, Copy)]
pub(super) struct HostSystem;

impl System for HostSystem {
    fn now_micros(&self) -> u64 {
        let now = wall_clock::now();
        let micros = u64::from(now.nanoseconds / 1_000);
        now.seconds.saturating_mul(1_000_000).saturating_add(micros)
    }

    fn random_u32(&self) -> u32 {
        let [a, b, c, d, ..] = random::get_random_u64().to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }

    fn warn(&self, message: &str) {
        logging::log(logging::Level::Warn, "stratalog", message);
    }
}

impl BytesHandle {
    pub(super) fn into_handle(self) -> Bytes {
        self.handle
    }
}

impl From<Bytes> for BytesHandle {
    fn from(handle: Bytes) -> Self {
        Self { length: handle.length(), handle }
    }
}

impl HostBytes for BytesHandle {
    fn new(content: &[u8]) -> Self {
        let length = to_u64(content.len());
        Self { handle: Bytes::new(content), length }
    }

    fn length(&self) -> u64 {
        self.length
    }

    fn slice(&self, range: Range<u64>) -> Self {
        let length = range.end - range.start;
        Self { handle: self.handle.slice(range.start, range.end), length }
    }

    fn append(&mut self, more: Self) {
        self.length += more.length;
        self.handle.append(more.handle);
    }

    fn summarize(&self, start: u64, lengths: &[u64]) -> Vec<Summary> {
        match self.handle.summarize(start, lengths) {
            Some(summaries) => summaries.into_iter().map(Summary::from).collect(),
            None => host_bytes::summarize(&self.read(), start, lengths),
        }
    }

    fn line_end(&self, lines: u64) -> u64 {
        self.handle.line_end(lines)
    }

    fn read(&self) -> Vec<u8> {
        self.handle.read()
    }
}

impl Store for HostStore {
    type Bytes = BytesHandle;
    type Listing = wit::Listing;
    type Create = wit::PendingCreate;
    type Read = wit::OrderedRead;
    type Upload = wit::Upload;

    fn create_exclusive(&self, key: &str, bytes: &[u8]) -> Result<(), WriteError> {
        wit::create(key, bytes, true).map_err(WriteError::from)
    }

    fn create(&self, key: &str, bytes: &[u8]) -> Result<(), WriteError> {
        wit::create(key, bytes, false).map_err(WriteError::from)
    }

    fn start_create(&self, key: &str, bytes: &BytesHandle) -> wit::PendingCreate {
        wit::start_create(key, &bytes.handle, false)
    }

    fn ensure_exclusive(&self, prefix: &str) -> Result<(), StoreError> {
        wit::ensure_exclusive(prefix).map_err(StoreError::from)
    }

    fn get(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        wit::get(key, None).map_err(StoreError::from)
    }

    fn list(&self, prefix: &str, start_after: Option<&str>, sizes: Sizes) -> wit::Listing {
        wit::Listing::new(prefix, start_after, sizes == Sizes::Used)
    }

    fn delete(&self, keys: &[String]) -> Vec<(String, StoreError)> {
        let failures = wit::delete(keys).into_iter();
        failures.map(|failure| (failure.key, failure.error.into())).collect()
    }

    fn read(&self, ranges: &[ObjectRange]) -> wit::OrderedRead {
        let wanted = |wanted: &ObjectRange| wit::ObjectRange {
            key: wanted.key.clone(),
            range: wanted.range.clone().map(|Range { start, end }| wit::ByteRange { start, end }),
        };
        wit::OrderedRead::new(&ranges.iter().map(wanted).collect::<Vec<_>>())
    }

    fn start_upload(&self, key: &str) -> Result<wit::Upload, WriteError> {
        wit::Upload::start(key).map_err(WriteError::from)
    }
}

impl Listing for wit::Listing {
    fn next(&self, limit: u32) -> Result<ListPage, StoreError> {
        self.next(limit).map(ListPage::from).map_err(StoreError::from)
    }
}

impl PendingCreate for wit::PendingCreate {
    fn poll(&self) -> Option<Result<(), WriteError>> {
        self.poll().map(|outcome| outcome.map_err(WriteError::from))
    }

    fn wait(&self) -> Result<(), WriteError> {
        self.wait().map_err(WriteError::from)
    }
}

impl OrderedRead for wit::OrderedRead {
    type Bytes = BytesHandle;

    fn next(&self, bytes_max: u32) -> Result<Option<Chunk<BytesHandle>>, ReadFailure> {
        match self.next(bytes_max) {
            Ok(chunk) => Ok(chunk.map(Chunk::from)),
            Err(failure) => Err(failure.into()),
        }
    }
}

impl Upload for wit::Upload {
    type Bytes = BytesHandle;

    fn write(&self, bytes: BytesHandle) -> Result<(), WriteError> {
        self.write(bytes.handle).map_err(WriteError::from)
    }

    fn finish(&self) -> Result<(), WriteError> {
        self.finish().map_err(WriteError::from)
    }
}
