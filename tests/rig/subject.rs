//! The log as tests see it: one interface for the logic run natively and for the built component,
//! so that each test runs on both.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use stratalog::store::{ConditionalCreate, Store};
use stratalog::{
    Clock, CompactOptions, Compaction, Error, Host, ListOptions, ListedLog, LogOptions, Stats,
    Written,
};
use stratalog_guest as guest;
use stratalog_guest::decide::options::CompactInput;
use tokio::runtime::Runtime;

use crate::adapter::joined::{self, Joined};
use crate::adapter::{Adapter, Given};
use crate::counter::Counter;
use crate::faults::Faults;
use crate::faulty::Faulty;
use crate::native::{NativeStore, NativeSystem};
use crate::passes::{Pages, Pass};
use crate::records::{compaction, error, log_name, stats, written};
use crate::tools::cache_folder;
use crate::waits::until;
use crate::warnings;

/// Microseconds since 1970, set by a test. Starts in 2023.
#[derive(Clone)]
pub struct TestClock(Arc<AtomicU64>);

impl Default for TestClock {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(1_700_000_000_000_000)))
    }
}

impl TestClock {
    pub fn micros(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
    pub fn set(&self, micros: u64) {
        self.0.store(micros, Ordering::SeqCst);
    }
    /// Sets the time of the system.
    fn set_to_now(&self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        self.set(u64::try_from(now.as_micros()).unwrap());
    }
    pub fn advance(&self, micros: u64) {
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
    fn host_clock(&self) -> Clock {
        let clock = self.clone();
        Clock::new(move || Duration::from_micros(clock.micros()))
    }
}

/// Which form of the logic runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Compiled natively.
    Native,
    /// The component, in this host.
    Component,
    /// The component joined with a store of `adapters`, in a host that has only WASI.
    Joined,
}

/// The options of a writer.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub flush_threshold: u32,
    pub flush_interval_ms: u32,
    pub event_bytes_max: u32,
    pub buffer_bytes_max: u32,
    pub creates_max: u32,
}

impl Default for Settings {
    /// Returns the defaults of the log, but never sealed by age: tests tick by themselves.
    fn default() -> Self {
        Self {
            flush_threshold: 32,
            flush_interval_ms: 0,
            event_bytes_max: 1 << 20,
            buffer_bytes_max: 16 << 20,
            creates_max: 4,
        }
    }
}

/// A world for one test: a store that fails on request, a clock, and the log in it.
pub struct World {
    pub kind: Kind,
    pub faulty: Faulty,
    /// The faults of the store.
    pub faults: Arc<Faults>,
    /// The requests to the store.
    pub counter: Counter,
    pub clock: TestClock,
    pub runtime: Arc<Runtime>,
    pub(crate) store: Store,
    pub(crate) system: NativeSystem,
    joined: Option<Joined>,
    host: OnceLock<Host>,
}

/// Runs a test on the logic run natively, then on the built component.
pub fn on_both(test: impl Fn(&World)) {
    for kind in [Kind::Native, Kind::Component] {
        eprintln!("--- {kind:?}");
        test(&World::new(kind));
    }
}

impl World {
    pub fn new(kind: Kind) -> Self {
        let faulty = Faulty::default();
        let objects = Arc::new(faulty.clone());
        let store = Store::from_object_store(objects, "faulty", ConditionalCreate::Honoured);
        Self::on_store(kind, store, faulty)
    }

    /// Makes a world whose log lies in another store than the faulty one.
    pub fn on(kind: Kind, store: Store) -> Self {
        Self::on_store(kind, store, Faulty::default())
    }

