//! A store in memory whose creates of batches end as a test says, and a system with a set clock.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use crate::format::numbers::{to_u64, to_usize};
use crate::ports::{
    Chunk, EntryKind, HostBytes, ListPage, ListedObject, Listing, ObjectRange, OrderedRead,
    PendingCreate, ReadFailure, Sizes, Store, StoreError, StoreErrorKind, System, Upload,
    WriteError,
};

type Outcome = Result<(), WriteError>;

/// A create that was started, and its outcome. Only those of batches wait for a test.
#[derive(Clone)]
pub(super) struct Started {
    key: String,
    bytes: Vec<u8>,
    outcome: Rc<RefCell<Option<Outcome>>>,
}

#[derive(Default)]
pub(super) struct Inner {
    pub(super) objects: RefCell<BTreeMap<String, Vec<u8>>>,
    started: RefCell<Vec<Started>>,
    /// Deletes fail.
    pub(super) keeps_all: Cell<bool>,
    pub(super) lists: Cell<u64>,
    /// Pages of a listing have at most this many objects, if it is not 0.
    pub(super) page_max: Cell<usize>,
    /// The key that cannot be deleted.
    pub(super) undeletable: RefCell<Option<String>>,
    /// The end of the next exclusive create.
    pub(super) next_exclusive: Cell<Option<End>>,
    /// The exclusive create whose end was unknown last.
    doubted: RefCell<Option<(String, Vec<u8>)>>,
    /// The key that the next list leaves out, as if it had looked before the create.
    pub(super) unseen: RefCell<Option<String>>,
    /// The writes and deletes left before the store is down. None: any number.
    pub(super) fuse: Cell<Option<usize>>,
}

#[derive(Clone, Default)]
pub(super) struct Memory(pub(super) Rc<Inner>);

/// The end of a create that was started.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Stored,
    Refused,
    /// Nobody knows, and the object is stored or not.
    Unknown {
        is_stored: bool,
    },
}

impl Memory {
    /// The number of creates started.
    pub(super) fn started(&self) -> usize {
        self.0.started.borrow().len()
    }

    /// Returns true if a create has no outcome yet.
    pub(super) fn is_open(&self, number: usize) -> bool {
        self.0.started.borrow()[number].outcome.borrow().is_none()
    }

    /// Ends the create with this number.
    pub(super) fn end(&self, number: usize, end: End) {
        let Started { key, bytes, outcome } = self.0.started.borrow()[number].clone();
        let failed =
            || StoreError { kind: StoreErrorKind::Unavailable, message: "down".to_owned() };
        if matches!(end, End::Stored | End::Unknown { is_stored: true }) {
            let created = self.put(&key, &bytes);
            if end == End::Stored {
                *outcome.borrow_mut() = Some(created);
                return;
            }
        }
        *outcome.borrow_mut() = Some(Err(match end {
            End::Refused => WriteError::NotWritten(failed()),
            _ => WriteError::Unknown(failed()),
        }));
    }

    /// Stores what a create has tried to, long after its outcome.
    pub(super) fn land_late(&self, number: usize) {
        let Started { key, bytes, .. } = self.0.started.borrow()[number].clone();
        self.put(&key, &bytes).ok();
    }

    /// Stores what the last exclusive create in doubt has tried to.
    pub(super) fn land_exclusive(&self) {
        let (key, bytes) = self.0.doubted.take().expect("no create is in doubt");
        self.put(&key, &bytes).ok();
    }

    /// Another store with the same objects.
    pub(super) fn copy(&self) -> Self {
        let copy = Self::default();
        copy.0.objects.borrow_mut().clone_from(&self.0.objects.borrow());
        copy
    }

    /// The names of the objects that begin like this.
    pub(super) fn names(&self, prefix: &str) -> Vec<String> {
        let objects = self.0.objects.borrow();
        let names = objects.keys().filter_map(|key| key.strip_prefix("log/"));
        names.filter(|name| name.starts_with(prefix)).map(str::to_owned).collect()
    }

    /// Returns true if the store takes a write or a delete.
    fn is_up(&self) -> bool {
        let left = self.0.fuse.get();
        self.0.fuse.set(left.map(|left| left.saturating_sub(1)));
        left != Some(0)
    }

    fn put(&self, key: &str, bytes: &[u8]) -> Outcome {
        if !self.is_up() {
            let (kind, message) = (StoreErrorKind::Unavailable, "down".to_owned());
            return Err(WriteError::NotWritten(StoreError { kind, message }));
        }
        let mut objects = self.0.objects.borrow_mut();
        if objects.contains_key(key) {
            return Err(WriteError::AlreadyExists);
        }
        objects.insert(key.to_owned(), bytes.to_vec());
        Ok(())
    }
}

impl PendingCreate for Started {
    fn poll(&self) -> Option<Outcome> {
        self.outcome.borrow().clone()
    }

    fn wait(&self) -> Outcome {
        self.poll().expect("a test waits for a create that it has not ended")
    }
}

/// A listing: its prefix, and the last key shown.
pub(super) struct Pages(Memory, String, RefCell<Option<String>>);

