//! The ports of the log's logic over a simulated world.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use stratalog_guest::ports::{
    Chunk, EntryKind, ListPage, ListedObject, ObjectRange, OrderedRead, PendingCreate, ReadFailure,
    Sizes, Store, StoreError, StoreErrorKind, System, Upload, WriteError,
};

use crate::pages::{PageListing, Pages};
use crate::sim::objects::{Fate, Unavailable};
use crate::sim::world::ActorView;

fn outcome(fate: Fate) -> Result<(), WriteError> {
    match fate {
        Fate::Done => Ok(()),
        Fate::Exists => Err(WriteError::AlreadyExists),
        Fate::Refused => Err(WriteError::NotWritten(StoreError {
            kind: StoreErrorKind::PermissionDenied,
            message: "it was refused".to_owned(),
        })),
        Fate::Unknown => Err(WriteError::Unknown(StoreError {
            kind: StoreErrorKind::Unavailable,
            message: "the reply was lost".to_owned(),
        })),
    }
}

fn not_found(key: &str) -> StoreError {
    StoreError { kind: StoreErrorKind::NotFound, message: format!("{key} is not there") }
}

impl From<Unavailable> for StoreError {
    fn from(_: Unavailable) -> Self {
        let message = "the store does not answer".to_owned();
        Self { kind: StoreErrorKind::Unavailable, message }
    }
}

impl System for ActorView<'_> {
    fn now_micros(&self) -> u64 {
        self.state().clock
    }
    fn random_u32(&self) -> u32 {
        u32::try_from(self.state().random.draw() >> 32).unwrap()
    }
    fn warn(&self, _: &str) {}
}

/// A create that the world completes by itself.
pub struct Create<'y> {
    view: ActorView<'y>,
    started: u64,
}

impl PendingCreate for Create<'_> {
    fn poll(&self) -> Option<Result<(), WriteError>> {
        self.view.state().objects.fate(self.started).map(outcome)
    }
    fn wait(&self) -> Result<(), WriteError> {
        loop {
            if let Some(outcome) = self.poll() {
                return outcome;
            }
            drop(self.view.step());
        }
    }
}

pub struct Read<'y> {
    view: ActorView<'y>,
    ranges: Vec<ObjectRange>,
    next: Cell<usize>,
    /// Objects fetched ahead, each at an instant of its own.
    ahead: RefCell<VecDeque<Result<Option<Vec<u8>>, Unavailable>>>,
    /// The rest of an object that is returned in two chunks.
    rest: RefCell<Option<Vec<u8>>>,
}

impl OrderedRead for Read<'_> {
    type Bytes = Vec<u8>;

    fn next(&self, _: u32) -> Result<Option<Chunk<Vec<u8>>>, ReadFailure> {
        let number = u32::try_from(self.next.get()).unwrap();
        if let Some(bytes) = self.rest.borrow_mut().take() {
            self.next.set(self.next.get() + 1);
            return Ok(Some(Chunk { number, bytes, last: true }));
        }
        let mut ahead = self.ahead.borrow_mut();
        let more = if ahead.is_empty() { 1 } else { self.view.state().random.below(3) };
        for _ in 0..more {
            if let Some(wanted) = self.ranges.get(self.next.get() + ahead.len()) {
                ahead.push_back(self.view.get_object(&wanted.key, wanted.range.clone()));
            }
        }
        let failed = |error| ReadFailure { number, error };
        let Some(found) = ahead.pop_front() else { return Ok(None) };
        let found = found.map_err(|unavailable| failed(unavailable.into()))?;
        let mut bytes =
            found.ok_or_else(|| failed(not_found(&self.ranges[self.next.get()].key)))?;
        if self.view.state().random.chance(1, 4) {
            *self.rest.borrow_mut() = Some(bytes.split_off(bytes.len() / 2));
            return Ok(Some(Chunk { number, bytes, last: false }));
        }
        self.next.set(self.next.get() + 1);
        Ok(Some(Chunk { number, bytes, last: true }))
    }
}

pub struct Parts<'y> {
    view: ActorView<'y>,
    key: String,
    bytes: RefCell<Vec<u8>>,
}

impl Upload for Parts<'_> {
    type Bytes = Vec<u8>;

    fn write(&self, bytes: Vec<u8>) -> Result<(), WriteError> {
        self.bytes.borrow_mut().extend(bytes);
        Ok(())
    }
    fn finish(&self) -> Result<(), WriteError> {
        outcome(self.view.create_object(&self.key, &self.bytes.borrow()))
    }
}

impl Pages for ActorView<'_> {
    fn page(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<ListPage, StoreError> {
        let (objects, more) = self.list_objects(prefix, after, limit)?;
        let objects = objects.into_iter();
        let objects = objects.map(|(key, size)| {
            let (key, kind) = (key.to_string(), EntryKind::Object);
            ListedObject { key, size, kind }
        });
        Ok(ListPage { objects: objects.collect(), more })
    }
}

impl<'y> Store for ActorView<'y> {
    type Bytes = Vec<u8>;
    type Listing = PageListing<Self>;
    type Create = Create<'y>;
    type Read = Read<'y>;
    type Upload = Parts<'y>;

    fn create_exclusive(&self, key: &str, bytes: &[u8]) -> Result<(), WriteError> {
        self.stall_before_commit();
        outcome(self.create_object(key, bytes))
    }
    fn create(&self, key: &str, bytes: &[u8]) -> Result<(), WriteError> {
        outcome(self.create_object(key, bytes))
    }
    fn start_create(&self, key: &str, bytes: &Vec<u8>) -> Create<'y> {
        Create { view: *self, started: self.state().start_create(self.actor, key, bytes) }
    }
    fn ensure_exclusive(&self, _: &str) -> Result<(), StoreError> {
        Ok(())
    }
    fn get(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        self.get_object(key, None)?.ok_or_else(|| not_found(key))
    }
    fn list(&self, prefix: &str, after: Option<&str>, sizes: Sizes) -> PageListing<Self> {
        PageListing::new(*self, prefix, after, sizes)
    }
    fn delete(&self, keys: &[String]) -> Vec<(String, StoreError)> {
        let failed = keys.iter().filter(|key| !self.delete_object(key));
        failed.map(|key| (key.clone(), Unavailable.into())).collect()
    }
    fn read(&self, ranges: &[ObjectRange]) -> Read<'y> {
        let (ahead, rest) = (RefCell::default(), RefCell::default());
        Read { view: *self, ranges: ranges.to_vec(), next: Cell::new(0), ahead, rest }
    }
    fn start_upload(&self, key: &str) -> Result<Parts<'y>, WriteError> {
        Ok(Parts { view: *self, key: key.to_owned(), bytes: RefCell::default() })
    }
}
