//! What an instance uses: memory over all its memories, and time it computes.

use std::time::{Duration, Instant};

use wasmtime::ResourceLimiter;

use crate::address_space;
use crate::limits::COMPUTED_BYTES_PER_SECOND;
use crate::memory::Memory;

/// Elements of one table: more than a component with many functions has.
const TABLE_ELEMENTS_MAX: usize = 100_000;

/// Bounds the sum of all linear memories of an instance, and of what is held for it outside of them.
pub(crate) struct MemoryMeter(pub(crate) Memory);

impl ResourceLimiter for MemoryMeter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let taken = self.0.take(desired.saturating_sub(current));
        if let Err(error) = &taken {
            tracing::warn!("{error}");
        }
        Ok(taken.is_ok())
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        // A component does not say why it ended without the memory that it asked for.
        if address_space::is_lacking(&error) { Err(error) } else { Ok(()) }
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
/// waited for the host, less what the bytes that it got are worth.
pub(crate) struct ComputeMeter {
    began: Instant,
    waited: Duration,
    bytes_got: u64,
}

impl Default for ComputeMeter {
    fn default() -> Self {
        Self { began: Instant::now(), waited: Duration::ZERO, bytes_got: 0 }
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

    /// The call has got so many bytes from the store.
    pub(crate) fn got(&mut self, bytes: usize) {
        self.bytes_got = self.bytes_got.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// How long the call has computed so far, beyond what it may for the bytes that it got.
    pub(crate) fn computed(&self) -> Duration {
        let allowed = Duration::from_secs(self.bytes_got / COMPUTED_BYTES_PER_SECOND);
        self.began.elapsed().saturating_sub(self.waited).saturating_sub(allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_from_the_store_may_be_computed_on() {
        let mut meter = ComputeMeter::default();
        let began = meter.began;
        meter.began = began.checked_sub(Duration::from_secs(20)).unwrap();
        assert!(meter.computed() >= Duration::from_secs(20));
        // Ten seconds' worth, in pieces that are not worth one.
        for _ in 0..640 {
            meter.got(1024 * 1024);
        }
        assert!(meter.computed() < Duration::from_secs(11), "{:?}", meter.computed());
        meter.begin();
        assert_eq!(meter.bytes_got, 0);
    }
}
