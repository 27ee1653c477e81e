//! The logic's interface to the outside: a store, and the system's clock, randomness and log sink.
//! The shell implements them with the component's imports, tests natively.
//!
//! Mirrors the imports of the WIT, which document each call.

use std::ops::Range;

/// The kind of failure that a store reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreErrorKind {
    NotFound,
    NotAnObject,
    PermissionDenied,
    Unavailable,
    Unsupported,
    Invalid,
    Other,
}

/// A call that the store failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError {
    pub kind: StoreErrorKind,
    pub message: String,
}

/// The fates of a create that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteError {
    AlreadyExists,
    NotWritten(StoreError),
    Unknown(StoreError),
}

/// The kind of entry under a listed key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    Object,
    /// An entry whose key ends with a slash.
    Folder,
    Unfinished,
    Link,
    Special,
}

/// One entry of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedObject {
    pub key: String,
    pub size: u64,
    pub kind: EntryKind,
}

/// The use of the sizes of objects in a listing. Sizes that are not used are not defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sizes {
    Used,
    Unused,
}

/// One page of a listing, sorted by key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPage {
    pub objects: Vec<ListedObject>,
    pub more: bool,
}

/// One object to read, or a byte range of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRange {
    pub key: String,
    pub range: Option<Range<u64>>,
}

/// The digest and the number of line feeds of a range of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The digest that names use.
    pub digest: u64,
    pub line_feeds: u64,
}

/// Bytes outside the logic's memory, which are copied in only when they are read.
pub trait HostBytes: Sized {
    fn new(content: &[u8]) -> Self;
    fn length(&self) -> u64;
    fn slice(&self, range: Range<u64>) -> Self;
    fn append(&mut self, more: Self);
    /// Summarizes consecutive ranges of these lengths, beginning at `start`.
    fn summarize(&self, start: u64, lengths: &[u64]) -> Vec<Summary>;
    /// The end of the first `lines` lines.
    fn line_end(&self, lines: u64) -> u64;
    fn read(&self) -> Vec<u8>;
}

/// The next bytes of an ordered read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk<B> {
    pub number: u32,
    pub bytes: B,
    pub last: bool,
}

/// The failure of an ordered read, and the range that it occurred at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadFailure {
    pub number: u32,
    pub error: StoreError,
}

/// A listing in progress.
pub trait Listing {
    /// Returns the next entries, at most `limit`. After a failure, the next call continues behind
    /// the last page that was returned.
    fn next(&self, limit: u32) -> Result<ListPage, StoreError>;
}

/// A create in flight.
pub trait PendingCreate {
    fn poll(&self) -> Option<Result<(), WriteError>>;
    fn wait(&self) -> Result<(), WriteError>;
}

/// An ordered read in progress.
pub trait OrderedRead {
    type Bytes: HostBytes;

    fn next(&self, bytes_max: u32) -> Result<Option<Chunk<Self::Bytes>>, ReadFailure>;
}

/// An upload in progress. Dropped before `finish`, it leaves no object.
pub trait Upload {
    type Bytes: HostBytes;

    fn write(&self, bytes: Self::Bytes) -> Result<(), WriteError>;
    fn finish(&self) -> Result<(), WriteError>;
}

/// The object store. There is no way to overwrite.
pub trait Store: Clone {
    type Bytes: HostBytes;
    type Listing: Listing;
    type Create: PendingCreate;
    type Read: OrderedRead<Bytes = Self::Bytes>;
    type Upload: Upload<Bytes = Self::Bytes>;

    fn create_exclusive(&self, key: &str, bytes: &[u8]) -> Result<(), WriteError>;
    fn create(&self, key: &str, bytes: &[u8]) -> Result<(), WriteError>;
    fn start_create(&self, key: &str, bytes: &Self::Bytes) -> Self::Create;
    fn ensure_exclusive(&self, prefix: &str) -> Result<(), StoreError>;
    fn get(&self, key: &str) -> Result<Vec<u8>, StoreError>;
    /// Prepares a listing and makes no request.
    fn list(&self, prefix: &str, start_after: Option<&str>, sizes: Sizes) -> Self::Listing;
    fn delete(&self, keys: &[String]) -> Vec<(String, StoreError)>;
    fn read(&self, ranges: &[ObjectRange]) -> Self::Read;
    fn start_upload(&self, key: &str) -> Result<Self::Upload, WriteError>;
}

/// The clock, randomness and log sink.
pub trait System: Clone {
    /// Microseconds since 1970, from a clock that may jump either way.
    fn now_micros(&self) -> u64;
    fn random_u32(&self) -> u32;
    /// Logs a problem that did not fail the call.
    fn warn(&self, message: &str);
}
