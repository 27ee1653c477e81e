//! The host: a component, and the logs opened through it.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::clock::Clock;
use crate::compact_options::CompactOptions;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::log::Log;
use crate::log::reader::Reader;
use crate::options::LogOptions;
use crate::read_options::ReadOptions;
use crate::records::{Compaction, CompactionPlan, Stats};
use crate::repairs::RepairStep;
use crate::sandbox::engine::{Charge, LogEngine, SharedEngine};
use crate::store::Store;
use crate::trimming::{TrimOptions, TrimPoint, Trimmed};
use crate::verifier::Verifier;

/// The component that is built with this crate.
static EMBEDDED: &[u8] = include_bytes!(env!("STRATALOG_COMPONENT"));

/// Runs the log's component. Cheap to clone; one is enough for a process.
///
/// Every log that is opened, and every pass, compaction and other work on one, gets an instance of its
/// own. From the second on, another one is kept ready for the next, less than 200 KiB of memory.
///
/// Every call is cancel safe. One that opens something and is dropped has changed nothing. One that
/// changes a log ([`Host::compact`], [`Host::trim`]) and is dropped stops where it is, as by a crash:
/// no event is lost or repeated, a request that was sent may still be done, and the next compaction
/// removes what is left over. The host is as before; none of this is seen by other calls.
#[derive(Clone)]
pub struct Host {
    engine: SharedEngine,
}

/// Sets up a [`Host`].
#[derive(Debug, Default)]
pub struct HostBuilder {
    component: Option<Source>,
    cache: Option<PathBuf>,
    clock: Clock,
    limits: Limits,
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

    /// Keeps the compiled component below this folder for later processes. Without it each host
    /// compiles anew, which takes about a second.
    ///
    /// What is kept is native code. It is run only if the folder, the folder in it and the file belong
    /// to the user of this process, nobody else may write to them, and the file's digest is right. Else
    /// the component is compiled anew: a warning names the file or the folder and the reason, and the
    /// file is replaced. The folder is made, for this user alone, if it is not there. It holds at most
    /// 200 compiled components of 1 GiB in all; those that were not used for the longest time go.
    /// A disk that is full or read-only is no failure.
    #[must_use]
    pub fn cache_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache = Some(folder.into());
        self
    }

    /// Lends the component this clock instead of the system's.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Limits every instance.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Compiles the component.
    ///
    /// # Errors
    /// [`Error::Component`] when it cannot be read, is not a component, lacks an export or imports what
    /// it is not given; [`Error::LimitReached`] where this process may have too little address space.
    pub fn build(self) -> Result<Host> {
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
                bytes = std::fs::read(file).map_err(|error| {
                    Error::Component(format!("cannot read the component {origin}: {error}"))
                })?;
                &bytes[..]
            }
        };
        let engine = {
            let cache = self.cache.as_deref();
            LogEngine::new(component, &origin, cache, self.clock, self.limits)?
        };
        Ok(Host { engine: SharedEngine::new(engine) })
    }
}

impl Host {
    /// A host of the embedded component with all defaults and no cache.
    ///
    /// # Errors
    /// As [`HostBuilder::build`].
    pub fn new() -> Result<Self> {
        Self::builder().build()
    }

    pub(crate) fn engine(&self) -> &SharedEngine {
        &self.engine
    }

    /// The same host, for a plugin: what its instances hold counts against the plugin's memory.
    pub(crate) fn charging(&self, charge: &Charge) -> Self {
        Self { engine: self.engine.charging(charge) }
    }

    /// Sets up a host.
    pub fn builder() -> HostBuilder {
        HostBuilder::default()
    }

