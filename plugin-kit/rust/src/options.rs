//! Options of a handle and of a read. What is not set has the default that the WIT gives.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::wit::append_log;
use crate::wit::types;
use crate::{Error, Log, Reader};

/// Options of a handle that appends: when it flushes by itself, and its limits.
#[derive(Debug, Clone)]
#[must_use]
pub struct OpenOptions(types::Options);

/// Options of a read: where it begins and ends.
#[derive(Debug, Clone)]
#[must_use]
pub struct ReadOptions(types::ReadOptions);

impl Default for OpenOptions {
    fn default() -> Self {
        Self(types::Options {
            flush_threshold: None,
            flush_bytes: None,
            flush_interval_ms: None,
            event_bytes_max: None,
            buffer_bytes_max: None,
            creates_max: None,
        })
    }
}

impl OpenOptions {
    /// Seals a batch at this many events: 1 to 1,000,000, default 32. A batch may have more, while
    /// others are being written.
    pub fn flush_threshold(mut self, events: u32) -> Self {
        self.0.flush_threshold = Some(events);
        self
    }

    /// Seals a batch at this many bytes: 1 to the maximum of the buffer, default 4 MiB.
    pub fn flush_bytes(mut self, bytes: u32) -> Self {
        self.0.flush_bytes = Some(bytes);
        self
    }

    /// Seals a batch at the first [`Log::tick`] after its oldest event has this age: whole
    /// milliseconds up to a day, default one second. Zero turns this off.
    pub fn flush_interval(mut self, age: Duration) -> Self {
        self.0.flush_interval_ms = Some(u32::try_from(age.as_millis()).unwrap_or(u32::MAX));
        self
    }

    /// Refuses events of more bytes: 1 to 16 MiB, default 1 MiB.
    pub fn event_bytes_max(mut self, bytes: u32) -> Self {
        self.0.event_bytes_max = Some(bytes);
        self
    }

    /// Bounds the buffer, in bytes: more than an event, at most 32 MiB, default 16 MiB.
    pub fn buffer_bytes_max(mut self, bytes: u32) -> Self {
        self.0.buffer_bytes_max = Some(bytes);
        self
    }

    /// Writes at most this many batches at the same time: 1 to 16, default 4.
    pub fn creates_max(mut self, creates: u32) -> Self {
        self.0.creates_max = Some(creates);
        self
    }

    /// Opens the log with a label.
    ///
    /// # Errors
    /// An option out of its range, a label that is not granted, a store that fails.
    pub fn open(&self, label: &str) -> Result<Log, Error> {
        append_log::Log::open(label, self.0)
            .map(|handle| Log::new(label, handle))
            .map_err(Error::failed("open", label))
    }
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self(types::ReadOptions {
            start: None,
            last: None,
            limit: None,
            since: None,
            until: None,
            pending: None,
        })
    }
}

impl ReadOptions {
    /// Begins right behind a position that [`Events::position`] or [`Reader::position`] returned.
    ///
    /// [`Events::position`]: crate::Events::position
    /// [`Reader::position`]: crate::Reader::position
    ///
    /// `None` begins at the beginning, as the first run of a program does.
    pub fn start(mut self, position: impl Into<Option<String>>) -> Self {
        self.0.start = position.into();
        self
    }

    /// Begins with the last `events` that are stored now.
    pub fn last(mut self, events: u64) -> Self {
        self.0.last = Some(events);
        self
    }

    /// Ends after this many events.
    pub fn limit(mut self, events: u64) -> Self {
        self.0.limit = Some(events);
        self
    }

    /// Leaves out events whose batch is older than this.
    pub fn since(mut self, time: SystemTime) -> Self {
        self.0.since = Some(micros(time));
        self
    }

    /// Leaves out events whose batch has this time or a later one.
    pub fn until(mut self, time: SystemTime) -> Self {
        self.0.until = Some(micros(time));
        self
    }

    /// Reads a log from a named position, which [`Events::commit`](crate::Events::commit) then
    /// moves. Without one, the read begins where these options say. The host must have granted the
    /// right `commit` for that.
    ///
    /// # Errors
    /// As [`ReadOptions::open`], and a position that is damaged.
    pub fn open_named(&self, label: &str, name: &str) -> Result<Reader, Error> {
        let reader = append_log::read_named(label, name, &self.0);
        reader.map(|reader| Reader::new(label, reader)).map_err(Error::failed("read", label))
    }

    /// Opens the log with a label for a read.
    ///
    /// # Errors
    /// An option that is not valid, a label that is not granted.
    pub fn open(&self, label: &str) -> Result<Reader, Error> {
        append_log::read(label, &self.0)
            .map(|reader| Reader::new(label, reader))
            .map_err(Error::failed("read", label))
    }
}

/// Returns the microseconds since 1970, as the WIT has times; 0 for an earlier time.
fn micros(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
