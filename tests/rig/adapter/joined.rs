//! The log joined with the store of an adapter: one component, which needs nothing but WASI.
//!
//! Each handle, reader and operation has an instance of its own.

use std::fs;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use stratalog::{
    CompactOptions, Compaction, CompactionPlan, Error, RepairStep, Stats, TrimPoint, TrimResult,
    VerifyProgress, Written,
};
use stratalog_guest::drive::reader::ReadOptions;
use wasm_compose::composer::ComponentComposer;
use wasm_compose::config::Config;
use wasmtime::Store;
use wasmtime::component::{Component, ResourceAny};

use super::{Adapter, Each, Given, State, engine, prepare, store};
use crate::records::wit;
use crate::subject::Settings;
use bindings::JoinedPre;
use bindings::exports::stratalog::log::append_log::Guest;

#[allow(clippy::all, clippy::pedantic, clippy::restriction, unreachable_pub, reason = "generated")]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        inline: "
            package stratalog:tests;

            world joined {
                export stratalog:log/types@0.1.0;
                export stratalog:log/append-log@0.1.0;
                export stratalog:log/files@0.1.0;
                export stratalog:log/repairs@0.1.0;
            }
        ",
        world: "stratalog:tests/joined",
        with: { "stratalog:log/types": crate::records::wit },
    });
}

/// A log joined with a store, and all that the host gives it.
#[derive(Clone)]
pub struct Joined {
    adapter: Adapter,
    given: Given,
}

struct Instance {
    store: Store<State>,
    exports: bindings::Joined,
}

type Shared = Arc<Mutex<Instance>>;

/// A handle that appends.
pub struct Log(Shared, ResourceAny);

/// A reading pass.
pub struct Reader(Shared, ResourceAny);

impl Adapter {
    /// Returns the log's component joined with this store.
    fn join(self) -> Vec<u8> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [log, store] = ["log.wasm", "store.wasm"].map(|name| folder.path().join(name));
        fs::write(&log, stratalog::Host::embedded_component()).expect("a file of the folder");
        fs::copy(self.file(), &store).expect("a file of the folder");
        let config =
            Config { dir: folder.path().to_owned(), definitions: vec![store], ..Config::default() };
        ComponentComposer::new(&log, &config).compose().expect("the store has all that it needs")
    }

    fn joined(self) -> &'static JoinedPre<State> {
        static COMPILED: Each<JoinedPre<State>> = Each::new();
        COMPILED.get(self, || {
            let component = Component::new(engine(), self.join()).unwrap();
            JoinedPre::new(prepare(&component)).unwrap()
        })
    }
}

fn call<R>(
    shared: &Shared,
    call: impl FnOnce(&Guest, &mut Store<State>) -> wasmtime::Result<Result<R, wit::Error>>,
) -> Result<R, Error> {
    let Instance { store, exports } = &mut *shared.lock().unwrap();
    let done = call(exports.stratalog_log_append_log(), store);
    done.unwrap_or_else(|error| panic!("the component traps: {error:?}")).map_err(Error::from)
}

impl Joined {
    pub fn new(adapter: Adapter, given: Given) -> Self {
        Self { adapter, given }
    }

    fn instance(&self) -> Shared {
        let mut store = store(&self.given);
        let exports = self.adapter.joined().instantiate(&mut store).unwrap();
        Arc::new(Mutex::new(Instance { store, exports }))
    }

    pub fn open(&self, name: &str, settings: Settings) -> Result<Log, Error> {
        let options = wit::Options {
            flush_threshold: Some(settings.flush_threshold),
            flush_bytes: None,
            flush_interval_ms: Some(settings.flush_interval_ms),
            event_bytes_max: Some(settings.event_bytes_max),
            buffer_bytes_max: Some(settings.buffer_bytes_max),
            creates_max: Some(settings.creates_max),
        };
        let instance = self.instance();
        let log = call(&instance, |guest, store| guest.log().call_open(store, name, options))?;
        Ok(Log(instance, log))
    }

    pub fn read(&self, name: &str, options: ReadOptions) -> Result<Reader, Error> {
        let ReadOptions { start, last, limit, since, until, pending } = options;
        assert!(pending.is_none(), "a handle reads what is pending");
        let options = wit::ReadOptions { start, last, limit, since, until, pending: None };
        let instance = self.instance();
        let reader = call(&instance, |guest, store| guest.call_read(store, name, &options))?;
        Ok(Reader(instance, reader))
    }

    pub fn compact(&self, name: &str, options: CompactOptions) -> Result<Compaction, Error> {
        call(&self.instance(), |guest, store| guest.call_compact(store, name, options))
    }

