//! What an instance has under way in its object store.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::Semaphore;

use crate::limits::{CREATES_UNDER_WAY_MAX, READS_AHEAD_MAX};
use crate::sandbox::memory::{Borrowed, Memory};
use crate::sandbox::meter::ComputeMeter;
use crate::store::{AHEAD_BYTES_MAX, OBJECTS_AHEAD_MAX};

/// What a read holds that fetches one object ahead.
pub(super) const OBJECT_AHEAD_BYTES: usize = AHEAD_BYTES_MAX / OBJECTS_AHEAD_MAX;

/// What a read holds ahead for a plugin is at most one in so many shares of what may still be held.
const ROOM_SHARES_OF_A_READ: usize = 4;

pub(crate) struct ObjectWork {
    pub(crate) meter: ComputeMeter,
    /// Objects whose creates were started, have succeeded, and are done with.
    pub(crate) created: u64,
    /// Their bytes.
    pub(crate) created_bytes: Arc<AtomicU64>,
    /// Bounds the bytes that creates under way hold, whoever still waits for them.
    pub(super) creates: Arc<Semaphore>,
    /// Each ordered read under way has a clone.
    pub(super) reads: Arc<()>,
    /// What the instance holds, in its linear memories and outside.
    pub(super) memory: Memory,
}

impl ObjectWork {
    pub(crate) fn new(memory: Memory) -> Self {
        let creates = Arc::new(Semaphore::new(CREATES_UNDER_WAY_MAX));
        let created_bytes = Arc::default();
        Self {
            meter: ComputeMeter::default(),
            created: 0,
            created_bytes,
            creates,
            reads: Arc::default(),
            memory,
        }
    }

    /// How many objects a read may fetch ahead. What that holds counts for a plugin, which may hold
    /// less than a read without limits would.
    pub(super) fn objects_ahead(&self) -> (usize, Option<Borrowed>) {
        // One is the work's own, one this read's.
        let others = Arc::strong_count(&self.reads).saturating_sub(2);
        if others >= READS_AHEAD_MAX {
            return (1, None);
        }
        let Some(memory) = self.memory.of_the_plugin() else {
            return (OBJECTS_AHEAD_MAX, None);
        };
        let affordable = memory.room() / ROOM_SHARES_OF_A_READ / OBJECT_AHEAD_BYTES;
        let objects = affordable.clamp(1, OBJECTS_AHEAD_MAX);
        // The first one is counted already.
        let more = objects.saturating_sub(1).saturating_mul(OBJECT_AHEAD_BYTES);
        memory.borrow(more).map_or((1, None), |ahead| (objects, Some(ahead)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    #[test]
    fn what_is_fetched_ahead_counts_for_a_plugin_which_fetches_less_when_little_is_left() {
        for (limit_mib, objects, held_mib) in [(256, 16, 30), (64, 8, 14), (16, 2, 2), (4, 1, 0)] {
            let plugin = Memory::of_plugin(limit_mib * MIB);
            // As much by an instance that works for it as by a component that it carries.
            let instance = Memory::new(limit_mib * MIB);
            instance.charge(&plugin).unwrap();
            for memory in [plugin.clone(), instance] {
                let (ahead, counted) = ObjectWork::new(memory).objects_ahead();
                let found = (ahead, plugin.bytes());
                assert_eq!(found, (objects, held_mib * MIB), "{limit_mib} MiB");
                drop(counted);
            }
        }
        let (ahead, counted) = ObjectWork::new(Memory::new(4 * MIB)).objects_ahead();
        assert_eq!(ahead, OBJECTS_AHEAD_MAX);
        assert!(counted.is_none());
    }
}
