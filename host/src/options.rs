//! How a handle that appends buffers and writes.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::sandbox::bindings::exports::stratalog::log::append_log as wit;

/// When a handle writes and how much it holds. What is not set takes the component's default, which
/// the documentation of each method names.
///
/// Ranges are checked when the log is opened; [`Error::InvalidInput`] names the option that is out
/// of range.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    flush_threshold: Option<u32>,
    flush_bytes: Option<u32>,
    flush_interval: Option<Duration>,
    event_bytes_max: Option<u32>,
    buffer_bytes_max: Option<u32>,
    compact_after: Option<u32>,
}

impl LogOptions {
    /// All defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Seals the buffer into a batch at this many events: 1 to 1,000,000, default 32. A trigger,
    /// not a maximum: events that come at once, or while a create is under way, share a batch.
    #[must_use]
    pub fn flush_threshold(mut self, events: u32) -> Self {
        self.flush_threshold = Some(events);
        self
    }

    /// Seals the buffer at this many bytes: 1 to `buffer_bytes_max`, default 4 MiB.
    #[must_use]
    pub fn flush_bytes(mut self, bytes: u32) -> Self {
        self.flush_bytes = Some(bytes);
        self
    }

    /// Seals the buffer when its oldest event is this old: 1 ms to 1 day, default 1 s. Zero turns it
    /// off: events then stay in memory until one of the other triggers, a flush or a close.
    #[must_use]
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.flush_interval = Some(interval);
        self
    }

    /// The largest event accepted, in bytes: 1 to 16 MiB, default 1 MiB.
    #[must_use]
    pub fn event_bytes_max(mut self, bytes: u32) -> Self {
        self.event_bytes_max = Some(bytes);
        self
    }

    /// The most bytes held open in memory besides one batch on its way to the store: more than
    /// `event_bytes_max`, at most 32 MiB, default 16 MiB. Beyond it an append waits for the store.
    #[must_use]
    pub fn buffer_bytes_max(mut self, bytes: u32) -> Self {
        self.buffer_bytes_max = Some(bytes);
        self
    }

    /// Compacts the log in the background whenever the handle has written this many batches since it
    /// last did: 1 or more, by default never. Appends, flushes and reads go on meanwhile.
    ///
    /// One runs at a time. That another compactor was faster is no failure; any other failure is a
    /// warning, and the next one tries again. [`Log::close`](crate::Log::close) waits for the one
    /// under way; a dropped handle leaves it to the runtime.
    #[must_use]
    pub fn compact_after(mut self, batches: u32) -> Self {
        self.compact_after = Some(batches);
        self
    }

    /// After how many batches to compact, if at all.
    pub(crate) fn compact_after_batches(&self) -> Result<Option<u32>> {
        match self.compact_after {
            Some(0) => {
                let message = "compact_after = 0 is out of range: give 1 or more".to_owned();
                Err(Error::InvalidInput(message))
            }
            batches => Ok(batches),
        }
    }

    /// The limit on an event that the host checks before it packs events together.
    pub(crate) fn event_bytes_limit(&self) -> u64 {
        const DEFAULT: u32 = 1024 * 1024;
        u64::from(self.event_bytes_max.unwrap_or(DEFAULT))
    }

    /// The most bytes that are handed to the component at once.
    pub(crate) fn buffer_bytes_limit(&self) -> usize {
        const DEFAULT: u64 = 16 * 1024 * 1024;
        let default = DEFAULT.max(self.event_bytes_limit().saturating_add(1));
        let most = self.buffer_bytes_max.map_or(default, u64::from);
        usize::try_from(most).unwrap_or(usize::MAX)
    }

    /// How often a handle with something pending looks after it.
    pub(crate) fn tick(&self) -> Duration {
        let interval = self.flush_interval.unwrap_or(Duration::from_secs(1));
        let quarter = interval / 4;
        if interval.is_zero() {
            Duration::from_secs(1)
        } else {
            quarter.clamp(Duration::from_millis(1), Duration::from_secs(1))
        }
    }

    pub(crate) fn to_wit(&self) -> Result<wit::Options> {
        let interval = self.flush_interval.map(|interval| {
            let millis = u32::try_from(interval.as_millis());
            let whole = |millis: u32| if interval.is_zero() { 0 } else { millis.max(1) };
            millis.map(whole).map_err(|_| {
                let message =
                    format!("flush_interval = {interval:?} is out of range: at most 1 day");
                Error::InvalidInput(message)
            })
        });
        Ok(wit::Options {
            flush_threshold: self.flush_threshold,
            flush_bytes: self.flush_bytes,
            flush_interval_ms: interval.transpose()?,
            event_bytes_max: self.event_bytes_max,
            buffer_bytes_max: self.buffer_bytes_max,
        })
    }
}