    /// The component that is built with this crate: what runs unless another is given.
    #[must_use]
    pub fn embedded_component() -> &'static [u8] {
        EMBEDDED
    }

    /// The SHA-256 of the component's bytes, in 64 hexadecimal digits.
    pub fn component_sha256(&self) -> &str {
        self.engine.engine().sha256()
    }

    /// Opens a log for appending, in an instance of its own, whether it exists or not. Lists it once,
    /// creates nothing: the first flush makes the log. Every other method of a host is about a log
    /// that exists, and says [`Error::NoLog`] where there is none.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for the name or an option, [`Error::StoreFailed`].
    pub async fn open(&self, store: &Store, name: &str, options: LogOptions) -> Result<Log> {
        Log::open(self.engine.clone(), store.clone(), name, options).await
    }

    /// Reads everything stored of a log, in an instance of its own. Makes no request yet: that there
    /// is no such log, the first [`Reader::next`] says with [`Error::NoLog`].
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for the name.
    pub async fn read(&self, store: &Store, name: &str) -> Result<Reader> {
        self.read_with(store, name, ReadOptions::new()).await
    }

    /// Reads what the options say of a log, in an instance of its own. Makes no request yet.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for the name or an option: the text names it.
    pub async fn read_with(
        &self,
        store: &Store,
        name: &str,
        options: ReadOptions,
    ) -> Result<Reader> {
        let skips_damaged = options.skips_damaged();
        let mut reader = Reader::open(&self.engine, store, name, &options.into_wit()).await?;
        if skips_damaged {
            reader.skip_damaged().await?;
        }
        Ok(reader)
    }

    /// Compacts a log, in an instance of its own: absorbs its live batches, in order, into new
    /// segments, merges segments where enough of about one size stand side by side, and deletes what
    /// that replaced and what others have left over. Safe at any time, beside any number of writers,
    /// readers and other compactors, and against a crash at any point. No event changes its place.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for the name or an option, [`Error::NoLog`], [`Error::StoreFailed`],
    /// [`Error::WriteFailed`], [`Error::Damaged`], [`Error::Conflict`] when other compactors kept
    /// winning, or [`Error::Unsupported`] on a store without create-if-absent.
    pub async fn compact(
        &self,
        store: &Store,
        name: &str,
        options: &CompactOptions,
    ) -> Result<Compaction> {
        self.engine.instantiate(store).await?.compact(name, options).await
    }

    /// What [`Host::compact`] would do now. Changes nothing.
    ///
    /// # Errors
    /// [`Error::InvalidInput`], [`Error::NoLog`], [`Error::StoreFailed`] or [`Error::Damaged`].
    pub async fn plan_compaction(
        &self,
        store: &Store,
        name: &str,
        options: &CompactOptions,
    ) -> Result<CompactionPlan> {
        let mut instance = self.engine.instantiate(store).await?;
        let (guest, instances, time) = instance.begin();
        let plan =
            time.measure(guest.call_plan_compaction(instances, name, options.to_wit())).await;
        Ok(plan.map_err(|error| Error::trapped(&error))??.into())
    }

    /// Gives up events at the beginning of a log, permanently. Readers no longer yield them, and no
    /// object that the log names holds them: segments that hold nothing else are deleted, and of the
    /// segment at the boundary a new one is written without them. Positions do not change. Live batches
    /// that the point covers are absorbed first.
    ///
    /// # Errors
    /// As [`Host::compact`].
    pub async fn trim(
        &self,
        store: &Store,
        name: &str,
        until: TrimPoint,
        options: TrimOptions,
    ) -> Result<Trimmed> {
        let mut instance = self.engine.instantiate(store).await?;
        let (guest, instances, time) = instance.begin();
        let until = until.into();
        let done = guest.call_trim(instances, name, &until, options.to_wit());
        let done = time.measure(done).await;
        Ok(done.map_err(|error| Error::trapped(&error))??.into())
    }

    /// What [`Host::trim`] would do now. Changes nothing.
    ///
    /// # Errors
    /// [`Error::InvalidInput`], [`Error::StoreFailed`] or [`Error::Damaged`].
    pub async fn plan_trim(
        &self,
        store: &Store,
        name: &str,
        until: TrimPoint,
        options: TrimOptions,
    ) -> Result<Trimmed> {
        let mut instance = self.engine.instantiate(store).await?;
        let (guest, instances, time) = instance.begin();
        let until = until.into();
        let plan = guest.call_plan_trim(instances, name, &until, options.to_wit());
        let done = time.measure(plan).await;
        Ok(done.map_err(|error| Error::trapped(&error))??.into())
    }

    /// Begins to check everything there is of a log, in an instance of its own. That there is no such
    /// log, the first [`Verifier::next`] says.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for the name, [`Error::StoreFailed`].
    pub async fn verify(&self, store: &Store, name: &str) -> Result<Verifier> {
        Verifier::open(&self.engine, store, name).await
    }

    /// Repairs a log as far as that can be done without guessing; returns what it did, in the order in
    /// which it did it. Reads the whole log. [`Host::verify`] finds nothing damaged afterwards, unless a
    /// step says [`RepairAction::Nothing`]. Safe beside writers, readers and compactors, and against a
    /// crash at any point: a second call goes on. On WebDAV, where a batch that is being written can be
    /// seen torn, stop the writers first.
    ///
    /// # Errors
    /// As [`Host::compact`](crate::Host::compact), but not for the damage that it is about.
    /// [`Error::StoreFailed`](crate::Error::StoreFailed) where a listing and the objects do not agree on what
    /// is there or how large it is: nothing is changed by what only one of them says.
    pub async fn repair(&self, store: &Store, name: &str) -> Result<Vec<RepairStep>> {
        self.engine().instantiate(store).await?.repair(name, false).await
    }

    /// What [`Host::repair`] would do now; where one step depends on another, it ends before that.
    /// Changes nothing. Reads the whole log.
    ///
    /// # Errors
    /// As [`Host::verify`](crate::Host::verify), and as [`Host::repair`] where listing and objects disagree.
    pub async fn plan_repair(&self, store: &Store, name: &str) -> Result<Vec<RepairStep>> {
        self.engine().instantiate(store).await?.repair(name, true).await
    }

    /// Counts a log without reading its events.
    ///
    /// # Errors
    /// [`Error::InvalidInput`], [`Error::NoLog`], [`Error::StoreFailed`] or [`Error::Damaged`].
    pub async fn stat(&self, store: &Store, name: &str) -> Result<Stats> {
        let mut instance = self.engine.instantiate(store).await?;
        let (guest, instances, time) = instance.begin();
        let stats = time.measure(guest.call_stat(instances, name)).await;
        Ok(stats.map_err(|error| Error::trapped(&error))??.into())
    }

    /// The folder where the command line keeps compiled components, unless told otherwise:
    /// `$XDG_CACHE_HOME/stratalog`, or what the platform has in its place.
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
