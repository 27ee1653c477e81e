//! Listings and ordered reads of the store in memory.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use stratalog_guest::ports::{
    Chunk, EntryKind, ListPage, ListedObject, Listing, ObjectRange, OrderedRead, ReadFailure,
    StoreError,
};

use super::memory_store::MemoryStore;

/// The most entries of a page.
const ENTRIES_MAX: u32 = 1000;

/// The entries of a folder. One scan serves all pages.
pub(super) struct MemoryListing {
    store: MemoryStore,
    prefix: String,
    start_after: String,
    rest: RefCell<Option<VecDeque<ListedObject>>>,
}

impl MemoryListing {
    pub(super) fn new(store: MemoryStore, prefix: &str, start_after: Option<&str>) -> Self {
        let (prefix, start_after) = (prefix.to_owned(), start_after.unwrap_or_default().to_owned());
        Self { store, prefix, start_after, rest: RefCell::default() }
    }

    /// Returns all entries: the objects of the folder, and each folder in it once.
    fn scan(&self) -> Result<VecDeque<ListedObject>, StoreError> {
        let prefix = &self.prefix;
        let mut found: VecDeque<ListedObject> = VecDeque::new();
        for (key, size) in self.store.entries(prefix)? {
            let name = key.get(prefix.len()..).unwrap_or_default();
            let entry = match name.split_once('/') {
                Some((folder, _)) => {
                    let key = format!("{prefix}{folder}/");
                    ListedObject { key, size: 0, kind: EntryKind::Folder }
                }
                None => ListedObject { key, size, kind: EntryKind::Object },
            };
            if entry.key > self.start_after && found.back() != Some(&entry) {
                found.push_back(entry);
            }
        }
        Ok(found)
    }
}

impl Listing for MemoryListing {
    fn next(&self, limit: u32) -> Result<ListPage, StoreError> {
        let mut rest = self.rest.borrow_mut();
        let rest = match &mut *rest {
            Some(rest) => rest,
            unread => unread.insert(self.scan()?),
        };
        let limit = usize::try_from(limit.clamp(1, ENTRIES_MAX)).unwrap_or(usize::MAX);
        let objects = rest.drain(..limit.min(rest.len())).collect();
        Ok(ListPage { objects, more: !rest.is_empty() })
    }
}

/// Objects, or ranges of them, that are read in order.
pub(super) struct MemoryRead {
    store: MemoryStore,
    ranges: Vec<ObjectRange>,
    next: Cell<usize>,
    /// The rest of the range that was begun.
    rest: RefCell<Option<Vec<u8>>>,
}

impl MemoryRead {
    pub(super) fn new(store: MemoryStore, ranges: &[ObjectRange]) -> Self {
        let (next, rest) = (Cell::default(), RefCell::default());
        Self { store, ranges: ranges.to_vec(), next, rest }
    }
}

impl OrderedRead for MemoryRead {
    type Bytes = Vec<u8>;

    fn next(&self, bytes_max: u32) -> Result<Option<Chunk<Vec<u8>>>, ReadFailure> {
        let Some(wanted) = self.ranges.get(self.next.get()) else { return Ok(None) };
        let number = u32::try_from(self.next.get()).unwrap_or(u32::MAX);
        let begun = self.rest.take().map_or_else(|| self.store.range(wanted), Ok);
        let mut bytes = begun.map_err(|error| {
            // A read ends with its first failure.
            self.next.set(self.ranges.len());
            ReadFailure { number, error }
        })?;
        let limit = usize::try_from(bytes_max.max(1)).unwrap_or(usize::MAX);
        let rest = bytes.split_off(limit.min(bytes.len()));
        let last = rest.is_empty();
        if last {
            self.next.set(self.next.get() + 1);
        } else {
            self.rest.replace(Some(rest));
        }
        Ok(Some(Chunk { number, bytes, last }))
    }
}
