//! The interface that an adapter implements: `object-store` of the WIT in the types of Rust.
//!
//! Keys and prefixes that an adapter gets are not checked yet: it calls
//! [`stratalog_store_rules::key`].

use std::ops::Range;
use std::rc::Rc;

use bytes::Bytes;
use stratalog_store_rules::error::{
    DeleteFailure, OrderedReadError, Outcome, StoreError, WriteError,
};
use stratalog_store_rules::objects::{Chunk, ListPage, ObjectRange};

/// A store: see the interface `object-store` of the WIT for the meaning of each call.
pub trait Store: Sized + 'static {
    /// A create in flight.
    type Create: PendingCreate;
    /// A listing.
    type Listing: Listing;
    /// An ordered read.
    type Read: OrderedRead;
    /// An upload. Dropping it before its end discards it.
    type Upload: Upload;

    /// Returns the one store of this instance. The first call opens it.
    fn shared() -> Rc<Self>;

    /// Creates an object of these pieces and waits until it is durable.
    ///
    /// # Errors
    /// The fate of the object.
    fn create(&self, key: &str, pieces: &[Bytes], exclusive: bool) -> Outcome;

    /// Starts a [`Store::create`] and returns immediately.
    fn start_create(
        self: Rc<Self>,
        key: String,
        pieces: Vec<Bytes>,
        exclusive: bool,
    ) -> Self::Create;

    /// Checks that exclusive creates of keys that begin with `prefix` are honoured.
    ///
    /// # Errors
    /// Kind `unsupported` if they are not.
    fn ensure_exclusive(&self, prefix: &str) -> Result<(), StoreError>;

    /// Reads an object, or a range of one.
    ///
    /// # Errors
    /// Kind `invalid` also for more than [`stratalog_store_rules::limits::GET_BYTES_MAX`] bytes.
    fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Vec<u8>, StoreError>;

    /// Prepares a listing.
    fn list(
        self: Rc<Self>,
        prefix: String,
        start_after: Option<String>,
        with_sizes: bool,
    ) -> Self::Listing;

    /// Deletes objects, and returns those that may still exist. A missing one counts as deleted.
    fn delete(&self, keys: Vec<String>) -> Vec<DeleteFailure>;

    /// Starts to read ranges, one after the other.
    fn read(self: Rc<Self>, ranges: Vec<ObjectRange>) -> Self::Read;

    /// Starts an upload.
    ///
    /// # Errors
    /// The fate of the object, which is not written.
    fn start_upload(self: Rc<Self>, key: String) -> Result<Self::Upload, WriteError>;
}

/// A create in flight.
pub trait PendingCreate: 'static {
    /// Returns the outcome, or none while the create is in flight; never blocks.
    fn poll(&mut self) -> Option<Outcome>;

    /// Waits for the outcome. Each call returns the same.
    fn wait(&mut self) -> Outcome;
}

/// A create that has ended when it started.
pub struct Ended(pub Outcome);

impl PendingCreate for Ended {
    fn poll(&mut self) -> Option<Outcome> {
        Some(self.0.clone())
    }

    fn wait(&mut self) -> Outcome {
        self.0.clone()
    }
}

/// A listing.
pub trait Listing: 'static {
    /// Returns the next entries, at most `limit`. Is not called again after the last page.
    ///
    /// # Errors
    /// The next call returns the same page.
    fn next(&mut self, limit: usize) -> Result<ListPage, StoreError>;
}

/// A read of many objects in order.
pub trait OrderedRead: 'static {
    /// Returns the next bytes, at most `bytes_max`, or none after the last range. Is not called
    /// again after none or a failure.
    ///
    /// # Errors
    /// The range that failed.
    fn next(&mut self, bytes_max: usize) -> Result<Option<Chunk>, OrderedReadError>;
}

/// An upload.
pub trait Upload: 'static {
    /// Adds bytes at the end. Is not called again after a failure.
    ///
    /// # Errors
    /// The fate of the object, which is not written.
    fn write(&mut self, bytes: Bytes) -> Outcome;

    /// Completes the object and waits until it is durable.
    ///
    /// # Errors
    /// The fate of the object.
    fn finish(self) -> Outcome;
}
