//! A store in memory in which another compactor, which has lost, leaves its segment right before a
//! commit.

use std::cell::RefCell;
use std::rc::Rc;

use rig::altered::{Alter, Altered};
use rig::memory::{Memory, log};
use stratalog_guest::format::names::{CommitId, Generation, ObjectName, SegmentName};
use stratalog_guest::ports::Store as _;

/// Another compactor, whose segment each commit finds.
#[derive(Clone, Default)]
pub struct Rival {
    left: Rc<RefCell<Vec<String>>>,
}

impl Rival {
    /// Makes a store on which it is faster.
    pub fn on(memory: &Memory) -> Altered<Self> {
        Altered::new(memory, Self::default())
    }

    /// Returns the keys of these segments and indexes.
    pub fn left(&self) -> Vec<String> {
        self.left.borrow().clone()
    }

    /// Leaves a segment of the generation that is about to be committed, and its index.
    fn leave(&self, memory: &Memory, generation: Generation) {
        let segment = SegmentName { generation, commit_id: CommitId(7), part: 0 };
        for key in [log().key(segment), log().key(segment.index())] {
            memory.create(&key, b"lost\n").unwrap();
            self.left.borrow_mut().push(key);
        }
    }
}

impl Alter for Rival {
    fn before_commit(&self, memory: &Memory, key: &str) {
        let name = log().object(key).and_then(ObjectName::parse);
        if let Some(ObjectName::Manifest(generation)) = name {
            self.leave(memory, generation);
        }
    }
}
