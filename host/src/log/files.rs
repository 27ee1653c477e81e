//! The objects of a log as files for other tools.

use std::fmt;
use std::time::SystemTime;

use futures::FutureExt as _;

use crate::error::Result;
use crate::sandbox::bindings::exports::stratalog::log::files as wit;
use crate::sandbox::calls::Calls;
use crate::sandbox::engine::SharedEngine;
use crate::sandbox::instance::Handle;
use crate::store::Store;
use crate::times;

/// Options of [`Host::files`](crate::Host::files). Without any, all events are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FilesOptions {
    since: Option<SystemTime>,
    until: Option<SystemTime>,
}

impl FilesOptions {
    /// Creates options that list all events.
    pub fn new() -> Self {
        Self::default()
    }

    /// Leaves out events whose batch was sealed before this time.
    #[must_use]
    pub fn since(mut self, time: SystemTime) -> Self {
        self.since = Some(time);
        self
    }

    /// Leaves out events whose batch was sealed at this time or later.
    #[must_use]
    pub fn until(mut self, time: SystemTime) -> Self {
        self.until = Some(time);
        self
    }
}

/// An object of a log, or a range of it, with events that readers are shown.
///
/// The range begins and ends between two events, and each event in it ends with LF. Only the last
/// event of a batch of the legacy naming scheme (`batch_TIME.jsonl`) may lack its LF, and only such
/// a batch may have empty lines, which are no events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct LogFile {
    /// The key of the object in the store.
    pub key: String,
    /// The bytes of the object.
    pub size: u64,
    /// The offset of the range in the object.
    pub offset: u64,
    /// The bytes of the range.
    pub bytes: u64,
    /// The number of events in the object before the range.
    pub events_before: u64,
    /// The number of events in the range; none for a batch of the legacy naming scheme.
    pub events: Option<u64>,
    /// The position of the first event. Each next one has the next position. None for a live batch,
    /// whose events get their positions when they are absorbed.
    pub position: Option<u64>,
    /// The time of the oldest batch in the range.
    pub first_time: Option<SystemTime>,
    /// The time of the newest batch in the range.
    pub last_time: Option<SystemTime>,
}

impl LogFile {
    /// Returns true if the range is the whole object.
    pub fn is_whole(&self) -> bool {
        self.bytes == self.size
    }
}

impl From<wit::LogFile> for LogFile {
    fn from(file: wit::LogFile) -> Self {
        Self {
            key: file.key,
            size: file.size,
            offset: file.offset,
            bytes: file.bytes,
            events_before: file.events_before,
            events: file.events,
            position: file.position,
            first_time: times::of_micros(file.first_time),
            last_time: times::of_micros(file.last_time),
        }
    }
}

/// The files of a log, page by page. Made by [`Host::files`](crate::Host::files).
pub struct Files {
    calls: Calls<Vec<wit::LogFile>>,
    handle: Handle,
}

impl Files {
    pub(crate) async fn list(
        engine: &SharedEngine,
        store: &Store,
        name: &str,
        options: FilesOptions,
    ) -> Result<Self> {
        let mut instance = engine.instantiate(store).await?;
        let [since, until] = [options.since, options.until].map(|time| time.map(times::to_micros));
        let handle = instance.list_files(name, since, until).await?;
        Ok(Self { calls: Calls::new(instance), handle })
    }

    /// Returns the next files, at most 1,000; empty at the end. Makes no request. Cancel safe: the
    /// next call returns what a dropped call has begun to.
    ///
    /// # Errors
    /// [`Error::Guest`](crate::Error::Guest).
    pub async fn next(&mut self) -> Result<Vec<LogFile>> {
        let handle = self.handle;
        let page = self.calls.end_or_make(move |instance| instance.next_files(handle).boxed());
        Ok(page.await?.into_iter().map(LogFile::from).collect())
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").finish_non_exhaustive()
    }
}
