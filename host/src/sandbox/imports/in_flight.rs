//! The operations of an instance that are in flight in its object store.

use std::sync::Arc;

use tokio::sync::{Notify, Semaphore};

use crate::limits::{CREATES_IN_FLIGHT_MAX, READS_AHEAD_MAX};
use crate::sandbox::memory::{Borrowed, Memory};
use crate::sandbox::meter::ComputeMeter;
use crate::store::{SHARE_AHEAD_BYTES, SHARES_AHEAD_MAX};
use crate::telemetry::ReadBytes;

/// A read for a plugin fetches ahead at most one in this many shares of the memory left to the
/// plugin.
const ROOM_SHARES_OF_A_READ: usize = 4;

pub(crate) struct InFlight {
    pub(crate) meter: ComputeMeter,
    /// The bytes that were read, if metrics are reported.
    pub(crate) read: ReadBytes,
    /// Bounds the bytes of creates in flight, whether or not a caller still waits for them.
    pub(super) creates: Arc<Semaphore>,
    /// Notified each time a create ends that did not end within the call that started it.
    pub(crate) create_ended: Arc<Notify>,
    /// Each ordered read in progress has a clone.
    pub(super) reads: Arc<()>,
    /// The memory of the instance, in its linear memories and outside.
    pub(super) memory: Memory,
}

impl InFlight {
    pub(crate) fn new(memory: Memory) -> Self {
        let creates = Arc::new(Semaphore::new(CREATES_IN_FLIGHT_MAX));
        Self {
            meter: ComputeMeter::default(),
            read: ReadBytes::default(),
            creates,
            create_ended: Arc::default(),
            reads: Arc::default(),
            memory,
        }
    }

    /// Returns the shares of memory that a read may fetch ahead. They count against a plugin's
    /// limit, which may be lower than the need of an unlimited read.
    pub(super) fn shares_ahead(&self) -> (usize, Option<Borrowed>) {
        // One clone is that of this value, one that of this read.
        let others = Arc::strong_count(&self.reads).saturating_sub(2);
        if others >= READS_AHEAD_MAX {
            return (1, None);
        }
        let Some(memory) = self.memory.of_the_plugin() else {
            return (SHARES_AHEAD_MAX, None);
        };
        let affordable = memory.room() / ROOM_SHARES_OF_A_READ / SHARE_AHEAD_BYTES;
        let shares = affordable.clamp(1, SHARES_AHEAD_MAX);
        // The first share is counted already.
        let more = (shares - 1) * SHARE_AHEAD_BYTES;
        memory.borrow(more).map_or((1, None), |ahead| (shares, Some(ahead)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    #[test]
    fn bytes_fetched_ahead_count_and_are_fewer_when_memory_is_short() {
        for (limit_mib, shares, held_mib) in [(256, 16, 30), (64, 8, 14), (16, 2, 2), (4, 1, 0)] {
            let plugin = Memory::of_plugin(limit_mib * MIB);
            // An instance that works for the plugin gets as much as a component that the plugin
            // carries.
            let instance = Memory::new(limit_mib * MIB);
            instance.charge(&plugin).unwrap();
            for memory in [plugin.clone(), instance] {
                let (ahead, counted) = InFlight::new(memory).shares_ahead();
                let found = (ahead, plugin.bytes());
                assert_eq!(found, (shares, held_mib * MIB), "{limit_mib} MiB");
                drop(counted);
            }
        }
        let (ahead, counted) = InFlight::new(Memory::new(4 * MIB)).shares_ahead();
        assert_eq!(ahead, SHARES_AHEAD_MAX);
        assert!(counted.is_none());
    }
}
