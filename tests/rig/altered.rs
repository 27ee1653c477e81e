//! A store in memory of which a test alters some calls or answers. All others pass through.

use stratalog_guest::ports::{ListPage, ObjectRange, Sizes, Store, StoreError, WriteError};

use crate::memory::{Created, GetRange, Memory, MemoryRead, MemoryUpload};
use crate::pages::{PageListing, Pages};

/// Alterations of a store. Each method does nothing by default.
pub trait Alter: Clone {
    /// Acts right before an exclusive create.
    fn before_commit(&self, _: &Memory, _key: &str) {}

    /// Returns true if a create is confirmed and not done.
    fn forgets(&self, _key: &str) -> bool {
        false
    }

    /// Alters a page of a listing.
    fn listed(&self, _prefix: &str, _after: Option<&str>, _: &mut ListPage) {}

    /// Refuses to get an object.
    fn refuses(&self, _key: &str) -> Result<(), StoreError> {
        Ok(())
    }

    /// Alters the bytes of an object, or of a range of it.
    fn got(&self, _key: &str, _: &mut Vec<u8>) {}
}

/// A store in memory with alterations. Clones share the memory.
#[derive(Clone)]
pub struct Altered<A> {
    pub alter: A,
    memory: Memory,
}

impl<A: Alter> Altered<A> {
    pub fn new(memory: &Memory, alter: A) -> Self {
        Self { alter, memory: memory.clone() }
    }

    fn altered(
        &self,
        key: &str,
        get: impl FnOnce() -> Result<Vec<u8>, StoreError>,
    ) -> Result<Vec<u8>, StoreError> {
        self.alter.refuses(key)?;
        let mut bytes = get()?;
        self.alter.got(key, &mut bytes);
        Ok(bytes)
    }
}

impl<A: Alter> GetRange for Altered<A> {
    fn get_range(&self, wanted: &ObjectRange) -> Result<Vec<u8>, StoreError> {
        self.altered(&wanted.key, || self.memory.range(wanted))
    }
}

impl<A: Alter> Pages for Altered<A> {
    fn page(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<ListPage, StoreError> {
        let mut page = self.memory.page(prefix, after, limit)?;
        self.alter.listed(prefix, after, &mut page);
        Ok(page)
    }
}

impl<A: Alter> Store for Altered<A> {
    type Bytes = Vec<u8>;
    type Listing = PageListing<Self>;
    type Create = Created;
    type Read = MemoryRead<Self>;
    type Upload = MemoryUpload<Memory>;

    fn create_exclusive(&self, key: &str, bytes: &[u8]) -> Result<(), WriteError> {
        self.alter.before_commit(&self.memory, key);
        self.memory.create_exclusive(key, bytes)
    }
    fn create(&self, key: &str, bytes: &[u8]) -> Result<(), WriteError> {
        if self.alter.forgets(key) { Ok(()) } else { self.memory.create(key, bytes) }
    }
    fn start_create(&self, key: &str, bytes: &Vec<u8>) -> Created {
        Created(self.create(key, bytes))
    }
    fn ensure_exclusive(&self, prefix: &str) -> Result<(), StoreError> {
        self.memory.ensure_exclusive(prefix)
    }
    fn get(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        self.altered(key, || self.memory.get(key))
    }
    fn list(&self, prefix: &str, after: Option<&str>, sizes: Sizes) -> PageListing<Self> {
        PageListing::new(self.clone(), prefix, after, sizes)
    }
    fn delete(&self, keys: &[String]) -> Vec<(String, StoreError)> {
        self.memory.delete(keys)
    }
    fn read(&self, ranges: &[ObjectRange]) -> MemoryRead<Self> {
        MemoryRead::new(self.clone(), ranges)
    }
    fn start_upload(&self, key: &str) -> Result<MemoryUpload<Memory>, WriteError> {
        self.memory.start_upload(key)
    }
}
