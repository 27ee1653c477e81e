//! The exported functions over a [`Store`].
//!
//! 1. Sizes and counts are checked before anything is done with them.
//! 2. A handle is used by one call at a time, since the component has one thread.

use std::cell::RefCell;
use std::marker::PhantomData;

use bytes::Bytes;
use stratalog_store_rules::error::{StoreError, StoreErrorKind};
use stratalog_store_rules::limits::{CREATE_BYTES_MAX, KEYS_MAX, READ_BYTES_MAX};
use stratalog_store_rules::numbers::to_u64;
use stratalog_store_rules::objects::ObjectRange;
use stratalog_store_rules::pieces::OutOfRange;

use super::convert;
use crate::component::bindings::exports::stratalog::log::{host_bytes, object_store as wit};
use crate::component::bindings::exports::wasi::logging::logging;
use crate::host_bytes::Rope;
use crate::slots::{ListingSlot, ReadSlot, UploadSlot};
use crate::store::{PendingCreate as _, Store};

/// The exports of an adapter over its store.
pub struct Adapter<S>(PhantomData<S>);

impl<S: Store> logging::Guest for Adapter<S> {
    fn log(level: logging::Level, context: String, message: String) {
        crate::logging::log(convert::level(level), &context, &message);
    }
}

impl<S: Store> host_bytes::Guest for Adapter<S> {
    type Bytes = HostBytes;
}

/// Host bytes behind a handle.
pub struct HostBytes(RefCell<Rope>);

impl HostBytes {
    fn handle(rope: impl Into<Rope>) -> host_bytes::Bytes {
        host_bytes::Bytes::new(Self(RefCell::new(rope.into())))
    }
}

impl host_bytes::GuestBytes for HostBytes {
    fn new(content: Vec<u8>) -> Self {
        Self(RefCell::new(Bytes::from(content).into()))
    }

    fn length(&self) -> u64 {
        to_u64(self.0.borrow().len())
    }

    fn slice(&self, start: u64, end: u64) -> host_bytes::Bytes {
        Self::handle(or_trap(self.0.borrow().slice(start, end)))
    }

    fn append(&self, more: host_bytes::Bytes) {
        let more = more.into_inner::<Self>().0.into_inner();
        self.0.borrow_mut().append(more);
    }

    fn summarize(&self, start: u64, lengths: Vec<u64>) -> Option<Vec<host_bytes::Summary>> {
        check_count("ranges to summarize", lengths.len());
        let summaries = or_trap(self.0.borrow().summarize(start, &lengths));
        Some(summaries.into_iter().map(convert::summary).collect())
    }

    fn line_end(&self, line_feeds: u64) -> u64 {
        to_u64(self.0.borrow().line_end(line_feeds))
    }

    fn read(&self) -> Vec<u8> {
        let length = self.0.borrow().len();
        if length > READ_BYTES_MAX {
            trap(&format!("cannot read {length} host bytes in one call: at most {READ_BYTES_MAX}"));
        }
        self.0.borrow_mut().joined().into()
    }
}

impl<S: Store> wit::Guest for Adapter<S> {
    type PendingCreate = PendingCreate<S>;
    type Listing = Listing<S>;
    type OrderedRead = OrderedRead<S>;
    type Upload = Upload<S>;

    fn create(key: String, bytes: Vec<u8>, exclusive: bool) -> Result<(), wit::WriteError> {
        check_size(&key, bytes.len()).map_err(wit::WriteError::NotWritten)?;
        let created = S::shared().create(&key, &[bytes.into()], exclusive);
        created.map_err(convert::write_error)
    }

    fn start_create(
        key: String,
        bytes: host_bytes::BytesBorrow<'_>,
        exclusive: bool,
    ) -> wit::PendingCreate {
        let mut rope = bytes.get::<HostBytes>().0.borrow_mut();
        let pending = match check_size(&key, rope.len()) {
            Ok(()) => Pending::Started(S::shared().start_create(key, rope.pieces(), exclusive)),
            Err(error) => Pending::Refused(error),
        };
        wit::PendingCreate::new(PendingCreate::<S>(RefCell::new(pending)))
    }

    fn ensure_exclusive(prefix: String) -> Result<(), wit::StoreError> {
        S::shared().ensure_exclusive(&prefix).map_err(convert::store_error)
    }

    fn get(key: String, range: Option<wit::ByteRange>) -> Result<Vec<u8>, wit::StoreError> {
        S::shared().get(&key, range.map(convert::range)).map_err(convert::store_error)
    }

