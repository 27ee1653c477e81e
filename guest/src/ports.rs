//! What the log's logic needs from outside: a store, and the system's clock, randomness and log
//! sink. The shell implements them with the component's imports, tests with whatever they like.
//!
//! Mirrors the imports of the WIT; see there for what each call promises.

use std::ops::Range;

/// What kind of failure a store reports.
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

/// A call the store did not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError {
    pub kind: StoreErrorKind,
    pub message: String,
}

/// The fates of a create that did not succeed outright.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteError {
    AlreadyExists,
    NotWritten(StoreError),
    Unknown(StoreError),
}

/// What stands under a listed key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    Object,
    /// Its key ends with a slash.
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

/// A part of a listing, sorted by key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPage {
    pub objects: Vec<ListedObject>,
    pub more: bool,
}

/// One object, or a range of it in bytes, to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadPart {
    pub key: String,
    pub range: Option<Range<u64>>,
}

/// What is known of a stretch of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The digest that names use.
    pub digest: u64,
    pub line_feeds: u64,
}

/// Bytes that are held outside for the logic: they come in only when they are read.
pub trait HostBytes: Sized {
    fn new(content: &[u8]) -> Self;
    fn length(&self) -> u64;
    fn slice(&self, range: Range<u64>) -> Self;
    fn append(&mut self, more: Self);
    /// Measures stretches of these lengths, one after the other, from `start` on.
    fn summarize(&self, start: u64, lengths: &[u64]) -> Vec<Summary>;
    /// The end of the first so many lines.
    fn line_end(&self, lines: u64) -> u64;
    fn read(&self) -> Vec<u8>;
}

/// The next bytes of an ordered read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk<B> {
    pub part: u32,
    pub bytes: B,
    pub last: bool,
}

/// An ordered read failed at a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadFailure {
    pub part: u32,
    pub error: StoreError,
}

/// A create under way.
pub trait PendingCreate {
    fn poll(&self) -> Option<Result<(), WriteError>>;
    fn wait(&self) -> Result<(), WriteError>;
}

/// An ordered read under way.
pub trait OrderedRead {
    type Bytes: HostBytes;

    fn next(&self, bytes_max: u32) -> Result<Option<Chunk<Self::Bytes>>, ReadFailure>;
}

/// An upload under way; dropped before `finish`, it leaves nothing.
pub trait Upload {
    type Bytes: HostBytes;

    fn write(&self, bytes: Self::Bytes) -> Result<(), WriteError>;
    fn finish(&self) -> Result<(), WriteError>;
}

/// The object store. There is no way to overwrite.
pub trait Store: Clone {
    type Bytes: HostBytes;
    type Create: PendingCreate;
    type Read: OrderedRead<Bytes = Self::Bytes>;
    type Upload: Upload<Bytes = Self::Bytes>;

    fn create_exclusive(&self, key: &str, bytes: &[u8]) -> Result<(), WriteError>;
    fn create(&self, key: &str, bytes: &[u8]) -> Result<(), WriteError>;
    fn start_create(&self, key: &str, bytes: &Self::Bytes) -> Self::Create;
    fn ensure_exclusive(&self, prefix: &str) -> Result<(), StoreError>;
    fn get(&self, key: &str) -> Result<Vec<u8>, StoreError>;
    fn list(
        &self,
        prefix: &str,
        start_after: Option<&str>,
        limit: u32,
    ) -> Result<ListPage, StoreError>;
    fn delete(&self, keys: &[String]) -> Vec<(String, StoreError)>;
    fn read(&self, parts: &[ReadPart]) -> Self::Read;
    fn start_upload(&self, key: &str) -> Result<Self::Upload, WriteError>;
}

/// The rest of the world.
pub trait System: Clone {
    /// Microseconds since 1970, from a clock that may jump either way.
    fn now_micros(&self) -> u64;
    fn random_u32(&self) -> u32;
    /// Tells people about something that went on all the same.
    fn warn(&self, message: &str);
}
