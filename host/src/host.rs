//! The host: runs the component and opens logs.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::log::reader::Reader;
use crate::log::{Files, FilesOptions, ListOptions, Log, Logs, Verifier};
use crate::named_position::NamedPosition;
use crate::options::LogOptions;
use crate::read_options::ReadOptions;
use crate::sandbox::component_file;
use crate::sandbox::engine::{Charge, SharedEngine};
use crate::stats::Stats;
use crate::store::Store;
use crate::stores::Stores;
use crate::types::{
    CompactOptions, Compaction, CompactionPlan, RepairStep, TrimOptions, TrimPoint, TrimResult,
};

pub(crate) mod builder;
mod copying;
mod feeding;

use builder::HostBuilder;

/// The component that is built with this crate.
static EMBEDDED: &[u8] = include_bytes!(env!("STRATALOG_COMPONENT"));

/// The SHA-256 of its bytes.
const EMBEDDED_SHA256: &str = env!("STRATALOG_COMPONENT_SHA256");

/// Runs the log's component. Cheap to clone; one is enough for a process.
///
/// Each pass, each compaction and each other operation has an instance of its own. So has each open
/// log that is in use: see [`HostBuilder::live_logs_max`].
/// After the second instance, the host keeps one more ready, which takes less than 200 KiB of
/// memory.
///
/// Every call is cancel safe. A dropped call that opens something has changed nothing. A dropped
/// call that changes a log ([`Host::compact`], [`Host::trim`]) stops where it is, as a crash would
/// stop it. No event is lost or repeated. A request that was sent may still take effect, and the
/// next compaction removes the garbage. The host itself is unchanged, and no other call is
/// affected.
#[derive(Clone)]
pub struct Host {
    engine: SharedEngine,
    stores: Arc<Stores>,
}

impl Host {
    /// Creates a host of the embedded component with all defaults and without a cache.
    ///
    /// # Errors
    /// As [`HostBuilder::build`].
    pub fn new() -> Result<Self> {
        Self::builder().build()
    }

    /// Returns the bytes of a component's file, of at most 256 MiB.
    ///
    /// # Errors
    /// [`Error::Component`]: the file cannot be read, or is larger.
    pub fn read_component(file: &Path) -> Result<Vec<u8>> {
        component_file::read(file).map_err(Error::Component)
    }

    /// Returns the stores of the logs that were opened by URL.
    pub(crate) fn stores(&self) -> &Stores {
        &self.stores
    }

    pub(crate) fn engine(&self) -> &SharedEngine {
        &self.engine
    }

    /// Returns the same host for a plugin: the memory of its instances counts against the plugin's
    /// limit.
    pub(crate) fn charging(&self, charge: &Charge) -> Self {
        Self { engine: self.engine.charging(charge), stores: self.stores.clone() }
    }

    /// Returns a builder of a host.
    pub fn builder() -> HostBuilder {
        HostBuilder::default()
    }

