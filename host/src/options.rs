//! Options of a handle that appends.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::numbers::to_usize;
use crate::types::interface::Options;

const MIB: u32 = 1024 * 1024;

/// Options of a handle that appends: its flush triggers and its limits.
///
/// These are the interface's [`Options`], whose fields document the ranges and defaults, and one
/// addition of this library, `compact_after`. An option that is not set takes its default.
///
/// The component checks the ranges when the log is opened. [`Error::InvalidInput`] names an option
/// that is out of range.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    given: Options,
    /// An interval too long for the component, kept for the error message.
    interval_beyond: Option<Duration>,
    compact_after: Option<u32>,
}

impl LogOptions {
    /// The default `flush_threshold`.
    pub const FLUSH_THRESHOLD_DEFAULT: u32 = 32;
    /// The largest `flush_threshold`.
    pub const FLUSH_THRESHOLD_MAX: u32 = 1_000_000;
    /// The default `flush_bytes`.
    pub const FLUSH_BYTES_DEFAULT: u32 = 4 * MIB;
    /// The default `flush_interval`.
    pub const FLUSH_INTERVAL_DEFAULT: Duration = Duration::from_secs(1);
    /// The longest `flush_interval`.
    pub const FLUSH_INTERVAL_MAX: Duration = Duration::from_secs(24 * 60 * 60);
    /// The default `event_bytes_max`.
    pub const EVENT_BYTES_DEFAULT: u32 = MIB;
    /// The largest `event_bytes_max`.
    pub const EVENT_BYTES_MAX: u32 = 16 * MIB;
    /// The default `buffer_bytes_max`.
    pub const BUFFER_BYTES_DEFAULT: u32 = 16 * MIB;
    /// The largest `buffer_bytes_max`, and therefore the largest `flush_bytes`.
    pub const BUFFER_BYTES_MAX: u32 = 32 * MIB;

    /// The default `creates_max`.
    pub const CREATES_DEFAULT: u32 = 4;
    /// The largest `creates_max`.
    pub const CREATES_MAX: u32 = 16;

    /// Creates options with all defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Seals the buffer into a batch at this many events: see [`Options::flush_threshold`].
    ///
    /// This is a trigger, not a maximum.
    #[must_use]
    pub fn flush_threshold(mut self, events: u32) -> Self {
        self.given.flush_threshold = Some(events);
        self
    }

    /// Seals the buffer at this many bytes: see [`Options::flush_bytes`].
    #[must_use]
    pub fn flush_bytes(mut self, bytes: u32) -> Self {
        self.given.flush_bytes = Some(bytes);
        self
    }

    /// Seals the buffer when its oldest event reaches this age: see [`Options::flush_interval_ms`].
    ///
    /// Zero turns this trigger off. Events then stay in memory until another trigger, a flush or a
    /// close.
    #[must_use]
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        let millis = u32::try_from(interval.as_millis()).ok();
        // Not zero, which would turn it off.
        let whole = |millis: u32| if interval.is_zero() { 0 } else { millis.max(1) };
        self.given.flush_interval_ms = millis.map(whole);
        self.interval_beyond = millis.is_none().then_some(interval);
        self
    }

    /// Sets the maximum size of an event: see [`Options::event_bytes_max`].
    #[must_use]
    pub fn event_bytes_max(mut self, bytes: u32) -> Self {
        self.given.event_bytes_max = Some(bytes);
        self
    }

    /// Sets the maximum size of the open buffer: see [`Options::buffer_bytes_max`].
    ///
    /// An append that would exceed it waits for the store.
    #[must_use]
    pub fn buffer_bytes_max(mut self, bytes: u32) -> Self {
        self.given.buffer_bytes_max = Some(bytes);
        self
    }

    /// Sets the maximum number of creates in flight: see [`Options::creates_max`].
    ///
    /// With 1, each batch waits for the one before it.
    #[must_use]
    pub fn creates_max(mut self, creates: u32) -> Self {
        self.given.creates_max = Some(creates);
        self
    }

    /// Compacts the log in the background each time the handle has written this many batches.
    ///
    /// 1 or more; by default never. The count starts again with each compaction. Appends, flushes
    /// and reads continue concurrently.
    ///
    /// One compaction runs at a time. It is no failure if another compactor is faster. Any other
    /// failure is a logged warning, and the next compaction retries.
    /// [`Log::close`](crate::Log::close) waits for the compaction in progress. A dropped handle
    /// leaves it to the runtime.
    #[must_use]
    pub fn compact_after(mut self, batches: u32) -> Self {
        self.compact_after = Some(batches);
        self
    }

    /// Returns the checked `compact_after`; none if the handle never compacts.
    pub(crate) fn compact_after_batches(&self) -> Result<Option<u32>> {
        match self.compact_after {
            Some(0) => {
                let message = "compact_after = 0 is out of range; give 1 or more".to_owned();
                Err(Error::InvalidInput(message))
            }
            batches => Ok(batches),
        }
    }

    /// Returns the options for the component.
    pub(crate) fn to_wit(&self) -> Result<Options> {
        match self.interval_beyond {
            Some(interval) => {
                let message =
                    format!("flush_interval = {interval:?} is out of range; give at most 1 day");
                Err(Error::InvalidInput(message))
            }
            None => Ok(self.given),
        }
    }
}

impl From<Options> for LogOptions {
    fn from(given: Options) -> Self {
        Self { given, ..Self::default() }
    }
}

/// The options of an open handle that the host applies itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HandleLimits {
    /// The maximum size of an event, checked before events are packed together.
    pub(crate) event_bytes_max: u64,
    /// The maximum number of bytes passed to the component in one call.
    pub(crate) buffer_bytes_max: usize,
    /// The time between two ticks of a handle with pending events.
    pub(crate) tick: Duration,
}

impl HandleLimits {
    /// Takes the limits from the effective options. A component that leaves one out gets no events.
    pub(crate) fn of(effective: &Options) -> Self {
        let interval = Duration::from_millis(effective.flush_interval_ms.unwrap_or(0).into());
        let second = Duration::from_secs(1);
        let tick = match interval {
            Duration::ZERO => second,
            _ => (interval / 4).clamp(Duration::from_millis(1), second),
        };
        let buffer_bytes_max = effective.buffer_bytes_max.unwrap_or(0);
        Self {
            event_bytes_max: effective.event_bytes_max.unwrap_or(0).into(),
            buffer_bytes_max: to_usize(buffer_bytes_max.into()),
            tick,
        }
    }
}
