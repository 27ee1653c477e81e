//! What an instance has under way in its object store.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::Semaphore;

use crate::limits::CREATES_UNDER_WAY_MAX;
use crate::memory::Memory;
use crate::meter::ComputeMeter;

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
}