    fn delete(keys: Vec<String>) -> Vec<wit::DeleteFailure> {
        check_count("keys to delete", keys.len());
        S::shared().delete(keys).into_iter().map(convert::delete_failure).collect()
    }
}

/// A create behind a handle.
pub struct PendingCreate<S: Store>(RefCell<Pending<S::Create>>);

enum Pending<C> {
    Started(C),
    Refused(wit::StoreError),
}

impl<S: Store> wit::GuestPendingCreate for PendingCreate<S> {
    fn poll(&self) -> Option<Result<(), wit::WriteError>> {
        match &mut *self.0.borrow_mut() {
            Pending::Started(create) => {
                create.poll().map(|outcome| outcome.map_err(convert::write_error))
            }
            Pending::Refused(error) => Some(Err(wit::WriteError::NotWritten(error.clone()))),
        }
    }

    fn wait(&self) -> Result<(), wit::WriteError> {
        match &mut *self.0.borrow_mut() {
            Pending::Started(create) => create.wait().map_err(convert::write_error),
            Pending::Refused(error) => Err(wit::WriteError::NotWritten(error.clone())),
        }
    }
}

/// A listing behind a handle.
pub struct Listing<S: Store>(RefCell<ListingSlot<S::Listing>>);

impl<S: Store> wit::GuestListing for Listing<S> {
    fn new(prefix: String, start_after: Option<String>, with_sizes: bool) -> Self {
        let listing = S::shared().list(prefix, start_after, with_sizes);
        Self(RefCell::new(ListingSlot::new(listing)))
    }

    fn next(&self, limit: u32) -> Result<wit::ListPage, wit::StoreError> {
        let page = self.0.borrow_mut().next(limit);
        page.map(convert::list_page).map_err(convert::store_error)
    }
}

/// An ordered read behind a handle.
pub struct OrderedRead<S: Store>(RefCell<ReadSlot<S::Read>>);

impl<S: Store> wit::GuestOrderedRead for OrderedRead<S> {
    fn new(ranges: Vec<wit::ObjectRange>) -> Self {
        check_count("ranges to read", ranges.len());
        let ranges: Vec<ObjectRange> = ranges.into_iter().map(convert::object_range).collect();
        Self(RefCell::new(ReadSlot::new(S::shared().read(ranges))))
    }

    fn next(&self, bytes_max: u32) -> Result<Option<wit::Chunk>, wit::ReadFailure> {
        let chunk = self.0.borrow_mut().next(bytes_max).map_err(convert::read_failure)?;
        Ok(chunk.map(|chunk| wit::Chunk {
            number: convert::number(chunk.number),
            bytes: HostBytes::handle(chunk.bytes),
            last: chunk.last,
        }))
    }
}

/// An upload behind a handle.
pub struct Upload<S: Store>(RefCell<UploadSlot<S::Upload>>);

impl<S: Store> wit::GuestUpload for Upload<S> {
    fn start(key: String) -> Result<wit::Upload, wit::WriteError> {
        let upload = S::shared().start_upload(key).map_err(convert::write_error)?;
        Ok(wit::Upload::new(Self(RefCell::new(UploadSlot::Open(upload)))))
    }

    fn write(&self, bytes: host_bytes::Bytes) -> Result<(), wit::WriteError> {
        let mut rope = bytes.into_inner::<HostBytes>().0.into_inner();
        let mut upload = self.0.borrow_mut();
        let written = rope.pieces().into_iter().try_for_each(|piece| upload.write(piece));
        written.map_err(convert::write_error)
    }

    fn finish(&self) -> Result<(), wit::WriteError> {
        self.0.borrow_mut().finish().map_err(convert::write_error)
    }
}

fn check_size(key: &str, bytes: usize) -> Result<(), wit::StoreError> {
    if bytes <= CREATE_BYTES_MAX {
        return Ok(());
    }
    let message = format!(
        "cannot create {key}: {bytes} bytes exceed {CREATE_BYTES_MAX}; upload the object in parts"
    );
    Err(convert::store_error(StoreError::new(StoreErrorKind::Invalid, message)))
}

/// Traps a caller that passes more in one call than the interface allows.
fn check_count(what: &str, count: usize) {
    if count > KEYS_MAX {
        trap(&format!("{count} {what} in one call, more than {KEYS_MAX}"));
    }
}

fn or_trap<T>(result: Result<T, OutOfRange>) -> T {
    result.unwrap_or_else(|error| trap(&error.to_string()))
}

#[expect(clippy::panic, reason = "the interface wants a trap, and a panic names its cause")]
fn trap(cause: &str) -> ! {
    panic!("{cause}");
}
