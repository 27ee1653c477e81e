//! Logs by their URLs: the store, the log's name and a host in one value.
//!
//! 1. The store of a root is shared by all logs below it, for as long as one of them is used.
//! 2. Nothing here blocks a thread of the runtime: the component is compiled, and credentials are
//!    read, on a thread for blocking calls.

use std::fmt;
use std::sync::Arc;

use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

use crate::error::{Error, Result};
use crate::host::Host;
use crate::log::{Copier, Files, FilesOptions, ListOptions, Log, Logs, Reader, Verifier};
use crate::named_position::NamedPosition;
use crate::options::LogOptions;
use crate::read_options::ReadOptions;
use crate::stats::Stats;
use crate::store::{Location, Root, Store, StoreOptions};
use crate::types::{
    CompactOptions, Compaction, CompactionPlan, RepairStep, TrimOptions, TrimPoint, TrimResult,
};

/// The host of [`at`], once it is compiled.
static SHARED: OnceCell<Host> = OnceCell::const_new();

/// A log at a URL: what every operation on it needs. Cheap to clone.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), stratalog::Error> {
/// let errors = stratalog::at("memory:errors").await?; // s3://bucket/app/errors, ./errors, …
/// let log = errors.open().await?;
/// log.append(br#"{"error":"disk full"}"#).await?;
/// log.close().await?;
/// assert_eq!(errors.stat().await?.events, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct LogAt {
    host: Host,
    store: Store,
    name: Arc<str>,
}

/// Returns the log at a URL, or at a path of the local file system, on a host that all callers of
/// this process share: see [`Host::shared`].
///
/// The URL has one of these forms; the last segment is the log's name:
///
/// | store | URL |
/// |---|---|
/// | local folder | `./logs/errors`, `/srv/logs/errors`, `file:///srv/logs/errors` |
/// | S3 | `s3://BUCKET/PREFIX/errors` |
/// | Google Cloud Storage | `gs://BUCKET/PREFIX/errors` |
/// | Azure Blob Storage | `az://CONTAINER/PREFIX/errors` |
/// | WebDAV | `https://HOST/PATH/errors` |
/// | memory | `memory:errors` |
///
/// Credentials come from the environment (`AWS_*`, `GOOGLE_*`, `AZURE_*`), when a store is opened.
/// Logs of one root share its store and its connections while one of them is in use. So logs in
/// memory exist for as long as one of them does.
///
/// Makes no request. Nothing is created before the first flush.
///
/// # Errors
/// [`Error::Location`] and [`Error::Open`]: the text names no log, or the store cannot be opened as
/// the environment says. Otherwise as [`HostBuilder::build`](crate::HostBuilder::build).
pub async fn at(url: &str) -> Result<LogAt> {
    // A text that is wrong is refused before anything is compiled.
    let location = Location::parse(url)?;
    Host::shared().await?.at_location(location, None).await
}

impl Host {
    /// Returns a host of the embedded component that all callers of this process share. The first
    /// call makes it, on a thread for blocking calls. Compiled code is kept in
    /// [`Host::default_cache_folder`], if there is one: then only the first process of a user
    /// compiles, which takes about a second, and others take a few milliseconds.
    ///
    /// # Errors
    /// As [`HostBuilder::build`](crate::HostBuilder::build). The next call tries again.
    pub async fn shared() -> Result<Self> {
        let make = || async {
            let build = || {
                let builder = Self::builder();
                match Self::default_cache_folder() {
                    Some(folder) => builder.cache_folder(folder).build(),
                    None => builder.build(),
                }
            };
            unblocked(build).await
        };
        SHARED.get_or_try_init(make).await.cloned()
    }

    /// Returns the log at a URL, or at a path of the local file system: see [`at`].
    ///
    /// # Errors
    /// As [`at`].
    pub async fn at(&self, url: &str) -> Result<LogAt> {
        self.at_location(Location::parse(url)?, None).await
    }

    /// Returns the log at a URL, in a store that is opened with these options. The store is not
    /// shared with other calls.
    ///
    /// # Errors
    /// As [`at`].
    pub async fn at_with(&self, url: &str, options: StoreOptions) -> Result<LogAt> {
        self.at_location(Location::parse(url)?, Some(options)).await
    }

