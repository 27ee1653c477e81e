//! A stage for plugins: an engine, a store to grant, and the plugin that follows its arguments.

use std::sync::Arc;

use rig::faulty::Faulty;
use rig::plugins;
use rig::tools::cache_folder;
use stratalog::plugin::{
    Grant, LogsCtx, LogsCtxBuilder, Outcome, Plugin, PluginEngine, PluginLimits, Rights, Run,
};
use stratalog::store::{ConditionalCreate, Store};
use stratalog::{Error, Host, Page};
use tokio::runtime::Runtime;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

/// The store's name in the host's own messages; no plugin ever sees it.
pub(crate) const SECRET_STORE: &str = "s3://hidden-bucket";
/// The log behind the label `errors`.
pub(crate) const SECRET_NAME: &str = "hidden-team/app";

pub(crate) struct Stage {
    pub(crate) runtime: Runtime,
    pub(crate) host: Host,
    pub(crate) faulty: Faulty,
    pub(crate) store: Store,
    pub(crate) engine: PluginEngine,
    pub(crate) plugin: Plugin,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(PluginLimits::default())
    }

    pub(crate) fn with(limits: PluginLimits) -> Self {
        Self::of(limits, std::fs::read(plugins::rust("scripted")).unwrap())
    }

    pub(crate) fn of(limits: PluginLimits, component: Vec<u8>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let faulty = Faulty::default();
        let objects = Arc::new(faulty.clone());
        let store = Store::from_object_store(objects, SECRET_STORE, ConditionalCreate::Honoured);
        let host = Host::builder().cache_folder(cache_folder()).build().unwrap();
        let engine = PluginEngine::new(limits, Some(cache_folder())).unwrap();
        let plugin = runtime.block_on(engine.compile(component, "the plugin")).unwrap();
        Self { runtime, host, faulty, store, engine, plugin }
    }

    /// Grants the log as `errors`.
    pub(crate) fn granting(&self, rights: Rights) -> LogsCtxBuilder {
        let grant = Grant::new(&self.host, &self.store, SECRET_NAME).rights(rights);
        LogsCtx::builder().limits(self.engine.limits()).grant("errors", grant)
    }

    /// Runs the plugin with these arguments; returns its end and its printed lines.
    pub(crate) fn run(&self, logs: LogsCtxBuilder, script: &[&str]) -> (Outcome, Vec<String>) {
        self.runtime.block_on(self.start(logs, script))
    }

    pub(crate) async fn start(
        &self,
        logs: LogsCtxBuilder,
        script: &[&str],
    ) -> (Outcome, Vec<String>) {
        let stdout = MemoryOutputPipe::new(1024 * 1024);
        let mut run = Run::new(logs.build().unwrap());
        run.wasi().arg("plugin").args(script).stdout(stdout.clone());
        let outcome = self.plugin.run(run).await.unwrap();
        let said = String::from_utf8(stdout.contents().to_vec()).unwrap();
        (outcome, said.lines().map(str::to_owned).collect())
    }

    /// Returns every event of the log.
    pub(crate) fn events(&self) -> Vec<String> {
        self.runtime.block_on(read(&self.host, &self.store, SECRET_NAME))
    }
}

pub(crate) async fn read(host: &Host, store: &Store, name: &str) -> Vec<String> {
    let mut reader = host.read(store, name).await.unwrap();
    let mut events = Vec::new();
    loop {
        match reader.next().await {
            Ok(Some(page)) => events.extend(lines(&page)),
            Ok(None) | Err(Error::NoLog(_)) => return events,
            Err(error) => panic!("{error}"),
        }
    }
}

fn lines(page: &Page) -> Vec<String> {
    page.iter().map(|event| String::from_utf8(event.to_vec()).unwrap()).collect()
}

/// Returns `a 0`, `a 1` and so on.
pub(crate) fn numbered(word: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{word} {number}")).collect()
}