    fn on_store(kind: Kind, store: Store, faulty: Faulty) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        warnings::collect();
        let clock = TestClock::default();
        let system = NativeSystem { clock: clock.clone(), ..NativeSystem::default() };
        let runtime = Arc::new(runtime);
        let (faults, counter) = (faulty.faults.clone(), faulty.counter.clone());
        let (joined, host) = (None, OnceLock::new());
        Self { kind, faulty, faults, counter, clock, runtime, store, system, joined, host }
    }

    /// Makes a world of a log joined with a store. `store` is the same store by the host, with
    /// which tests look at the objects.
    pub fn joined(adapter: Adapter, given: Given, store: Store) -> Self {
        let mut world = Self::on(Kind::Joined, store);
        // The store signs its requests by this clock.
        world.clock.set_to_now();
        let given = Given { clock: Some(world.clock.clone()), ..given };
        world.joined = Some(Joined::new(adapter, given));
        world
    }

    pub(crate) fn as_joined(&self) -> &Joined {
        self.joined.as_ref().expect("a joined log has a store")
    }

    pub fn host(&self) -> &Host {
        self.host.get_or_init(|| {
            let builder = Host::builder().clock(self.clock.host_clock());
            builder.cache_folder(cache_folder()).build().unwrap()
        })
    }

    /// Returns the logs below a folder of the store, by the host.
    pub fn logs(&self, folder: &str, shallow: bool) -> Result<Vec<ListedLog>, Error> {
        self.runtime.block_on(async {
            let options = ListOptions::new().shallow(shallow);
            let mut logs = self.host().logs(&self.store, folder, options).await?;
            let mut found = Vec::new();
            while let Some(log) = logs.next().await? {
                found.push(log);
            }
            Ok(found)
        })
    }

    pub(crate) fn native(&self) -> NativeStore {
        NativeStore { store: self.store.clone(), runtime: self.runtime.handle().clone() }
    }

    /// Returns the warnings so far; for the component, those of all logs of this process.
    pub fn warnings(&self) -> Vec<String> {
        match self.kind {
            Kind::Native => self.system.warnings.lock().unwrap().clone(),
            Kind::Component => warnings::all(),
            Kind::Joined => panic!("the warnings of a joined log go to the standard error"),
        }
    }

    /// Waits for a warning.
    pub fn await_warning(&self, text: &str) {
        until(text, || self.warnings().iter().any(|warning| warning.contains(text)));
    }

    pub fn open(&self, name: &str) -> Log {
        self.open_with(name, Settings::default()).unwrap()
    }

    pub fn open_with(&self, name: &str, settings: Settings) -> Result<Log, Error> {
        let runtime = self.runtime.clone();
        let handle = match self.kind {
            Kind::Native => {
                let options = guest::decide::options::OptionsInput {
                    flush_threshold: Some(settings.flush_threshold),
                    flush_bytes: None,
                    flush_interval_ms: Some(settings.flush_interval_ms),
                    event_bytes_max: Some(settings.event_bytes_max),
                    buffer_bytes_max: Some(settings.buffer_bytes_max),
                    creates_max: Some(settings.creates_max),
                };
                let (store, system) = (self.native(), self.system.clone());
                let writer =
                    guest::drive::writer::Writer::open(store, system.clone(), name, options);
                let writer = Mutex::new(writer.map_err(error)?);
                Handle::Native(Box::new(writer), self.native(), system)
            }
            Kind::Component => {
                let options = LogOptions::new()
                    .flush_threshold(settings.flush_threshold)
                    .flush_interval(Duration::from_millis(settings.flush_interval_ms.into()))
                    .event_bytes_max(settings.event_bytes_max)
                    .buffer_bytes_max(settings.buffer_bytes_max)
                    .creates_max(settings.creates_max);
                let opened = self.host().open(&self.store, name, options);
                Handle::Component(runtime.block_on(opened)?)
            }
            Kind::Joined => Handle::Joined(self.as_joined().open(name, settings)?),
        };
        Ok(Log { handle, runtime })
    }

    pub fn stat(&self, name: &str) -> Result<Stats, Error> {
        match self.kind {
            Kind::Native => {
                let log = log_name(name)?;
                guest::drive::stat::stat(self.native(), log).map(stats).map_err(error)
            }
            Kind::Component => self.runtime.block_on(self.host().stat(&self.store, name)),
            Kind::Joined => self.as_joined().stat(name),
        }
    }

    /// Returns the keys of the stored objects, in order.
    pub fn keys(&self) -> Vec<String> {
        let page = self.runtime.block_on(self.store.list("log/", None, 10_000)).unwrap();
        page.objects.into_iter().map(|object| object.key).collect()
    }

    /// Returns an object's bytes.
    pub fn object(&self, key: &str) -> String {
        let bytes = self.runtime.block_on(self.store.get(key, None)).unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    pub fn delete(&self, key: &str) {
        assert_eq!(self.runtime.block_on(self.store.delete(vec![key.to_owned()])), []);
    }

    /// Stores an object, in place of any existing one.
    pub fn put(&self, key: &str, bytes: &str) {
        self.delete(key);
        let create = self.store.create(key, bytes.to_owned().into(), false);
        self.runtime.block_on(create).unwrap();
    }
}