    /// Opens the log at a URL for appending. Short for [`Host::at`] and [`LogAt::open`].
    ///
    /// # Errors
    /// As [`at`] and [`Host::open`].
    pub async fn open_url(&self, url: &str) -> Result<Log> {
        self.at(url).await?.open().await
    }

    async fn at_location(
        &self,
        location: Location,
        options: Option<StoreOptions>,
    ) -> Result<LogAt> {
        let Location { root, name } = location;
        let store = self.store_of(root, options).await?;
        Ok(LogAt { host: self.clone(), store, name: name.into() })
    }

    /// Finds the logs below a URL without the name of a log, such as `s3://bucket/team`: see
    /// [`Host::logs`].
    ///
    /// # Errors
    /// As [`at`] and [`Host::logs`].
    pub async fn logs_at(&self, root: &str, options: ListOptions) -> Result<Logs> {
        let store = self.store_of(Root::parse(root)?, None).await?;
        self.logs(&store, "", options).await
    }

    /// Opens the store of a root: with these options, or to share it with other logs.
    async fn store_of(&self, root: Root, options: Option<StoreOptions>) -> Result<Store> {
        let key = root.to_string();
        let kept = options.is_none().then(|| self.stores().kept(&key)).flatten();
        match (kept, options) {
            (Some(store), _) => Ok(store),
            (None, Some(options)) => unblocked(move || Ok(Store::open(&root, &options)?)).await,
            (None, None) => {
                let opened = unblocked(move || Ok(Store::open(&root, &StoreOptions::new())?));
                Ok(self.stores().keep(key, opened.await?))
            }
        }
    }
}

/// Runs something that may block its thread.
async fn unblocked<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(failed) => Err(Error::Guest(format!("cannot open: {failed}"))),
    }
}

impl LogAt {
    /// Returns the host that runs the log.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Returns the store of the log.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the log's name below the store's root.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Opens the log for appending, with all defaults: see [`Host::open`].
    ///
    /// # Errors
    /// As [`Host::open`].
    pub async fn open(&self) -> Result<Log> {
        self.open_with(LogOptions::new()).await
    }

    /// Opens the log for appending: see [`Host::open`].
    ///
    /// # Errors
    /// As [`Host::open`].
    pub async fn open_with(&self, options: LogOptions) -> Result<Log> {
        self.host.open(&self.store, &self.name, options).await
    }

    /// Reads all stored events: see [`Host::read`].
    ///
    /// # Errors
    /// As [`Host::read`].
    pub async fn read(&self) -> Result<Reader> {
        self.host.read(&self.store, &self.name).await
    }

    /// Reads the events that the options select: see [`Host::read_with`].
    ///
    /// # Errors
    /// As [`Host::read_with`].
    pub async fn read_with(&self, options: ReadOptions) -> Result<Reader> {
        self.host.read_with(&self.store, &self.name, options).await
    }

    /// Reads the log from a named position: see [`Host::read_named`].
    ///
    /// # Errors
    /// As [`Host::read_named`].
    pub async fn read_named(&self, position: &str, options: ReadOptions) -> Result<Reader> {
        self.host.read_named(&self.store, &self.name, position, options).await
    }

    /// Returns the named positions: see [`Host::named_positions`].
    ///
    /// # Errors
    /// As [`Host::named_positions`].
    pub async fn named_positions(&self) -> Result<Vec<NamedPosition>> {
        self.host.named_positions(&self.store, &self.name).await
    }

    /// Forgets a named position: see [`Host::forget_position`].
    ///
    /// # Errors
    /// As [`Host::forget_position`].
    pub async fn forget_position(&self, position: &str) -> Result<bool> {
        self.host.forget_position(&self.store, &self.name, position).await
    }

    /// Compacts the log: see [`Host::compact`].
    ///
    /// # Errors
    /// As [`Host::compact`].
    pub async fn compact(&self, options: &CompactOptions) -> Result<Compaction> {
        self.host.compact(&self.store, &self.name, options).await
    }

