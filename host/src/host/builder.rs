//! The settings of a host.

use std::path::PathBuf;
use std::sync::Arc;

use super::{EMBEDDED, EMBEDDED_SHA256, Host};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::limits::{LIVE_LOGS_DEFAULT, Limits};
use crate::sandbox::component_file;
use crate::sandbox::engine::{LogEngine, SharedEngine};
use crate::sandbox::reader_seats::ReaderSeats;
use crate::sandbox::seats::Seats;

/// Sets up a [`Host`].
#[derive(Debug, Default)]
pub struct HostBuilder {
    component: Option<Source>,
    cache: Option<PathBuf>,
    clock: Clock,
    limits: Limits,
    live_logs_max: Option<usize>,
}

#[derive(Debug)]
enum Source {
    Bytes(Vec<u8>),
    File(PathBuf),
}

impl HostBuilder {
    /// Runs these bytes instead of the embedded component. They must be a component of the world
    /// `stratalog:log/log-component`.
    #[must_use]
    pub fn component_bytes(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.component = Some(Source::Bytes(bytes.into()));
        self
    }

    /// Runs the component in this file instead of the embedded one.
    #[must_use]
    pub fn component_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.component = Some(Source::File(file.into()));
        self
    }

    /// Keeps the compiled component below this folder for later processes. Without it, each host
    /// compiles the component again, which takes about a second.
    ///
    /// A compiled component is native code. It is run only if three conditions hold:
    ///
    /// - The folder, the folder in it and the file belong to the user of this process.
    /// - No other user may write to them.
    /// - The digest of the file is right.
    ///
    /// Otherwise the component is compiled again, a warning names the file or the folder and the
    /// reason, and the file is replaced. If the folder does not exist, it is created for this user
    /// alone. It keeps at most 200 compiled components with at most 1 GiB together. The least
    /// recently used ones are removed. A full or read-only disk is not a failure.
    ///
    /// On Linux, a file is mapped. Files of the cache may be deleted at any time, and must not be
    /// changed in place while a process runs.
    #[must_use]
    pub fn cache_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache = Some(folder.into());
        self
    }

    /// Provides the component with this clock instead of the system's.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Applies these limits to every instance.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the number of open logs that have an instance of the component, at least 1. Default
    /// 1,000.
    ///
    /// Any number of logs can be open. One that has rested for 5 s gives its instance back, and
    /// gets another one with its next call, in less than a millisecond. When more than this many
    /// logs are in use, those that have rested longest give theirs back first. Nothing else
    /// changes: each event is written when it would have been written otherwise.
    ///
    /// As many more instances are for readers. Any number of a [`Reader`](crate::Reader) and a
    /// [`Follow`](crate::Follow) can exist. If more than this many have an instance, each gives its
    /// own back when a call has ended. A follower also gives it back when it has found nothing for
    /// 5 s. It continues without a missed or repeated event, and gets the manifest of a compacted
    /// log again. A [`Verifier`](crate::Verifier) keeps an instance for as long as it exists, and
    /// so does a reader of [`Log::read_all`](crate::Log::read_all).
    #[must_use]
    pub fn live_logs_max(mut self, logs: usize) -> Self {
        self.live_logs_max = Some(logs);
        self
    }

    /// Compiles the component.
    ///
    /// # Errors
    /// - [`Error::InvalidInput`]: `live_logs_max` is 0.
    /// - [`Error::Component`]: the bytes cannot be read or are not a component. Or the component
    ///   lacks an export, or has an import that the host does not provide.
    /// - [`Error::LimitReached`]: this process may have too little address space.
    pub fn build(self) -> Result<Host> {
        let live_logs_max = self.live_logs_max.unwrap_or(LIVE_LOGS_DEFAULT);
        if live_logs_max == 0 {
            let message = "live_logs_max = 0 is out of range; give 1 or more";
            return Err(Error::InvalidInput(message.to_owned()));
        }
        let (bytes, origin);
        let component = match &self.component {
            None => {
                origin = "the embedded component".to_owned();
                EMBEDDED
            }
            Some(Source::Bytes(given)) => {
                origin = "the given component".to_owned();
                given
            }
            Some(Source::File(file)) => {
                origin = file.display().to_string();
                bytes = component_file::read(file).map_err(Error::Component)?;
                &bytes[..]
            }
        };
        let engine = {
            let sha256 = self.component.is_none().then_some(EMBEDDED_SHA256);
            let cache = self.cache.as_deref();
            let seats = (Seats::new(live_logs_max), ReaderSeats::new(live_logs_max));
            let resources = (self.clock, self.limits, seats.0, seats.1);
            LogEngine::new(component, &origin, sha256, cache, resources)?
        };
        Ok(Host { engine: SharedEngine::new(engine), stores: Arc::default() })
    }
}
