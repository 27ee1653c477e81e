//! What an instance uses: memory over all its memories, and time it computes.

use std::time::{Duration, Instant};

use wasmtime::ResourceLimiter;

/// Elements of one table: more than a component with many functions has.
const TABLE_ELEMENTS_MAX: usize = 100_000;

/// Bounds the sum of all linear memories of an instance.
pub(crate) struct MemoryMeter {
    bytes: usize,
    bytes_max: usize,
}

impl MemoryMeter {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes: 0, bytes_max }
    }
}

impl ResourceLimiter for MemoryMeter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let bytes = self.bytes.saturating_add(desired.saturating_sub(current));
        let fits = bytes <= self.bytes_max;
        if fits {
            self.bytes = bytes;
        } else {
            tracing::warn!(
                "a component asked for more memory than memory_bytes_max = {}",
                self.bytes_max
            );
        }
        Ok(fits)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS_MAX)
    }
}

/// Measures how long the call under way has computed: the time since it began, less the time it
/// waited for the host.
pub(crate) struct ComputeMeter {
    began: Instant,
    waited: Duration,
}

impl Default for ComputeMeter {
    fn default() -> Self {
        Self { began: Instant::now(), waited: Duration::ZERO }
    }
}

impl ComputeMeter {
    /// A call begins.
    pub(crate) fn begin(&mut self) {
        *self = Self::default();
    }

    /// The call has waited for the host since then.
    pub(crate) fn waited_since(&mut self, start: Instant) {
        self.waited = self.waited.saturating_add(start.elapsed());
    }

    /// How long the call has computed so far.
    pub(crate) fn computed(&self) -> Duration {
        self.began.elapsed().saturating_sub(self.waited)
    }
}