impl Listing for Pages {
    fn next(&self, limit: u32) -> Result<ListPage, StoreError> {
        let Self(Memory(store), prefix, after) = self;
        store.lists.set(store.lists.get() + 1);
        let objects = store.objects.borrow();
        let shown = after.borrow().clone();
        let unseen = store.unseen.take();
        let keys = objects.iter().filter(|(key, _)| key.starts_with(prefix));
        let keys = keys.filter(|(key, _)| Some(*key) != unseen.as_ref());
        let mut keys = keys.filter(|(key, _)| Some(*key) > shown.as_ref()).peekable();
        let mut page = ListPage { objects: Vec::new(), more: false };
        let limit = match store.page_max.get() {
            0 => to_usize(limit.into()),
            most => most,
        };
        while page.objects.len() < limit
            && let Some((key, bytes)) = keys.next()
        {
            let (key, size, kind) = (key.clone(), to_u64(bytes.len()), EntryKind::Object);
            page.objects.push(ListedObject { key, size, kind });
        }
        page.more = keys.peek().is_some();
        if let Some(last) = page.objects.last() {
            *after.borrow_mut() = Some(last.key.clone());
        }
        Ok(page)
    }
}

/// The objects of a read that are left.
pub(super) struct Ranges(Memory, RefCell<VecDeque<(u32, ObjectRange)>>);

impl OrderedRead for Ranges {
    type Bytes = Vec<u8>;

    fn next(&self, _: u32) -> Result<Option<Chunk<Vec<u8>>>, ReadFailure> {
        let Some((number, ObjectRange { key, range })) = self.1.borrow_mut().pop_front() else {
            return Ok(None);
        };
        let all = self.0.get(&key).map_err(|error| ReadFailure { number, error })?;
        let bytes = range.map_or(all.clone(), |range| all.slice(range));
        Ok(Some(Chunk { number, bytes, last: true }))
    }
}

/// An upload: its key and its bytes.
pub(super) struct Writing(Memory, String, RefCell<Vec<u8>>);

impl Upload for Writing {
    type Bytes = Vec<u8>;

    fn write(&self, bytes: Vec<u8>) -> Outcome {
        self.2.borrow_mut().extend(bytes);
        Ok(())
    }

    fn finish(&self) -> Outcome {
        self.0.put(&self.1, &self.2.borrow())
    }
}

impl Store for Memory {
    type Bytes = Vec<u8>;
    type Listing = Pages;
    type Create = Started;
    type Read = Ranges;
    type Upload = Writing;

    fn create_exclusive(&self, key: &str, bytes: &[u8]) -> Outcome {
        let down = || StoreError { kind: StoreErrorKind::Unavailable, message: "down".to_owned() };
        match self.0.next_exclusive.take() {
            None | Some(End::Stored) => self.put(key, bytes),
            Some(End::Refused) => Err(WriteError::NotWritten(down())),
            Some(End::Unknown { is_stored }) => {
                if is_stored {
                    self.put(key, bytes)?;
                }
                *self.0.doubted.borrow_mut() = Some((key.to_owned(), bytes.to_vec()));
                Err(WriteError::Unknown(down()))
            }
        }
    }

    fn create(&self, key: &str, bytes: &[u8]) -> Outcome {
        self.put(key, bytes)
    }

    fn start_create(&self, key: &str, bytes: &Vec<u8>) -> Started {
        let is_batch = key.starts_with("log/batch_");
        let done = if is_batch { None } else { Some(self.put(key, bytes)) };
        let outcome = Rc::new(RefCell::new(done));
        let started = Started { key: key.to_owned(), bytes: bytes.clone(), outcome };
        if is_batch {
            self.0.started.borrow_mut().push(started.clone());
        }
        started
    }

    fn ensure_exclusive(&self, _: &str) -> Result<(), StoreError> {
        Ok(())
    }

    fn get(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        let found = self.0.objects.borrow().get(key).cloned();
        found.ok_or_else(|| StoreError { kind: StoreErrorKind::NotFound, message: key.to_owned() })
    }

    fn list(&self, prefix: &str, start_after: Option<&str>, _: Sizes) -> Pages {
        let after = RefCell::new(start_after.map(str::to_owned));
        Pages(self.clone(), prefix.to_owned(), after)
    }

    fn delete(&self, keys: &[String]) -> Vec<(String, StoreError)> {
        if self.0.keeps_all.get() || !self.is_up() {
            let error = StoreError { kind: StoreErrorKind::Unavailable, message: String::new() };
            return keys.iter().map(|key| (key.clone(), error.clone())).collect();
        }
        let undeletable = self.0.undeletable.borrow();
        let (kept, gone): (Vec<_>, Vec<_>) =
            keys.iter().partition(|key| Some(*key) == undeletable.as_ref());
        gone.into_iter().for_each(|key| _ = self.0.objects.borrow_mut().remove(key));
        let error = StoreError { kind: StoreErrorKind::Unavailable, message: String::new() };
        kept.into_iter().map(|key| (key.clone(), error.clone())).collect()
    }

    fn read(&self, ranges: &[ObjectRange]) -> Ranges {
        Ranges(self.clone(), RefCell::new((0..).zip(ranges.iter().cloned()).collect()))
    }

    fn start_upload(&self, key: &str) -> Result<Writing, WriteError> {
        Ok(Writing(self.clone(), key.to_owned(), RefCell::default()))
    }
}

/// A clock that a test sets, and numbers that count.
#[derive(Clone, Default)]
pub(super) struct Fixed {
    pub(super) now: Rc<Cell<u64>>,
    random: Rc<Cell<u32>>,
}

impl System for Fixed {
    fn now_micros(&self) -> u64 {
        self.now.get()
    }

    fn random_u32(&self) -> u32 {
        self.random.set(self.random.get() + 1);
        self.random.get()
    }

    fn warn(&self, _: &str) {}
}
