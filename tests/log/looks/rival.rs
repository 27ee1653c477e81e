//! A store in memory in which another compactor, which has lost, leaves its segment right before a
//! commit.

use std::cell::RefCell;
use std::rc::Rc;

use rig::memory::{Created, Memory, MemoryRead, MemoryUpload};
use stratalog_guest::format::names::{CommitId, Generation, ObjectName, SegmentName};
use stratalog_guest::ports::{ListPage, ObjectRange, Store, StoreError, WriteError};

use super::log;

/// A store on which each commit finds the segment of another compactor.
#[derive(Clone)]
pub struct Rival {
    memory: Memory,
    left: Rc<RefCell<Vec<String>>>,
}

impl Rival {
    pub fn new(memory: &Memory) -> Self {
        Self { memory: memory.clone(), left: Rc::default() }
    }

    /// Returns the keys of these segments and indexes.
    pub fn left(&self) -> Vec<String> {
        self.left.borrow().clone()
    }

    /// Leaves a segment of the generation that is about to be committed, and its index.
    fn leave(&self, generation: Generation) {
        let segment = SegmentName { generation, commit_id: CommitId(7), part: 0 };
        for key in [log().key(segment), log().key(segment.index())] {
            self.memory.create(&key, b"lost\n").unwrap();
            self.left.borrow_mut().push(key);
        }
    }
}

impl Store for Rival {
    type Bytes = Vec<u8>;
    type Create = Created;
    type Read = MemoryRead<Memory>;
    type Upload = MemoryUpload<Memory>;

    fn create_exclusive(&self, key: &str, bytes: &[u8]) -> Result<(), WriteError> {
        let name = log().object(key).and_then(ObjectName::parse);
        if let Some(ObjectName::Manifest(generation)) = name {
            self.leave(generation);
        }
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
        self.memory.get(key)
    }
    fn list(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<ListPage, StoreError> {
        self.memory.list(prefix, after, limit)
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
