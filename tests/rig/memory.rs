//! A store in memory at the ports of the log's logic, without a sandbox, a runtime or a host.
//! Clones are one store. It counts its requests.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::rc::Rc;

use stratalog_guest::format::names::LogName;
use stratalog_guest::ports::{
    Chunk, EntryKind, ListPage, ListedObject, ObjectRange, OrderedRead, PendingCreate, ReadFailure,
    Sizes, Store, StoreError, StoreErrorKind, Upload, WriteError,
};

use crate::pages::{PageListing, Pages};

/// The only log of most tests.
pub const LOG: &str = "log";

/// Returns the name of the only log of most tests.
pub fn log() -> LogName {
    LogName::parse(LOG).unwrap()
}

/// The objects of a store, by key.
pub type Objects = BTreeMap<String, Rc<[u8]>>;

/// The requests to a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub creates: u64,
    pub bytes_created: u64,
    pub gets: u64,
    /// One for each 1,000 objects that a list returns, as on S3.
    pub lists: u64,
    pub deletes: u64,
    /// The largest number of objects after any create.
    pub objects_max: usize,
}

/// A store in memory.
#[derive(Clone, Default)]
pub struct Memory {
    objects: Rc<RefCell<Objects>>,
    counts: Rc<Cell<Counts>>,
}

impl Memory {
    /// Makes a store with these objects.
    pub fn of(objects: Objects) -> Self {
        Self { objects: Rc::new(RefCell::new(objects)), ..Self::default() }
    }

    /// Returns all current objects.
    pub fn objects(&self) -> Objects {
        self.objects.borrow().clone()
    }

    /// Returns the requests since the last call.
    pub fn counts(&self) -> Counts {
        self.counts.take()
    }

    fn count(&self, count: impl FnOnce(&mut Counts)) {
        let mut counts = self.counts.get();
        count(&mut counts);
        self.counts.set(counts);
    }

    pub fn range(&self, wanted: &ObjectRange) -> Result<Vec<u8>, StoreError> {
        self.count(|counts| counts.gets += 1);
        let ObjectRange { key, range } = wanted;
        let objects = self.objects.borrow();
        let failed = |kind| StoreError { kind, message: format!("{key}: {kind:?}") };
        let bytes = objects.get(key).ok_or_else(|| failed(StoreErrorKind::NotFound))?;
        let Some(range) = range else { return Ok(bytes.to_vec()) };
        let start = usize::try_from(range.start).unwrap();
        let end = usize::try_from(range.end).unwrap();
        let found = bytes.get(start..end).filter(|found| !found.is_empty());
        found.map(<[u8]>::to_vec).ok_or_else(|| failed(StoreErrorKind::Invalid))
    }

    pub fn delete_one(&self, key: &str) {
        self.count(|counts| counts.deletes += 1);
        self.objects.borrow_mut().remove(key);
    }
}

impl Pages for Memory {
    fn page(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<ListPage, StoreError> {
        let limit = usize::try_from(limit).unwrap();
        let objects = self.objects.borrow();
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let listed = objects.range::<str, _>((from, Bound::Unbounded));
        let mut listed = listed.take_while(|(key, _)| key.starts_with(prefix)).peekable();
        let page = listed.by_ref().take(limit).map(|(key, bytes)| ListedObject {
            key: key.clone(),
            size: u64::try_from(bytes.len()).unwrap(),
            kind: EntryKind::Object,
        });
        let page: Vec<_> = page.collect();
        self.count(|counts| {
            counts.lists += u64::try_from(page.len().div_ceil(1000).max(1)).unwrap()
        });
        Ok(ListPage { objects: page, more: listed.peek().is_some() })
    }
}

impl Store for Memory {
    type Bytes = Vec<u8>;
    type Listing = PageListing<Self>;
    type Create = Created;
    type Read = MemoryRead<Self>;
    type Upload = MemoryUpload<Self>;

