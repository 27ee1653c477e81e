//! The log's logic without a sandbox: its ports over the same store layer that the host provides to
//! the component.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use stratalog::store as host;
use stratalog_guest::ports::{
    Chunk, EntryKind, ListPage, ListedObject, Listing, ObjectRange, OrderedRead, PendingCreate,
    ReadFailure, Sizes, Store, StoreError, StoreErrorKind, System, Upload, WriteError,
};
use tokio::runtime::Handle;

use crate::subject::TestClock;

/// A store of the host, called from outside the host's runtime.
#[derive(Clone)]
pub struct NativeStore {
    pub store: host::Store,
    pub runtime: Handle,
}

pub struct Running<T>(Mutex<Option<T>>, Handle);

impl<T> Running<T> {
    fn with<R>(&self, run: impl FnOnce(&mut T, &Handle) -> R) -> R {
        run(self.0.lock().unwrap().as_mut().unwrap(), &self.1)
    }
}

impl NativeStore {
    fn running<T>(&self, value: T) -> Running<T> {
        Running(Mutex::new(Some(value)), self.runtime.clone())
    }
}

impl Store for NativeStore {
    type Bytes = Vec<u8>;
    type Listing = Running<host::Listing>;
    type Create = Running<host::PendingCreate>;
    type Read = Running<host::OrderedRead>;
    type Upload = Running<host::Upload>;

    fn create_exclusive(&self, key: &str, bytes: &[u8]) -> Result<(), WriteError> {
        let create = self.store.create(key, Bytes::copy_from_slice(bytes), true);
        self.runtime.block_on(create).map_err(write_error)
    }
    fn create(&self, key: &str, bytes: &[u8]) -> Result<(), WriteError> {
        let create = self.store.create(key, Bytes::copy_from_slice(bytes), false);
        self.runtime.block_on(create).map_err(write_error)
    }
    fn start_create(&self, key: &str, bytes: &Vec<u8>) -> Self::Create {
        let _inside = self.runtime.enter();
        self.running(self.store.start_create(key, Bytes::copy_from_slice(bytes), false))
    }
    fn ensure_exclusive(&self, prefix: &str) -> Result<(), StoreError> {
        self.runtime.block_on(self.store.ensure_exclusive(prefix)).map_err(store_error)
    }
    fn get(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        let bytes = self.runtime.block_on(self.store.get(key, None));
        bytes.map(Vec::from).map_err(store_error)
    }
    fn list(&self, prefix: &str, after: Option<&str>, sizes: Sizes) -> Self::Listing {
        self.running(self.store.listing(prefix, after, sizes == Sizes::Used))
    }
    fn delete(&self, keys: &[String]) -> Vec<(String, StoreError)> {
        let failures = self.runtime.block_on(self.store.delete(keys.to_vec())).into_iter();
        failures.map(|failure| (failure.key, store_error(failure.error))).collect()
    }
    fn read(&self, ranges: &[ObjectRange]) -> Self::Read {
        let ranges = ranges.iter().map(|ObjectRange { key, range }| host::ObjectRange {
            key: key.clone(),
            range: range.clone(),
        });
        self.running(self.store.read_ordered(ranges.collect()))
    }
    fn start_upload(&self, key: &str) -> Result<Self::Upload, WriteError> {
        let upload = self.runtime.block_on(self.store.start_upload(key));
        upload.map(|upload| self.running(upload)).map_err(write_error)
    }
}

impl Listing for Running<host::Listing> {
    fn next(&self, limit: u32) -> Result<ListPage, StoreError> {
        let limit = usize::try_from(limit).unwrap();
        let page = self.with(|listing, runtime| runtime.block_on(listing.next(limit)));
        let page = page.map_err(store_error)?;
        let objects = page.objects.into_iter();
        let objects = objects.map(|object| ListedObject {
            key: object.key,
            size: object.size,
            kind: entry_kind(object.kind),
        });
        Ok(ListPage { objects: objects.collect(), more: page.more })
    }
}