/// A handle that appends.
pub struct Log {
    handle: Handle,
    runtime: Arc<Runtime>,
}

type NativeWriter = Mutex<guest::drive::writer::Writer<NativeStore, NativeSystem>>;

enum Handle {
    Native(Box<NativeWriter>, NativeStore, NativeSystem),
    Component(stratalog::Log),
    Joined(joined::Log),
}

impl Log {
    pub fn append(&self, event: &str) -> Result<(), Error> {
        match &self.handle {
            Handle::Native(writer, ..) => {
                writer.lock().unwrap().append(event.as_bytes()).map_err(error)
            }
            Handle::Component(log) => self.runtime.block_on(log.append(event)),
            Handle::Joined(log) => log.append(event),
        }
    }

    pub fn append_lines(&self, lines: &str) -> Result<u64, Error> {
        match &self.handle {
            Handle::Native(writer, ..) => {
                writer.lock().unwrap().append_lines(lines.as_bytes().to_vec()).map_err(error)
            }
            Handle::Component(log) => self.runtime.block_on(log.append_lines(lines.to_owned())),
            Handle::Joined(log) => log.append_lines(lines),
        }
    }

    pub fn flush(&self) -> Result<Written, Error> {
        match &self.handle {
            Handle::Native(writer, ..) => {
                writer.lock().unwrap().flush().map(written).map_err(error)
            }
            Handle::Component(log) => self.runtime.block_on(log.flush()),
            Handle::Joined(log) => log.flush(),
        }
    }

    /// Runs one maintenance tick; the component's host runs its own.
    pub fn tick(&self) {
        match &self.handle {
            Handle::Native(writer, ..) => drop(writer.lock().unwrap().tick()),
            Handle::Component(_) => {}
            Handle::Joined(log) => log.tick(),
        }
    }

    pub fn start_read_all(&self) -> Result<Pages, Error> {
        let pass = match &self.handle {
            Handle::Native(writer, ..) => {
                Pass::Native(Box::new(writer.lock().unwrap().read_all().map_err(error)?))
            }
            Handle::Component(log) => {
                Pass::Component(Box::new(self.runtime.block_on(log.read_all())?))
            }
            Handle::Joined(log) => Pass::Joined(log.read_all()?),
        };
        Ok(Pages::new(pass, self.runtime.clone()))
    }

    pub fn read_all(&self) -> Result<Vec<String>, Error> {
        self.start_read_all()?.rest()
    }

    pub fn compact(&self) -> Result<Compaction, Error> {
        match &self.handle {
            Handle::Native(writer, store, system) => {
                let log = writer.lock().unwrap().name().clone();
                let (store, options) = (store.clone(), Default::default());
                let done = guest::drive::compactor::compact_opened(store, system, log, options);
                done.map(compaction).map_err(error)
            }
            Handle::Component(log) => self.runtime.block_on(log.compact(&CompactOptions::new())),
            Handle::Joined(log) => log.compact(),
        }
    }

    pub fn file_count(&self) -> Result<u64, Error> {
        match &self.handle {
            Handle::Native(writer, ..) => writer.lock().unwrap().file_count().map_err(error),
            Handle::Component(log) => self.runtime.block_on(log.file_count()),
            Handle::Joined(log) => log.file_count(),
        }
    }

    pub fn close(&self) -> Result<Written, Error> {
        match &self.handle {
            Handle::Native(writer, ..) => {
                writer.lock().unwrap().close().map(written).map_err(error)
            }
            Handle::Component(log) => self.runtime.block_on(log.close()),
            Handle::Joined(log) => log.close(),
        }
    }
}

/// All batches and segments are merged into one.
pub const FULL: CompactInput =
    CompactInput { full: true, fan_in: None, segment_bytes_max: None, batches_max: None };

/// Any two segments of a tier are merged.
pub const FAN_IN_2: CompactInput = CompactInput { full: false, fan_in: Some(2), ..FULL };

/// Batches are absorbed, and segments stay apart.
pub const NO_MERGE: CompactInput = CompactInput { full: false, fan_in: Some(64), ..FULL };

/// Makes `count` events, all different.
pub fn events(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{{\"event\":{number}}}")).collect()
}

/// Appends events one by one.
pub fn append_all(log: &Log, events: &[String]) {
    for event in events {
        log.append(event).unwrap();
    }
}
