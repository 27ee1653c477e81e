//! An object store in memory, whose calls fail when a test wants it.
//!
//! 1. A create stores the whole object or nothing, and overwrites nothing.
//! 2. A fault hits the next calls of its kind, in order, and then no more.

use std::cell::{RefCell, RefMut};
use std::collections::BTreeMap;
use std::rc::Rc;

use stratalog_guest::ports::{
    ObjectRange, PendingCreate, Sizes, Store, StoreError, StoreErrorKind, Upload, WriteError,
};

use super::memory_reads::{MemoryListing, MemoryRead};

/// The store of a world. Clones are one store.
#[derive(Clone, Default)]
pub(super) struct MemoryStore {
    state: Rc<RefCell<State>>,
    /// True for the test's own reads, which no fault hits.
    is_of_test: bool,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Vec<u8>>,
    /// Creates that land later.
    late: Vec<(String, Vec<u8>)>,
    faults: Faults,
}

/// The faults that are still to come.
#[derive(Default)]
pub(super) struct Faults {
    pub(super) creates_to_fail: u32,
    pub(super) replies_to_lose: u32,
    pub(super) creates_to_delay: u32,
    pub(super) reads_to_fail: u32,
    pub(super) deletes_to_fail: u32,
}

impl MemoryStore {
    /// Returns the same store, for the test's own reads.
    pub(super) fn of_test(&self) -> Self {
        Self { is_of_test: true, ..self.clone() }
    }

    pub(super) fn faults(&self) -> RefMut<'_, Faults> {
        RefMut::map(self.state.borrow_mut(), |state| &mut state.faults)
    }

    /// Lets the delayed creates land that nothing has overtaken. Returns their number.
    pub(super) fn deliver(&self) -> usize {
        let State { objects, late, .. } = &mut *self.state.borrow_mut();
        let before = objects.len();
        for (key, content) in late.drain(..) {
            objects.entry(key).or_insert(content);
        }
        objects.len() - before
    }

    /// Changes one byte of the object that is last among those whose keys have a prefix. Returns
    /// its key.
    pub(super) fn damage_last(&self, prefix: &str) -> Option<String> {
        let mut state = self.state.borrow_mut();
        let below = state.objects.range_mut(prefix.to_owned()..);
        let (key, content) = below.take_while(|(key, _)| key.starts_with(prefix)).last()?;
        *content.first_mut()? ^= 1;
        Some(key.clone())
    }

    /// Creates an object, unless a fault is next.
    fn put(&self, key: &str, content: Vec<u8>) -> Result<(), WriteError> {
        let State { objects, late, faults } = &mut *self.state.borrow_mut();
        if take(&mut faults.creates_to_fail) {
            return Err(WriteError::NotWritten(unavailable("write", key, "the write failed")));
        }
        if take(&mut faults.creates_to_delay) {
            late.push((key.to_owned(), content));
            let error = unavailable("write", key, "no reply within the time limit");
            return Err(WriteError::Unknown(error));
        }
        if objects.contains_key(key) {
            return Err(WriteError::AlreadyExists);
        }
        objects.insert(key.to_owned(), content);
        if take(&mut faults.replies_to_lose) {
            return Err(WriteError::Unknown(unavailable("write", key, "the reply was lost")));
        }
        Ok(())
    }

    /// Returns an object, or a range of it.
    pub(super) fn range(&self, wanted: &ObjectRange) -> Result<Vec<u8>, StoreError> {
        let ObjectRange { key, range } = wanted;
        self.begin_read("read", key)?;
        let state = self.state.borrow();
        let failed = |kind, reason: &str| {
            let message = format!("cannot read {key:?}: {reason}");
            StoreError { kind, message }
        };
        let content = state.objects.get(key);
        let content =
            content.ok_or_else(|| failed(StoreErrorKind::NotFound, "there is no such object"))?;
        let Some(range) = range else { return Ok(content.clone()) };
        let start = usize::try_from(range.start).unwrap_or(usize::MAX);
        let end = usize::try_from(range.end).unwrap_or(usize::MAX);
        let found = content.get(start..end).filter(|found| !found.is_empty());
        found.map(<[u8]>::to_vec).ok_or_else(|| {
            let bytes = content.len();
            let reason = format!("the range {start}..{end} is not within its {bytes} bytes");
            failed(StoreErrorKind::Invalid, &reason)
        })
    }

    /// Begins a listing, and returns the keys and sizes of all objects with a prefix.
    pub(super) fn entries(&self, prefix: &str) -> Result<Vec<(String, u64)>, StoreError> {
        self.begin_read("list", prefix)?;
        let state = self.state.borrow();
        let below = state.objects.range(prefix.to_owned()..);
        let below = below.take_while(|(key, _)| key.starts_with(prefix));
        let sized = |(key, content): (&String, &Vec<u8>)| {
            (key.clone(), u64::try_from(content.len()).unwrap_or(u64::MAX))
        };
        Ok(below.map(sized).collect())
    }

    fn begin_read(&self, action: &str, key: &str) -> Result<(), StoreError> {
        if !self.is_of_test && take(&mut self.faults().reads_to_fail) {
            return Err(unavailable(action, key, "the read failed"));
        }
        Ok(())
    }
}