    /// Returns what [`LogAt::compact`] would do now: see [`Host::plan_compaction`].
    ///
    /// # Errors
    /// As [`Host::plan_compaction`].
    pub async fn plan_compaction(&self, options: &CompactOptions) -> Result<CompactionPlan> {
        self.host.plan_compaction(&self.store, &self.name, options).await
    }

    /// Permanently removes the oldest events: see [`Host::trim`].
    ///
    /// # Errors
    /// As [`Host::trim`].
    pub async fn trim(&self, until: TrimPoint, options: TrimOptions) -> Result<TrimResult> {
        self.host.trim(&self.store, &self.name, until, options).await
    }

    /// Returns what [`LogAt::trim`] would do now: see [`Host::plan_trim`].
    ///
    /// # Errors
    /// As [`Host::plan_trim`].
    pub async fn plan_trim(&self, until: TrimPoint, options: TrimOptions) -> Result<TrimResult> {
        self.host.plan_trim(&self.store, &self.name, until, options).await
    }

    /// Begins to check all objects: see [`Host::verify`].
    ///
    /// # Errors
    /// As [`Host::verify`].
    pub async fn verify(&self) -> Result<Verifier> {
        self.host.verify(&self.store, &self.name).await
    }

    /// Repairs the log as far as possible: see [`Host::repair`].
    ///
    /// # Errors
    /// As [`Host::repair`].
    pub async fn repair(&self) -> Result<Vec<RepairStep>> {
        self.host.repair(&self.store, &self.name).await
    }

    /// Returns what [`LogAt::repair`] would do now: see [`Host::plan_repair`].
    ///
    /// # Errors
    /// As [`Host::plan_repair`].
    pub async fn plan_repair(&self) -> Result<Vec<RepairStep>> {
        self.host.plan_repair(&self.store, &self.name).await
    }

    /// Lists the objects that have the events now: see [`Host::files`].
    ///
    /// # Errors
    /// As [`Host::files`].
    pub async fn files(&self, options: FilesOptions) -> Result<Files> {
        self.host.files(&self.store, &self.name, options).await
    }

    /// Copies the log to another one: see [`Host::copy`]. The mark of that one names the store
    /// and the name of this one, without secrets.
    ///
    /// # Errors
    /// As [`Host::copy`].
    pub async fn copy_to(&self, target: &Self) -> Result<Copier> {
        let note = format!("{}: {}", self.store.description(), self.name);
        let (from, to) = ((&self.store, &*self.name), (&target.store, &*target.name));
        self.host.copy(from, to, &note).await
    }

    /// Counts objects, events and bytes: see [`Host::stat`].
    ///
    /// # Errors
    /// As [`Host::stat`].
    pub async fn stat(&self) -> Result<Stats> {
        self.host.stat(&self.store, &self.name).await
    }
}

impl fmt::Debug for LogAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogAt").field("store", &self.store).field("name", &self.name).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn logs_of_one_root_share_a_store_while_one_is_in_use() {
        let host = Host::new().unwrap();
        let one = host.at("memory:one").await.unwrap();
        let log = one.open().await.unwrap();
        log.append("event").await.unwrap();
        log.close().await.unwrap();
        let again = host.at("memory:one").await.unwrap();
        assert_eq!(again.stat().await.unwrap().events, 1);
        let apart = host.at_with("memory:one", StoreOptions::new()).await.unwrap();
        assert!(matches!(apart.stat().await, Err(Error::NoLog(_))));
        let key = Location::parse("memory:one").unwrap().root.to_string();
        drop((one, again, log));
        // The task of the closed log has a clone until it ends.
        let ended = async {
            while host.stores().kept(&key).is_some() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(60), ended).await.unwrap();
        let later = host.at("memory:one").await.unwrap();
        assert!(matches!(later.stat().await, Err(Error::NoLog(_))));
    }

    #[tokio::test]
    async fn text_that_is_no_location_is_refused_before_a_host_is_made() {
        let refused = at("s4://bucket/log").await;
        assert!(matches!(refused, Err(Error::Location(_))), "{refused:?}");
        assert!(SHARED.get().is_none());
    }
}