    fn create_exclusive(&self, key: &str, bytes: &[u8]) -> Result<(), WriteError> {
        let mut objects = self.objects.borrow_mut();
        self.count(|counts| counts.creates += 1);
        if objects.contains_key(key) {
            return Err(WriteError::AlreadyExists);
        }
        self.count(|counts| counts.bytes_created += u64::try_from(bytes.len()).unwrap());
        objects.insert(key.to_owned(), bytes.into());
        self.count(|counts| counts.objects_max = counts.objects_max.max(objects.len()));
        Ok(())
    }
    fn create(&self, key: &str, bytes: &[u8]) -> Result<(), WriteError> {
        self.create_exclusive(key, bytes)
    }
    fn start_create(&self, key: &str, bytes: &Vec<u8>) -> Created {
        Created(self.create(key, bytes))
    }
    fn ensure_exclusive(&self, _: &str) -> Result<(), StoreError> {
        Ok(())
    }
    fn get(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        self.range(&ObjectRange { key: key.to_owned(), range: None })
    }
    fn list(&self, prefix: &str, after: Option<&str>, sizes: Sizes) -> PageListing<Self> {
        PageListing::new(self.clone(), prefix, after, sizes)
    }
    fn delete(&self, keys: &[String]) -> Vec<(String, StoreError)> {
        keys.iter().for_each(|key| self.delete_one(key));
        Vec::new()
    }
    fn read(&self, ranges: &[ObjectRange]) -> MemoryRead<Self> {
        MemoryRead::new(self.clone(), ranges)
    }
    fn start_upload(&self, key: &str) -> Result<MemoryUpload<Self>, WriteError> {
        Ok(MemoryUpload::new(self.clone(), key))
    }
}

/// A create that was done when it was started.
pub struct Created(pub Result<(), WriteError>);

impl PendingCreate for Created {
    fn poll(&self) -> Option<Result<(), WriteError>> {
        Some(self.0.clone())
    }
    fn wait(&self) -> Result<(), WriteError> {
        self.0.clone()
    }
}

/// Gets sources one after the other, each on request, and in two halves.
pub trait GetRange {
    fn get_range(&self, wanted: &ObjectRange) -> Result<Vec<u8>, StoreError>;

    /// The second half is requested.
    fn get_rest(&self, _: &ObjectRange) -> Result<(), StoreError> {
        Ok(())
    }
}

impl GetRange for Memory {
    fn get_range(&self, wanted: &ObjectRange) -> Result<Vec<u8>, StoreError> {
        self.range(wanted)
    }
}

pub struct MemoryRead<S> {
    store: S,
    ranges: Vec<ObjectRange>,
    next: Cell<usize>,
    /// The rest of the source that was begun.
    rest: RefCell<Option<Vec<u8>>>,
}

impl<S> MemoryRead<S> {
    pub fn new(store: S, ranges: &[ObjectRange]) -> Self {
        let (next, rest) = (Cell::default(), RefCell::default());
        Self { store, ranges: ranges.to_vec(), next, rest }
    }
}

impl<S: GetRange> OrderedRead for MemoryRead<S> {
    type Bytes = Vec<u8>;

    fn next(&self, bytes_max: u32) -> Result<Option<Chunk<Vec<u8>>>, ReadFailure> {
        let Some(wanted) = self.ranges.get(self.next.get()) else { return Ok(None) };
        let number = u32::try_from(self.next.get()).unwrap();
        let failed = |error| ReadFailure { number, error };
        let (mut bytes, half) = match self.rest.take() {
            Some(rest) => {
                self.store.get_rest(wanted).map_err(failed)?;
                let length = rest.len();
                (rest, length)
            }
            None => {
                let bytes = self.store.get_range(wanted).map_err(failed)?;
                let half = bytes.len().div_ceil(2);
                (bytes, half)
            }
        };
        let rest = bytes.split_off(half.min(usize::try_from(bytes_max).unwrap()));
        let last = rest.is_empty();
        if last {
            self.next.set(self.next.get() + 1);
        } else {
            self.rest.replace(Some(rest));
        }
        Ok(Some(Chunk { number, bytes, last }))
    }
}

/// Collects an object's bytes and creates the object at the end.
pub struct MemoryUpload<S> {
    store: S,
    key: String,
    bytes: RefCell<Vec<u8>>,
}

impl<S> MemoryUpload<S> {
    pub fn new(store: S, key: &str) -> Self {
        Self { store, key: key.to_owned(), bytes: RefCell::default() }
    }

    /// Returns the bytes written so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.bytes.borrow().clone()
    }
}

impl<S: Store> Upload for MemoryUpload<S> {
    type Bytes = Vec<u8>;

    fn write(&self, bytes: Vec<u8>) -> Result<(), WriteError> {
        self.bytes.borrow_mut().extend(bytes);
        Ok(())
    }
    fn finish(&self) -> Result<(), WriteError> {
        self.store.create(&self.key, &self.bytes.borrow())
    }
}
