//! Objects and their entries, as listings and ordered reads return them.
//!
//! Owns: their types. Must not know: the meaning of the keys.

use std::ops::Range;

use bytes::Bytes;

/// One entry of a listing: an object, or an entry of another kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedObject {
    /// The entry's key, from the store's root. A folder's key ends with a slash.
    pub key: String,
    /// Its size in bytes; 0 for an entry that is neither an object nor unfinished. In a listing
    /// without sizes, that of an object is not defined.
    pub size: u64,
    /// The kind of the entry.
    pub kind: EntryKind,
}

/// Classifies the entry under a listed key. Object stores have objects and folders only. The kinds
/// are those of the WIT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// An object, which can be read.
    Object,
    /// A folder, or the common start of keys that continue after a slash.
    Folder,
    /// An unfinished file: of a write in progress, or left by a write that was killed.
    Unfinished,
    /// A symbolic link in a folder. It is never followed.
    Link,
    /// A named pipe, a socket or a device in a folder.
    Special,
}

/// A page of a listing, sorted by key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListPage {
    /// The entries, of every kind.
    pub objects: Vec<ListedObject>,
    /// True if there may be more: the next page has them.
    pub more: bool,
}

/// One object, or a range of one, of an ordered read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRange {
    /// The object's key.
    pub key: String,
    /// The bytes to read, not empty and within the object; all if none.
    pub range: Option<Range<u64>>,
}

/// Bytes of one range of an ordered read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The number of the range of these bytes, from 0.
    pub number: usize,
    /// The bytes, empty only for an empty object.
    pub bytes: Bytes,
    /// True if these are the last bytes of the range.
    pub last: bool,
}