impl Store for MemoryStore {
    type Bytes = Vec<u8>;
    type Listing = MemoryListing;
    type Create = Created;
    type Read = MemoryRead;
    type Upload = MemoryUpload;

    fn create_exclusive(&self, key: &str, bytes: &[u8]) -> Result<(), WriteError> {
        self.put(key, bytes.to_vec())
    }

    fn create(&self, key: &str, bytes: &[u8]) -> Result<(), WriteError> {
        self.put(key, bytes.to_vec())
    }

    fn start_create(&self, key: &str, bytes: &Vec<u8>) -> Created {
        Created(self.put(key, bytes.clone()))
    }

    fn ensure_exclusive(&self, _: &str) -> Result<(), StoreError> {
        Ok(())
    }

    fn get(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        self.range(&ObjectRange { key: key.to_owned(), range: None })
    }

    fn list(&self, prefix: &str, start_after: Option<&str>, _: Sizes) -> MemoryListing {
        MemoryListing::new(self.clone(), prefix, start_after)
    }

    fn delete(&self, keys: &[String]) -> Vec<(String, StoreError)> {
        let State { objects, faults, .. } = &mut *self.state.borrow_mut();
        if take(&mut faults.deletes_to_fail) {
            let failed =
                |key: &String| (key.clone(), unavailable("delete", key, "the delete failed"));
            return keys.iter().map(failed).collect();
        }
        for key in keys {
            objects.remove(key);
        }
        Vec::new()
    }

    fn read(&self, ranges: &[ObjectRange]) -> MemoryRead {
        MemoryRead::new(self.clone(), ranges)
    }

    fn start_upload(&self, key: &str) -> Result<MemoryUpload, WriteError> {
        Ok(MemoryUpload { store: self.clone(), key: key.to_owned(), content: RefCell::default() })
    }
}

/// A create that was done when it was started.
pub(super) struct Created(Result<(), WriteError>);

impl PendingCreate for Created {
    fn poll(&self) -> Option<Result<(), WriteError>> {
        Some(self.0.clone())
    }

    fn wait(&self) -> Result<(), WriteError> {
        self.0.clone()
    }
}

/// An object in parts, which appears when it is finished.
pub(super) struct MemoryUpload {
    store: MemoryStore,
    key: String,
    content: RefCell<Vec<u8>>,
}

impl Upload for MemoryUpload {
    type Bytes = Vec<u8>;

    fn write(&self, bytes: Vec<u8>) -> Result<(), WriteError> {
        self.content.borrow_mut().extend(bytes);
        Ok(())
    }

    fn finish(&self) -> Result<(), WriteError> {
        self.store.put(&self.key, self.content.take())
    }
}

/// Takes one of the faults of a kind, if any is left.
fn take(faults: &mut u32) -> bool {
    let left = faults.checked_sub(1);
    *faults = left.unwrap_or_default();
    left.is_some()
}

fn unavailable(action: &str, key: &str, reason: &str) -> StoreError {
    let message = format!("cannot {action} {key:?}: {reason}, as the test wants");
    StoreError { kind: StoreErrorKind::Unavailable, message }
}