    pub fn plan_compaction(
        &self,
        name: &str,
        options: CompactOptions,
    ) -> Result<CompactionPlan, Error> {
        call(&self.instance(), |guest, store| guest.call_plan_compaction(store, name, options))
    }

    pub fn trim(&self, name: &str, until: &TrimPoint, lazy: bool) -> Result<TrimResult, Error> {
        let (until, options) =
            (until.clone().into(), wit::TrimOptions { lazy, keep_unread: false });
        call(&self.instance(), |guest, store| guest.call_trim(store, name, &until, options))
    }

    pub fn plan_trim(
        &self,
        name: &str,
        until: &TrimPoint,
        lazy: bool,
    ) -> Result<TrimResult, Error> {
        let (until, options) =
            (until.clone().into(), wit::TrimOptions { lazy, keep_unread: false });
        call(&self.instance(), |guest, store| guest.call_plan_trim(store, name, &until, options))
    }

    pub fn stat(&self, name: &str) -> Result<Stats, Error> {
        call(&self.instance(), |guest, store| guest.call_stat(store, name)).map(Stats::from)
    }

    /// Returns the keys and the ranges of the files of a log.
    pub fn files(&self, name: &str) -> Result<Vec<(String, Range<u64>)>, Error> {
        let instance = self.instance();
        let Instance { store, exports } = &mut *instance.lock().unwrap();
        let exports = exports.stratalog_log_files();
        let listed = exports.call_list_files(&mut *store, name, None, None).expect("no trap")?;
        let mut files = Vec::new();
        loop {
            let page = exports.file_list().call_next(&mut *store, listed).expect("no trap");
            if page.is_empty() {
                return Ok(files);
            }
            files.extend(page.into_iter().map(|f| (f.key, f.offset..f.offset + f.bytes)));
        }
    }

    pub fn repair(&self, name: &str) -> Result<Vec<RepairStep>, Error> {
        let instance = self.instance();
        let Instance { store, exports } = &mut *instance.lock().unwrap();
        let steps = exports.stratalog_log_repairs().call_repair(store, name, false);
        steps.unwrap_or_else(|error| panic!("the component traps: {error:?}")).map_err(Error::from)
    }

    /// Verifies a log; passes each step on.
    pub fn verify(&self, name: &str, mut step: impl FnMut(VerifyProgress)) -> Result<(), Error> {
        let instance = self.instance();
        let verifier = call(&instance, |guest, store| guest.call_verify(store, name))?;
        let next = || call(&instance, |guest, store| guest.verifier().call_next(store, verifier));
        while let Some(checked) = next()? {
            step(checked);
        }
        Ok(())
    }
}

impl Log {
    pub fn append(&self, event: &str) -> Result<(), Error> {
        let Self(instance, log) = self;
        call(instance, |guest, store| guest.log().call_append(store, *log, event.as_bytes()))
    }

    pub fn append_lines(&self, lines: &str) -> Result<u64, Error> {
        let Self(instance, log) = self;
        call(instance, |guest, store| guest.log().call_append_lines(store, *log, lines.as_bytes()))
    }

    pub fn flush(&self) -> Result<Written, Error> {
        let Self(instance, log) = self;
        call(instance, |guest, store| guest.log().call_flush(store, *log))
    }

    /// Runs one maintenance tick.
    pub fn tick(&self) {
        let Self(instance, log) = self;
        let ticked = call(instance, |guest, store| guest.log().call_tick(store, *log).map(Ok));
        assert!(ticked.is_ok(), "{ticked:?}");
    }

    pub fn read_all(&self) -> Result<Reader, Error> {
        let Self(instance, log) = self;
        let reader = call(instance, |guest, store| guest.log().call_read_all(store, *log))?;
        Ok(Reader(instance.clone(), reader))
    }

    pub fn compact(&self) -> Result<Compaction, Error> {
        let Self(instance, log) = self;
        let options = CompactOptions::new();
        call(instance, |guest, store| guest.log().call_compact(store, *log, options))
    }

    pub fn file_count(&self) -> Result<u64, Error> {
        let Self(instance, log) = self;
        call(instance, |guest, store| guest.log().call_file_count(store, *log))
    }

    pub fn close(&self) -> Result<Written, Error> {
        let Self(instance, log) = self;
        call(instance, |guest, store| guest.log().call_close(store, *log))
    }
}

impl Reader {
    /// Returns the next lines, their number, and the number of missed events.
    pub fn next_page(&self) -> Result<Option<wit::Page>, Error> {
        let Self(instance, reader) = self;
        call(instance, |guest, store| guest.reader().call_next(store, *reader))
    }

    pub fn position(&self) -> Option<String> {
        let Self(instance, reader) = self;
        let position =
            call(instance, |guest, store| guest.reader().call_position(store, *reader).map(Ok));
        position.expect("a position has no errors")
    }
}
