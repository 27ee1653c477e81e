//! The components of `adapters`, in wasmtime as a stock host runs them: with WASI 0.2 and HTTP
//! requests, and with nothing of ours.
//!
//! An instance is made for each handle of a store, and for each operation on a log. So handles are
//! as independent of each other as processes are.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use stratalog::store::Root;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::{FsPerms, HostWallClock, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::plugins;
use crate::subject::TestClock;

mod http;
pub mod joined;
pub mod objects;

/// A component of `adapters`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adapter {
    Folder,
    Bucket,
}

/// A value for each adapter, made by the first call.
struct Each<T> {
    folder: OnceLock<T>,
    bucket: OnceLock<T>,
}

/// All that a host gives an instance.
#[derive(Clone, Default)]
pub struct Given {
    /// The opened folders: their paths, and their names for the instance.
    pub folders: Vec<(PathBuf, String)>,
    /// The variables of the environment.
    pub variables: Vec<(String, String)>,
    /// The clock, if it is not that of the system.
    pub clock: Option<TestClock>,
}

/// The state of a host, for one instance.
pub struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    sender: http::Sender,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.sender }
    }
}

impl HostWallClock for TestClock {
    fn resolution(&self) -> Duration {
        Duration::from_micros(1)
    }
    fn now(&self) -> Duration {
        Duration::from_micros(self.micros())
    }
}

impl Adapter {
    /// Returns the path of the built component.
    pub fn file(self) -> PathBuf {
        match self {
            Self::Folder => plugins::rust("stratalog_fs_store"),
            Self::Bucket => plugins::rust("stratalog_s3_store"),
        }
    }
}

impl Given {
    /// Returns the settings of a store below this root: `options` are those of the host.
    pub fn of_bucket(root: &Root, options: impl IntoIterator<Item = (String, String)>) -> Self {
        let given = Self::default().with_variable("STRATALOG_ROOT", &root.to_string());
        options
            .into_iter()
            .fold(given, |given, (name, value)| given.with_variable(&name.to_uppercase(), &value))
    }

    /// Adds a variable, or replaces its value.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }
}

impl<T> Each<T> {
    const fn new() -> Self {
        Self { folder: OnceLock::new(), bucket: OnceLock::new() }
    }

    fn get(&self, adapter: Adapter, make: impl FnOnce() -> T) -> &T {
        match adapter {
            Adapter::Folder => self.folder.get_or_init(make),
            Adapter::Bucket => self.bucket.get_or_init(make),
        }
    }
}

/// Returns the engine of all components.
fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(Engine::default)
}

/// Compiles a component, and connects it with all that the host has.
fn prepare(component: &Component) -> wasmtime::component::InstancePre<State> {
    let mut linker = Linker::new(engine());
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker).unwrap();
    wasmtime_wasi_http::p2::add_only_http_to_linker_sync(&mut linker).unwrap();
    linker.instantiate_pre(component).unwrap()
}

fn store(given: &Given) -> Store<State> {
    let mut wasi = WasiCtx::builder();
    wasi.inherit_stderr().envs(&given.variables);
    for (path, name) in &given.folders {
        wasi.preopened_dir(path, name, FsPerms::ReadWrite).unwrap();
    }
    if let Some(clock) = &given.clock {
        wasi.wall_clock(clock.clone());
    }
    let (wasi, http) = (wasi.build(), WasiHttpCtx::new());
    Store::new(engine(), State { wasi, http, sender: http::Sender, table: ResourceTable::new() })
}