impl PendingCreate for Running<host::PendingCreate> {
    fn poll(&self) -> Option<Result<(), WriteError>> {
        self.with(|pending, _| pending.poll()).map(|fate| fate.map_err(write_error))
    }
    fn wait(&self) -> Result<(), WriteError> {
        self.with(|pending, runtime| runtime.block_on(pending.wait())).map_err(write_error)
    }
}

impl OrderedRead for Running<host::OrderedRead> {
    type Bytes = Vec<u8>;

    fn next(&self, bytes_max: u32) -> Result<Option<Chunk<Vec<u8>>>, ReadFailure> {
        let to_u32 = |number: usize| u32::try_from(number).unwrap();
        let bytes_max = usize::try_from(bytes_max).unwrap();
        match self.with(|read, runtime| runtime.block_on(read.next(bytes_max))) {
            None => Ok(None),
            Some(Ok(host::Chunk { number, bytes, last, .. })) => {
                Ok(Some(Chunk { number: to_u32(number), bytes: bytes.into(), last }))
            }
            Some(Err(failure)) => Err(ReadFailure {
                number: to_u32(failure.number),
                error: store_error(failure.error),
            }),
        }
    }
}

impl Upload for Running<host::Upload> {
    type Bytes = Vec<u8>;

    fn write(&self, bytes: Vec<u8>) -> Result<(), WriteError> {
        let bytes = Bytes::from(bytes);
        self.with(|upload, runtime| runtime.block_on(upload.write(bytes))).map_err(write_error)
    }
    fn finish(&self) -> Result<(), WriteError> {
        let upload = self.0.lock().unwrap().take().unwrap();
        self.1.block_on(upload.finish()).map_err(write_error)
    }
}

/// A clock that tests set, repeatable randomness, and warnings kept for inspection.
#[derive(Clone, Default)]
pub struct NativeSystem {
    pub clock: TestClock,
    pub warnings: Arc<Mutex<Vec<String>>>,
    pub random: Arc<Mutex<u32>>,
}

impl System for NativeSystem {
    fn now_micros(&self) -> u64 {
        self.clock.micros()
    }
    fn random_u32(&self) -> u32 {
        let mut random = self.random.lock().unwrap();
        *random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *random
    }
    fn warn(&self, message: &str) {
        self.warnings.lock().unwrap().push(message.to_owned());
    }
}

fn store_error(error: host::StoreError) -> StoreError {
    let kind = match error.kind {
        host::StoreErrorKind::NotFound => StoreErrorKind::NotFound,
        host::StoreErrorKind::NotAnObject => StoreErrorKind::NotAnObject,
        host::StoreErrorKind::PermissionDenied => StoreErrorKind::PermissionDenied,
        host::StoreErrorKind::Unavailable => StoreErrorKind::Unavailable,
        host::StoreErrorKind::Unsupported => StoreErrorKind::Unsupported,
        host::StoreErrorKind::Invalid => StoreErrorKind::Invalid,
        host::StoreErrorKind::Other => StoreErrorKind::Other,
    };
    StoreError { kind, message: error.message }
}

fn write_error(error: host::WriteError) -> WriteError {
    match error {
        host::WriteError::AlreadyExists => WriteError::AlreadyExists,
        host::WriteError::NotWritten(error) => WriteError::NotWritten(store_error(error)),
        host::WriteError::Unknown(error) => WriteError::Unknown(store_error(error)),
    }
}

fn entry_kind(kind: host::EntryKind) -> EntryKind {
    match kind {
        host::EntryKind::Object => EntryKind::Object,
        host::EntryKind::Folder => EntryKind::Folder,
        host::EntryKind::Unfinished => EntryKind::Unfinished,
        host::EntryKind::Link => EntryKind::Link,
        host::EntryKind::Special => EntryKind::Special,
    }
}
