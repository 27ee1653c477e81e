//! The entries and pages of listings.
//!
//! Owns: their types. Must not know: the meaning of the keys.

/// The most objects of one listing page: about 2 MiB of keys and sizes.
pub const LIST_LIMIT_MAX: usize = 10_000;

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

/// Classifies the entry under a listed key. Object stores have objects and folders only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryKind {
    /// An object, which can be read.
    Object,
    /// A folder, or the common start of keys that continue after a slash.
    Folder,
    /// An unfinished file: of a write in progress, or left by a write that was killed.
    Unfinished,
    /// A symbolic link in a local folder. It is never followed.
    Link,
    /// A named pipe, a socket or a device in a local folder.
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
