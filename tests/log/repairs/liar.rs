//! A store in memory that gives some false answers.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use rig::memory::{Created, GetPart, Memory, MemoryRead, MemoryUpload};
use stratalog_guest::ports::{
    EntryKind, ListPage, ListedObject, ObjectRange, Store, StoreError, StoreErrorKind, WriteError,
};

/// The listing of an object. None: it is not listed.
pub type Shows = Rc<dyn Fn(ListedObject) -> Option<ListedObject>>;

/// The bytes of an object as a read returns them.
type Gives = Rc<dyn Fn(&mut Vec<u8>)>;

/// A store that lists as `shows` says, for a number of listings, and does not find some objects.
#[derive(Clone)]
pub struct Liar {
    memory: Memory,
    shows: Shows,
    lies: Rc<Cell<u64>>,
    missing: Rc<dyn Fn(&str) -> bool>,
    intruders: Rc<dyn Fn(&str) -> bool>,
    /// The answers for objects with this name prefix, for the first N reads of each.
    wrong: Option<(&'static str, u64, Gives)>,
    reads: Rc<RefCell<BTreeMap<String, u64>>>,
}

impl Liar {
    pub fn listing(
        memory: &Memory,
        lies: u64,
        shows: impl Fn(ListedObject) -> Option<ListedObject> + 'static,
    ) -> Self {
        let honest = Rc::new(|_: &str| false);
        Self {
            memory: memory.clone(),
            shows: Rc::new(shows),
            lies: Rc::new(Cell::new(lies)),
            missing: honest.clone(),
            intruders: honest,
            wrong: None,
            reads: Rc::default(),
        }
    }

    /// Lists objects that are not found.
    pub fn missing(memory: &Memory, missing: impl Fn(&str) -> bool + 'static) -> Self {
        Self { missing: Rc::new(missing), ..Self::listing(memory, 0, Some) }
    }

    /// Gives something else for the first reads of each object whose name begins so.
    pub fn wrong(
        memory: &Memory,
        prefix: &'static str,
        reads: u64,
        gives: impl Fn(&mut Vec<u8>) + 'static,
    ) -> Self {
        Self { wrong: Some((prefix, reads, Rc::new(gives))), ..Self::listing(memory, 0, Some) }
    }

    fn given(&self, key: &str, mut bytes: Vec<u8>) -> Vec<u8> {
        let Some((prefix, wrong, gives)) = &self.wrong else { return bytes };
        if key["log/".len()..].starts_with(prefix) {
            let mut reads = self.reads.borrow_mut();
            let reads = reads.entry(key.to_owned()).or_default();
            *reads += 1;
            if *reads <= *wrong {
                gives(&mut bytes);
            }
        }
        bytes
    }

    /// Has links in the place of objects.
    pub fn intruders(memory: &Memory, is_link: impl Fn(&str) -> bool + Clone + 'static) -> Self {
        let intruders = Rc::new(is_link.clone());
        let shows = move |entry: ListedObject| {
            let kind = if is_link(&entry.key) { EntryKind::Link } else { entry.kind };
            Some(ListedObject { kind, ..entry })
        };
        Self { intruders, ..Self::listing(memory, u64::MAX, shows) }
    }

    fn check(&self, key: &str) -> Result<(), StoreError> {
        let kind = match ((self.missing)(key), (self.intruders)(key)) {
            (false, false) => return Ok(()),
            (true, _) => StoreErrorKind::NotFound,
            (false, true) => StoreErrorKind::NotAnObject,
        };
        Err(StoreError { kind, message: format!("{key}: {kind:?}") })
    }
}

impl GetPart for Liar {
    fn get_range(&self, wanted: &ObjectRange) -> Result<Vec<u8>, StoreError> {
        self.check(&wanted.key)?;
        self.memory.range(wanted).map(|bytes| self.given(&wanted.key, bytes))
    }
}

impl Store for Liar {
    type Bytes = Vec<u8>;
    type Create = Created;
    type Read = MemoryRead<Self>;
    type Upload = MemoryUpload<Memory>;

    fn create_exclusive(&self, key: &str, bytes: &[u8]) -> Result<(), WriteError> {
        self.memory.create_exclusive(key, bytes)
    }
    fn create(&self, key: &str, bytes: &[u8]) -> Result<(), WriteError> {
        self.memory.create(key, bytes)
    }
    fn start_create(&self, key: &str, bytes: &Vec<u8>) -> Created {
        self.memory.start_create(key, bytes)
    }
    fn ensure_exclusive(&self, prefix: &str) -> Result<(), StoreError> {
        self.memory.ensure_exclusive(prefix)
    }
    fn get(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        self.check(key)?;
        self.memory.get(key).map(|bytes| self.given(key, bytes))
    }
    fn list(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<ListPage, StoreError> {
        let mut page = self.memory.list(prefix, after, limit)?;
        if let Some(left) = self.lies.get().checked_sub(1) {
            self.lies.set(left);
            page.objects = page.objects.into_iter().filter_map(|o| (self.shows)(o)).collect();
        }
        Ok(page)
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