    /// Returns the component that is built with this crate, which runs unless another is given.
    #[must_use]
    pub fn embedded_component() -> &'static [u8] {
        EMBEDDED
    }

    /// Returns the SHA-256 of the component's bytes, in 64 hexadecimal digits.
    pub fn component_sha256(&self) -> &str {
        self.engine.engine().sha256()
    }

    /// Opens a log for appending, in an instance of its own. The log need not exist. Lists it once
    /// and creates nothing: the first flush creates the log. Every other method of a host needs a
    /// log that exists, and returns [`Error::NoLog`] if there is none.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for the name or an option, [`Error::StoreFailed`].
    pub async fn open(&self, store: &Store, name: &str, options: LogOptions) -> Result<Log> {
        Log::open(self.engine.clone(), store.clone(), name, options).await
    }

    /// Reads all stored events of a log, in an instance of its own. Makes no request yet. If the
    /// log does not exist, the first [`Reader::next`] returns [`Error::NoLog`].
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for the name.
    pub async fn read(&self, store: &Store, name: &str) -> Result<Reader> {
        self.read_with(store, name, ReadOptions::new()).await
    }

    /// Reads the events of a log that the options select, in an instance of its own. Makes no
    /// request yet.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for the name or an option. The text names it.
    pub async fn read_with(
        &self,
        store: &Store,
        name: &str,
        options: ReadOptions,
    ) -> Result<Reader> {
        Reader::open_with(&self.engine, store, name, None, options).await
    }

    /// Reads a log from a named position, which [`Reader::commit`] then moves. The reader begins at
    /// the position that was committed last under that name. If there is none, it begins where the
    /// options say: then `start` and `last` apply.
    ///
    /// A name has 1 to 64 of the characters `a-z`, `0-9`, `-` and `.`, and belongs to the log.
    /// Of the readers that have one open, one can commit, and the others get [`Error::Conflict`].
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a name or an option, [`Error::StoreFailed`],
    /// [`Error::Unsupported`], and [`Error::Damaged`] if the position cannot be read.
    pub async fn read_named(
        &self,
        store: &Store,
        name: &str,
        position: &str,
        options: ReadOptions,
    ) -> Result<Reader> {
        Reader::open_with(&self.engine, store, name, Some(position), options).await
    }

    /// Returns the named positions of a log, sorted by name.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for the name, [`Error::NoLog`], [`Error::StoreFailed`],
    /// [`Error::Unsupported`], and [`Error::Damaged`] if a position cannot be read.
    pub async fn named_positions(&self, store: &Store, name: &str) -> Result<Vec<NamedPosition>> {
        let named = self.engine.instantiate(store).await?.named_positions(name).await?;
        Ok(named.into_iter().map(NamedPosition::from).collect())
    }

    /// Forgets a named position. Returns false if there is none. A reader that has the name open
    /// can commit no more, and the next one begins where its options say. A position that is
    /// damaged can be forgotten, too.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a name, [`Error::NoLog`], [`Error::StoreFailed`],
    /// [`Error::WriteFailed`], [`Error::Unsupported`], and [`Error::Conflict`] if readers keep
    /// committing under the name.
    pub async fn forget_position(&self, store: &Store, name: &str, position: &str) -> Result<bool> {
        Ok(self.engine.instantiate(store).await?.forget_position(name, position).await?)
    }

    /// Compacts a log, in an instance of its own. It absorbs the live batches, in order, into new
    /// segments. It merges neighbouring segments where enough of about one size follow each other.
    /// Then it deletes the objects that it replaced, and the garbage of other processes. Safe at
    /// any time, concurrently with any number of writers, readers and other compactors, and against
    /// a crash at any point. No event changes its place.
    ///
    /// # Errors
    /// - [`Error::InvalidInput`] for the name or an option.
    /// - [`Error::NoLog`], [`Error::StoreFailed`], [`Error::WriteFailed`], [`Error::Damaged`].
    /// - [`Error::Conflict`]: other compactors won every time.
    /// - [`Error::Unsupported`]: the store has no create-if-absent.
    pub async fn compact(
        &self,
        store: &Store,
        name: &str,
        options: &CompactOptions,
    ) -> Result<Compaction> {
        Ok(self.engine.instantiate(store).await?.compact(name, options).await?)
    }

    /// Returns what [`Host::compact`] would do now. Changes nothing.
    ///
    /// # Errors
    /// [`Error::InvalidInput`], [`Error::NoLog`], [`Error::StoreFailed`] or [`Error::Damaged`].
    pub async fn plan_compaction(
        &self,
        store: &Store,
        name: &str,
        options: &CompactOptions,
    ) -> Result<CompactionPlan> {
        Ok(self.engine.instantiate(store).await?.plan_compaction(name, options).await?)
    }

    /// Permanently removes the oldest events of a log. Readers no longer yield them, and no object
    /// that the log names contains them. Segments that contain no other events are deleted. The
    /// segment at the boundary is replaced by a new one without them. Positions do not change. Live
    /// batches that the point covers are absorbed first.
    ///
    /// # Errors
    /// As [`Host::compact`].
    pub async fn trim(
        &self,
        store: &Store,
        name: &str,
        until: TrimPoint,
        options: TrimOptions,
    ) -> Result<TrimResult> {
        Ok(self.engine.instantiate(store).await?.trim(name, &until.into(), options).await?)
    }

    /// Returns what [`Host::trim`] would do now. Changes nothing.
    ///
    /// # Errors
    /// [`Error::InvalidInput`], [`Error::StoreFailed`] or [`Error::Damaged`].
    pub async fn plan_trim(
        &self,
        store: &Store,
        name: &str,
        until: TrimPoint,
        options: TrimOptions,
    ) -> Result<TrimResult> {
        Ok(self.engine.instantiate(store).await?.plan_trim(name, &until.into(), options).await?)
    }

    /// Begins to check all objects of a log, in an instance of its own. If the log does not exist,
    /// the first [`Verifier::next`] reports it.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for the name, [`Error::StoreFailed`].
    pub async fn verify(&self, store: &Store, name: &str) -> Result<Verifier> {
        Verifier::open(&self.engine, store, name).await
    }

    /// Repairs a log as far as possible without guessing, and returns the steps in the order in
    /// which they were done. Reads the whole log. Afterwards [`Host::verify`] finds no damage,
    /// unless a step is [`RepairAction::Nothing`](crate::RepairAction::Nothing). Safe concurrently
    /// with writers, readers and compactors, and against a crash at any point: a second call
    /// continues. On WebDAV, stop the writers first: there a batch can be seen torn while it is
    /// written.
    ///
    /// # Errors
    /// As [`Host::compact`](crate::Host::compact), except for the damage that it repairs.
    /// [`Error::StoreFailed`](crate::Error::StoreFailed) if a listing and the objects disagree on
    /// which objects exist or how large they are. Nothing is changed that only one of them
    /// supports.
    pub async fn repair(&self, store: &Store, name: &str) -> Result<Vec<RepairStep>> {
        Ok(self.engine.instantiate(store).await?.repair(name, false).await?)
    }

    /// Returns what [`Host::repair`] would do now. Where one step depends on another, the list ends
    /// before it. Changes nothing. Reads the whole log.
    ///
    /// # Errors
    /// As [`Host::verify`](crate::Host::verify), and as [`Host::repair`] if listing and objects
    /// disagree.
    pub async fn plan_repair(&self, store: &Store, name: &str) -> Result<Vec<RepairStep>> {
        Ok(self.engine.instantiate(store).await?.repair(name, true).await?)
    }

    /// Counts the objects, events and bytes of a log without reading its events.
    ///
    /// # Errors
    /// [`Error::InvalidInput`], [`Error::NoLog`], [`Error::StoreFailed`] or [`Error::Damaged`].
    pub async fn stat(&self, store: &Store, name: &str) -> Result<Stats> {
        Ok(self.engine.instantiate(store).await?.stat(name).await?.into())
    }

    /// Lists the objects, or ranges of them, that have the events of a log now, for tools that read
    /// them as they are.
    ///
    /// Their events, one range after the other, are those that a reader returns, in its order. The
    /// list is of one state of the log. A compaction or a trim may delete objects of it afterwards:
    /// if one is gone, list again.
    ///
    /// Lists the log and reads its manifest. Also reads the index of each segment of which only
    /// some events are listed, and, of a batch that a lazy trim has cut, the trimmed events.
    ///
    /// # Errors
    /// [`Error::InvalidInput`], [`Error::NoLog`], [`Error::StoreFailed`], [`Error::Damaged`] or
    /// [`Error::Unsupported`].
    pub async fn files(&self, store: &Store, name: &str, options: FilesOptions) -> Result<Files> {
        Files::list(&self.engine, store, name, options).await
    }

    /// Finds the logs below a folder of a store, at any depth, and counts what the names of their
    /// objects tell. Lists the folder once and reads nothing else: see
    /// [`Store::tree`](crate::store::Store::tree) for the requests. `folder` is relative to the
    /// store's root; empty for all logs.
    ///
    /// ```
    /// # use stratalog::store::Store;
    /// # use stratalog::{Host, ListOptions};
    /// # async fn example(host: Host, store: Store) -> Result<(), stratalog::Error> {
    /// let mut logs = host.logs(&store, "", ListOptions::new()).await?;
    /// while let Some(log) = logs.next().await? {
    ///     println!("{}: {:?}", log.name, log.counts);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if the root is a local folder that does not exist, and
    /// [`Error::StoreFailed`].
    pub async fn logs(&self, store: &Store, folder: &str, options: ListOptions) -> Result<Logs> {
        Logs::open(&self.engine, store, folder, options).await
    }

    /// Returns the folder where the command line keeps compiled components by default:
    /// `$XDG_CACHE_HOME/stratalog`, or the platform's equivalent.
    pub fn default_cache_folder() -> Option<PathBuf> {
        let folders = directories::ProjectDirs::from("", "", "stratalog")?;
        Some(folders.cache_dir()).filter(|folder| folder.is_absolute()).map(Path::to_path_buf)
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("component_sha256", &self.component_sha256()).finish()
    }
}
