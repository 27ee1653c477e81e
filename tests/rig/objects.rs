//! The calls of an object store as tests make them: one interface for the store layer of the host
//! and for the components of `adapters`, so that one suite checks both.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use stratalog::store::{
    self as host, Chunk, DeleteFailure, ListPage, ObjectRange, OrderedReadError, Store, StoreError,
    WriteError,
};
use tokio::runtime::Runtime;

/// The outcome of a write.
pub type Outcome = Result<(), WriteError>;

/// A store. Each call waits for its end.
pub trait Objects: Send + Sync {
    fn create(&self, key: &str, bytes: Bytes, exclusive: bool) -> Outcome;
    /// Starts a create, and does not wait for it.
    fn start_create(&self, key: &str, bytes: Bytes, exclusive: bool) -> Box<dyn PendingCreate>;
    fn ensure_exclusive(&self, prefix: &str) -> Result<(), StoreError>;
    fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Bytes, StoreError>;
    fn listing(&self, prefix: &str, start_after: Option<&str>) -> Box<dyn Listing>;
    fn delete(&self, keys: &[&str]) -> Vec<DeleteFailure>;
    fn read(&self, ranges: Vec<ObjectRange>) -> Box<dyn OrderedRead>;
    fn start_upload(&self, key: &str) -> Result<Box<dyn Upload>, WriteError>;
    /// Returns another handle of the same store: calls of the two do not wait for each other.
    fn another(&self) -> Box<dyn Objects>;

    /// Returns the first page of a listing.
    fn list(&self, prefix: &str, start_after: Option<&str>, limit: u32) -> Page {
        self.listing(prefix, start_after).next(limit)
    }
}

/// A page of a listing, or its failure.
pub type Page = Result<ListPage, StoreError>;

/// A create in flight.
pub trait PendingCreate {
    fn poll(&mut self) -> Option<Outcome>;
    fn wait(&mut self) -> Outcome;
}

/// A listing.
pub trait Listing {
    fn next(&mut self, limit: u32) -> Page;
}

/// An ordered read.
pub trait OrderedRead {
    fn next(&mut self, bytes_max: u32) -> Option<Result<Chunk, OrderedReadError>>;
}

/// An upload. Dropped before its end, it leaves no object.
pub trait Upload {
    fn write(&mut self, bytes: Bytes) -> Outcome;
    fn finish(self: Box<Self>) -> Outcome;
}

/// The store layer of the host, called from outside its runtime.
#[derive(Clone)]
pub struct HostObjects {
    pub store: Store,
    pub runtime: Arc<Runtime>,
}

/// A part of the host in use: it waits in the runtime.
struct Running<T>(T, Arc<Runtime>);

impl HostObjects {
    pub fn new(store: Store) -> Self {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
        Self { store, runtime: Arc::new(runtime) }
    }

    fn running<T>(&self, value: T) -> Box<Running<T>> {
        Box::new(Running(value, self.runtime.clone()))
    }
}

impl Objects for HostObjects {
    fn create(&self, key: &str, bytes: Bytes, exclusive: bool) -> Outcome {
        self.runtime.block_on(self.store.create(key, bytes, exclusive))
    }
    fn start_create(&self, key: &str, bytes: Bytes, exclusive: bool) -> Box<dyn PendingCreate> {
        let _inside = self.runtime.enter();
        self.running(self.store.start_create(key, bytes, exclusive))
    }
    fn ensure_exclusive(&self, prefix: &str) -> Result<(), StoreError> {
        self.runtime.block_on(self.store.ensure_exclusive(prefix))
    }
    fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Bytes, StoreError> {
        self.runtime.block_on(self.store.get(key, range))
    }
    fn listing(&self, prefix: &str, start_after: Option<&str>) -> Box<dyn Listing> {
        self.running(self.store.listing(prefix, start_after, true))
    }
    fn delete(&self, keys: &[&str]) -> Vec<DeleteFailure> {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        self.runtime.block_on(self.store.delete(keys))
    }
    fn read(&self, ranges: Vec<ObjectRange>) -> Box<dyn OrderedRead> {
        self.running(self.store.read_ordered(ranges))
    }
    fn start_upload(&self, key: &str) -> Result<Box<dyn Upload>, WriteError> {
        let upload = self.runtime.block_on(self.store.start_upload(key))?;
        Ok(self.running(upload))
    }
    fn another(&self) -> Box<dyn Objects> {
        Box::new(self.clone())
    }
}

impl PendingCreate for Running<host::PendingCreate> {
    fn poll(&mut self) -> Option<Outcome> {
        self.0.poll()
    }
    fn wait(&mut self) -> Outcome {
        self.1.block_on(self.0.wait())
    }
}

impl Listing for Running<host::Listing> {
    fn next(&mut self, limit: u32) -> Page {
        self.1.block_on(self.0.next(to_usize(limit)))
    }
}

impl OrderedRead for Running<host::OrderedRead> {
    fn next(&mut self, bytes_max: u32) -> Option<Result<Chunk, OrderedReadError>> {
        self.1.block_on(self.0.next(to_usize(bytes_max)))
    }
}

impl Upload for Running<host::Upload> {
    fn write(&mut self, bytes: Bytes) -> Outcome {
        self.1.block_on(self.0.write(bytes))
    }
    fn finish(self: Box<Self>) -> Outcome {
        let Running(upload, runtime) = *self;
        runtime.block_on(upload.finish())
    }
}

fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap()
}
