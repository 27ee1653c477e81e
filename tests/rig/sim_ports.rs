//! The ports of the log's logic over a simulated world.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::Arc;

use stratalog_guest::ports::{
    Chunk, ListPage, ListedObject, OrderedRead, PendingCreate, ReadFailure, ReadPart, Store,
    StoreError, StoreErrorKind, System, Upload, WriteError,
};

use crate::sim::{Fate, Sim};

/// What one actor sees of the world.
#[derive(Clone, Copy)]
pub struct Eyes<'s> {
    pub sim: &'s Sim,
    pub actor: usize,
}

fn outcome(fate: Fate) -> Result<(), WriteError> {
    match fate {
        Fate::Done => Ok(()),
        Fate::Exists => Err(WriteError::AlreadyExists),
        Fate::Refused => Err(WriteError::NotWritten(StoreError {
            kind: StoreErrorKind::PermissionDenied,
            message: "it was refused".to_owned(),
        })),
        Fate::Lost => Err(WriteError::Unknown(StoreError {
            kind: StoreErrorKind::Unavailable,
            message: "the reply was lost".to_owned(),
        })),
    }
}

fn not_found(key: &str) -> StoreError {
    StoreError { kind: StoreErrorKind::NotFound, message: format!("{key} is not there") }
}

impl System for Eyes<'_> {
    fn now_micros(&self) -> u64 {
        self.sim.lock().clock()
    }
    fn random_u32(&self) -> u32 {
        u32::try_from(self.sim.lock().random().draw() >> 32).unwrap()
    }
    fn warn(&self, _: &str) {}
}

/// A create that the scheduler does at a later step, when it is asked after.
pub struct Create<'s> {
    eyes: Eyes<'s>,
    key: String,
    bytes: Vec<u8>,
    outcome: RefCell<Option<Result<(), WriteError>>>,
}

impl PendingCreate for Create<'_> {
    fn poll(&self) -> Option<Result<(), WriteError>> {
        let mut outcome_now = self.outcome.borrow_mut();
        let mut state = self.eyes.sim.lock();
        if outcome_now.is_none() && state.random().chance(1, 3) {
            *outcome_now = Some(outcome(state.create(&self.key, &self.bytes)));
        }
        outcome_now.clone()
    }
    fn wait(&self) -> Result<(), WriteError> {
        let mut outcome_now = self.outcome.borrow_mut();
        let create = || outcome(self.eyes.sim.create(self.eyes.actor, &self.key, &self.bytes));
        outcome_now.get_or_insert_with(create).clone()
    }
}

pub struct Read<'s> {
    eyes: Eyes<'s>,
    keys: Vec<ReadPart>,
    next: Cell<usize>,
    /// Fetched ahead, each at an instant of its own.
    ahead: RefCell<VecDeque<Option<Arc<[u8]>>>>,
    /// What is left of an object handed out in two chunks.
    rest: RefCell<Option<Vec<u8>>>,
}

impl OrderedRead for Read<'_> {
    fn next(&self, _: u32) -> Result<Option<Chunk>, ReadFailure> {
        let part = u32::try_from(self.next.get()).unwrap();
        if let Some(bytes) = self.rest.borrow_mut().take() {
            self.next.set(self.next.get() + 1);
            return Ok(Some(Chunk { part, bytes, last: true }));
        }
        let Eyes { sim, actor } = self.eyes;
        let mut ahead = self.ahead.borrow_mut();
        let more = if ahead.is_empty() { 1 } else { sim.lock().random().below(3) };
        for _ in 0..more {
            if let Some(key) = self.keys.get(self.next.get() + ahead.len()) {
                ahead.push_back(sim.get(actor, &key.key));
            }
        }
        let Some(found) = ahead.pop_front() else { return Ok(None) };
        let Some(bytes) = found else {
            return Err(ReadFailure { part, error: not_found(&self.keys[self.next.get()].key) });
        };
        let range = self.keys[self.next.get()].range.clone();
        let range = range.unwrap_or(0..u64::try_from(bytes.len()).unwrap());
        let range = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
        let mut bytes = bytes[range].to_vec();
        if sim.lock().random().chance(1, 4) {
            *self.rest.borrow_mut() = Some(bytes.split_off(bytes.len() / 2));
            return Ok(Some(Chunk { part, bytes, last: false }));
        }
        self.next.set(self.next.get() + 1);
        Ok(Some(Chunk { part, bytes, last: true }))
    }
}

pub struct Parts<'s> {
    eyes: Eyes<'s>,
    key: String,
    bytes: RefCell<Vec<u8>>,
}

impl Upload for Parts<'_> {
    fn write(&self, bytes: &[u8]) -> Result<(), WriteError> {
        self.bytes.borrow_mut().extend_from_slice(bytes);
        Ok(())
    }
    fn finish(&self) -> Result<(), WriteError> {
        outcome(self.eyes.sim.create(self.eyes.actor, &self.key, &self.bytes.borrow()))
    }
}

impl<'s> Store for Eyes<'s> {
    type Create = Create<'s>;
    type Read = Read<'s>;
    type Upload = Parts<'s>;

    fn create_exclusive(&self, key: &str, bytes: &[u8]) -> Result<(), WriteError> {
        outcome(self.sim.create(self.actor, key, bytes))
    }
    fn create(&self, key: &str, bytes: &[u8]) -> Result<(), WriteError> {
        outcome(self.sim.create(self.actor, key, bytes))
    }
    fn start_create(&self, key: &str, bytes: &[u8]) -> Create<'s> {
        let (key, bytes) = (key.to_owned(), bytes.to_vec());
        Create { eyes: *self, key, bytes, outcome: RefCell::new(None) }
    }
    fn ensure_exclusive(&self, _: &str) -> Result<(), StoreError> {
        Ok(())
    }
    fn get(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        let bytes = self.sim.get(self.actor, key);
        bytes.map(|bytes| bytes.to_vec()).ok_or_else(|| not_found(key))
    }
    fn list(&self, prefix: &str, after: Option<&str>, _: u32) -> Result<ListPage, StoreError> {
        let listed = self.sim.list(self.actor, prefix, after).into_iter();
        let objects = listed.map(|(key, size)| ListedObject { key, size }).collect();
        Ok(ListPage { objects, more: false })
    }
    fn delete(&self, keys: &[String]) -> Vec<(String, StoreError)> {
        let failed = keys.iter().filter(|key| !self.sim.delete(self.actor, key));
        failed.map(|key| (key.clone(), not_found("the reply"))).collect()
    }
    fn read(&self, parts: &[ReadPart]) -> Read<'s> {
        let (ahead, rest) = (RefCell::default(), RefCell::default());
        Read { eyes: *self, keys: parts.to_vec(), next: Cell::new(0), ahead, rest }
    }
    fn start_upload(&self, key: &str) -> Result<Parts<'s>, WriteError> {
        Ok(Parts { eyes: *self, key: key.to_owned(), bytes: RefCell::default() })
    }
}
