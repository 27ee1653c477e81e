//! The meters of an instance: the sum of all its memories, and the time it computes.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use wasmtime::ResourceLimiter;

use crate::limits::COMPUTED_BYTES_PER_SECOND;
use crate::numbers::to_u64;
use crate::sandbox::address_space;
use crate::sandbox::memory::Memory;

/// Elements of one table: more than a component with many functions has.
const TABLE_ELEMENTS_MAX: usize = 100_000;

/// Bounds the sum of an instance's linear memories and of the bytes kept outside for it.
pub(crate) struct MemoryMeter {
    memory: Memory,
    /// The bytes of the linear memories, counted until the instance is dropped.
    linear_bytes: usize,
}

impl MemoryMeter {
    pub(crate) fn new(memory: Memory) -> Self {
        Self { memory, linear_bytes: 0 }
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }
}

impl Drop for MemoryMeter {
    fn drop(&mut self) {
        self.memory.give_back(self.linear_bytes);
    }
}

impl ResourceLimiter for MemoryMeter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        match self.memory.take(more) {
            Ok(()) => {
                self.linear_bytes += more;
                Ok(true)
            }
            // The plugin's author must learn which limit it was, and not that an allocation failed.
            Err(error) if error.is_of_plugin() => Err(error.into()),
            Err(error) => {
                tracing::warn!("{error}");
                Ok(false)
            }
        }
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        address_space::grow_failed(error)
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

/// The time that calls were polled for. A call that waits, for the host or for the next poll, takes
/// no time. Clones are one.
#[derive(Clone, Debug, Default)]
pub(crate) struct PolledTime(Arc<Mutex<Polled>>);

#[derive(Debug, Default)]
struct Polled {
    before: Duration,
    /// The start of the poll in progress.
    since: Option<Instant>,
}

impl PolledTime {
    /// Counts the polls of a call.
    pub(crate) async fn measure<T>(&self, call: impl Future<Output = T>) -> T {
        let mut call = pin!(call);
        std::future::poll_fn(|context| {
            let _polling = self.poll();
            call.as_mut().poll(context)
        })
        .await
    }

    fn poll(&self) -> Polling<'_> {
        self.lock().since = Some(Instant::now());
        Polling(self)
    }

    fn now(&self) -> Duration {
        let polled = self.lock();
        polled.before.saturating_add(polled.since.map_or(Duration::ZERO, |since| since.elapsed()))
    }

    fn lock(&self) -> MutexGuard<'_, Polled> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A poll, until it ends.
struct Polling<'a>(&'a PolledTime);

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        let now = self.0.now();
        *self.0.lock() = Polled { before: now, since: None };
    }
}

/// Measures the time that the call in progress has computed: the time of its polls, minus the time
/// that it waited for the host, minus an allowance for the bytes that it got.
#[derive(Debug, Default)]
pub(crate) struct ComputeMeter {
    time: PolledTime,
    began: Duration,
    waited: Duration,
    bytes_got: u64,
}

impl ComputeMeter {
    /// Begins a call; returns the time that must measure its polls.
    pub(crate) fn begin(&mut self) -> PolledTime {
        let time = self.time.clone();
        *self = Self { began: time.now(), time: time.clone(), ..Self::default() };
        time
    }

    /// Returns the time on this meter, as the start of a wait.
    pub(crate) fn now(&self) -> Duration {
        self.time.now()
    }

    /// Records that the call has waited for the host since `start`.
    pub(crate) fn waited_since(&mut self, start: Duration) {
        self.waited = self.waited.saturating_add(self.now().saturating_sub(start));
    }

    /// Records that the call has got bytes from the store.
    pub(crate) fn got(&mut self, bytes: usize) {
        self.bytes_got += to_u64(bytes);
    }

    /// Returns the time that the call has computed, minus the allowance for the bytes that it got.
    pub(crate) fn computed(&self) -> Duration {
        let allowed = Duration::from_secs(self.bytes_got / COMPUTED_BYTES_PER_SECOND);
        let polled = self.now().saturating_sub(self.began);
        polled.saturating_sub(self.waited).saturating_sub(allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_from_the_store_may_be_computed_on() {
        let mut meter = ComputeMeter::default();
        meter.begin();
        meter.time.lock().before = Duration::from_secs(20);
        assert!(meter.computed() >= Duration::from_secs(20));
        // An allowance of ten seconds, in pieces that are too small for one second each.
        for _ in 0..640 {
            meter.got(1024 * 1024);
        }
        assert!(meter.computed() < Duration::from_secs(11), "{:?}", meter.computed());
        meter.begin();
        assert_eq!((meter.bytes_got, meter.computed()), (0, Duration::ZERO));
    }

    #[tokio::test]
    async fn call_that_nobody_polls_computes_nothing() {
        let mut meter = ComputeMeter::default();
        let begun = Instant::now();
        let time = meter.begin();
        let mut call = Box::pin(time.measure(tokio::task::yield_now()));
        assert!(futures::poll!(&mut call).is_pending());
        let polled = meter.computed();
        let unpolled = pass();
        assert_eq!(meter.computed(), polled);
        call.await;
        let rest = begun.elapsed().saturating_sub(unpolled);
        assert!(meter.computed() <= rest, "{:?} of {rest:?}", meter.computed());
    }

    #[tokio::test]
    async fn time_of_the_host_within_a_poll_is_not_computation() {
        let mut meter = ComputeMeter::default();
        let begun = Instant::now();
        let time = meter.begin();
        let (taken, computed) = time
            .measure(async {
                let start = meter.now();
                let taken = pass();
                meter.waited_since(start);
                (taken, pass())
            })
            .await;
        let rest = begun.elapsed().saturating_sub(taken);
        let found = meter.computed();
        assert!(computed <= found && found <= rest, "{found:?} of {computed:?} to {rest:?}");
    }

    /// Lets at least some milliseconds pass; returns the time passed.
    fn pass() -> Duration {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(5) {
            std::hint::spin_loop();
        }
        begun.elapsed()
    }
}
