//! A handle that appends to a log.

use crate::wit::append_log;
use crate::wit::types::{CompactOptions, Compaction, Pending, Written};
use crate::{Error, OpenOptions, Reader};

/// A handle that appends to a log.
///
/// Events are buffered, and durable after [`Log::flush`] or [`Log::close`]. The host flushes a
/// handle that is dropped, and those that are open when the plugin ends, but only these two report
/// a failure.
#[derive(Debug)]
pub struct Log {
    label: String,
    handle: append_log::Log,
}

impl Log {
    pub(crate) fn new(label: &str, handle: append_log::Log) -> Self {
        Self { label: label.to_owned(), handle }
    }

    /// Opens the log with a label, with the default options.
    ///
    /// # Errors
    /// A label that is not granted, a store that fails.
    pub fn open(label: &str) -> Result<Self, Error> {
        OpenOptions::default().open(label)
    }

    /// Returns options to open a log with.
    pub fn options() -> OpenOptions {
        OpenOptions::default()
    }

    /// Returns the label of the log.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Appends one event: bytes without a line feed.
    ///
    /// # Errors
    /// An event that is empty, too long, or has a line feed. A full buffer that the store does not
    /// accept.
    pub fn append(&self, event: impl AsRef<[u8]>) -> Result<(), Error> {
        self.handle.append(event.as_ref()).map_err(Error::failed("append to", &self.label))
    }

    /// Appends many events, each ended by a line feed, and returns their number. All are appended,
    /// or none.
    ///
    /// # Errors
    /// As [`Log::append`].
    pub fn append_lines(&self, lines: impl AsRef<[u8]>) -> Result<u64, Error> {
        let failed = Error::failed("append to", &self.label);
        self.handle.append_lines(lines.as_ref()).map_err(|cause| failed(cause).of_lines())
    }

    /// Appends a value as one line of JSON.
    ///
    /// # Errors
    /// As [`Log::append`], and the reason why the value is not JSON, as invalid input.
    #[cfg(feature = "serde")]
    pub fn append_json(&self, value: &(impl serde::Serialize + ?Sized)) -> Result<(), Error> {
        let event = serde_json::to_vec(value).map_err(|error| {
            let cause = crate::wit::types::Error::InvalidInput(error.to_string());
            Error::failed("append to", &self.label)(cause)
        })?;
        self.append(event)
    }

    /// Makes all appended events durable, and returns the total of this handle.
    ///
    /// # Errors
    /// A write that failed. Its events are kept in memory, and the next flush tries them again.
    pub fn flush(&self) -> Result<Written, Error> {
        self.handle.flush().map_err(Error::failed("flush", &self.label))
    }

    /// Flushes and closes the handle.
    ///
    /// # Errors
    /// As [`Log::flush`]. The host then tries once more to write the events.
    pub fn close(self) -> Result<Written, Error> {
        self.handle.close().map_err(Error::failed("close", &self.label))
    }

    /// Runs maintenance without a wait: seals a buffer by its age, and retries failed writes.
    /// Returns true if anything is not durable yet.
    ///
    /// A plugin that waits for something else calls this about four times in each flush interval.
    pub fn tick(&self) -> bool {
        self.handle.tick()
    }

    /// Returns the events of this handle that may not be durable yet.
    pub fn pending(&self) -> Pending {
        self.handle.pending()
    }

    /// Reads the stored events, then those of this handle that are not durable yet.
    ///
    /// # Errors
    /// A label that may not be read.
    pub fn read(&self) -> Result<Reader, Error> {
        let reader = self.handle.read_all().map_err(Error::failed("read", &self.label))?;
        Ok(Reader::new(&self.label, reader))
    }

    /// Copies the small objects of the log into large ones.
    ///
    /// # Errors
    /// A store that fails, a label that may not be compacted.
    pub fn compact(&self) -> Result<Compaction, Error> {
        let defaults = CompactOptions {
            full: false,
            fan_in: None,
            segment_bytes_max: None,
            batches_max: None,
        };
        self.handle.compact(defaults).map_err(Error::failed("compact", &self.label))
    }
}
