//! A store in memory whose listings omit existing objects.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;

use rig::memory::{Created, Memory, MemoryRead, MemoryUpload};
use stratalog_guest::ports::{ListPage, ListedObject, ObjectRange, Store, StoreError, WriteError};

/// Returns true if a key is left out of a listing.
pub type Hides = fn(&str) -> bool;

/// A store whose listings leave out some keys, from one listing on and for N of them.
#[derive(Clone)]
pub struct Liar {
    memory: Memory,
    hides: Hides,
    /// The number of honest listings, and of the false ones after them.
    honest: Rc<Cell<u64>>,
    pub lies: Rc<Cell<u64>>,
    /// An object that is always listed.
    shown: Option<ListedObject>,
    /// Keys that are never listed.
    hidden: Rc<BTreeSet<String>>,
    /// A part of the names of objects that are confirmed and not kept.
    forgets: Option<&'static str>,
}

impl Liar {
    pub fn new(memory: &Memory, hides: Hides, honest: u64, lies: u64) -> Self {
        let (honest, lies) = (Rc::new(Cell::new(honest)), Rc::new(Cell::new(lies)));
        Self {
            memory: memory.clone(),
            hides,
            honest,
            lies,
            shown: None,
            hidden: Rc::default(),
            forgets: None,
        }
    }

    /// Makes a store that never lists the present objects in `hides`, but all new ones.
    pub fn frozen(memory: &Memory, hides: Hides) -> Self {
        let hidden = memory.objects().into_keys().filter(|key| hides(key));
        let hidden = Rc::new(hidden.collect());
        Self { hidden, ..Self::new(memory, |_| false, 0, 0) }
    }

    /// Makes a store that always lists an object, even if it is not there.
    pub fn showing(memory: &Memory, key: &str) -> Self {
        let page = memory.list(key, None, 1).unwrap();
        let shown = page.objects.first().cloned();
        Self { shown, ..Self::new(memory, |_| false, 0, 0) }
    }

    /// Makes a store that confirms some objects, and does not keep them.
    pub fn forgetting(memory: &Memory, forgets: &'static str) -> Self {
        Self { forgets: Some(forgets), ..Self::new(memory, |_| false, 0, 0) }
    }

    fn forgets(&self, key: &str) -> bool {
        self.forgets.is_some_and(|part| key.contains(part))
    }

    fn lies_now(&self) -> bool {
        if self.honest.get() > 0 {
            self.honest.set(self.honest.get() - 1);
            return false;
        }
        let lies = self.lies.get();
        self.lies.set(lies.saturating_sub(1));
        lies > 0
    }
}

impl Store for Liar {
    type Bytes = Vec<u8>;
    type Create = Created;
    type Read = MemoryRead<Memory>;
    type Upload = MemoryUpload<Memory>;

    fn create_exclusive(&self, key: &str, bytes: &[u8]) -> Result<(), WriteError> {
        self.memory.create_exclusive(key, bytes)
    }
    fn create(&self, key: &str, bytes: &[u8]) -> Result<(), WriteError> {
        if self.forgets(key) { Ok(()) } else { self.memory.create(key, bytes) }
    }
    fn start_create(&self, key: &str, bytes: &Vec<u8>) -> Created {
        self.memory.start_create(key, bytes)
    }
    fn ensure_exclusive(&self, prefix: &str) -> Result<(), StoreError> {
        self.memory.ensure_exclusive(prefix)
    }
    fn get(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        self.memory.get(key)
    }
    fn list(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<ListPage, StoreError> {
        let mut page = self.memory.list(prefix, after, limit)?;
        if self.lies_now() {
            page.objects.retain(|object| !(self.hides)(&object.key));
        }
        page.objects.retain(|object| !self.hidden.contains(&object.key));
        let missing = self.shown.iter().filter(|shown| {
            shown.key.starts_with(prefix) && after.is_none_or(|after| *shown.key > *after)
        });
        page.objects.extend(missing.cloned());
        page.objects.sort_by(|one, other| one.key.cmp(&other.key));
        page.objects.dedup();
        Ok(page)
    }
    fn delete(&self, keys: &[String]) -> Vec<(String, StoreError)> {
        self.memory.delete(keys)
    }
    fn read(&self, ranges: &[ObjectRange]) -> MemoryRead<Memory> {
        self.memory.read(ranges)
    }
    fn start_upload(&self, key: &str) -> Result<MemoryUpload<Memory>, WriteError> {
        self.memory.start_upload(key)
    }
}
