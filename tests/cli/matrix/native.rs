//! A row whose plugin runs under this project's host, in this process.

use std::path::Path;
use std::sync::Arc;

use rig::tools::cache_folder;
use stratalog::Host;
use stratalog::plugin::{Grant, LogsCtx, Plugin, PluginEngine, PluginLimits, Rights, Run};
use stratalog::store::Store;
use tokio::runtime::Runtime;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

const OUTPUT_BYTES_MAX: usize = 1 << 20;

/// The host and the plugin, for all rows.
pub(super) struct Native {
    runtime: Arc<Runtime>,
    pub(super) host: Host,
    engine: PluginEngine,
    plugin: Plugin,
}

impl Native {
    pub(super) fn new(runtime: &Arc<Runtime>, plugin: &Path) -> Arc<Self> {
        let host = Host::builder().cache_folder(cache_folder()).build().unwrap();
        let engine = PluginEngine::new(PluginLimits::default(), Some(cache_folder())).unwrap();
        let bytes = std::fs::read(plugin).unwrap();
        let plugin = runtime.block_on(engine.compile(bytes, "the cases")).unwrap();
        Arc::new(Self { runtime: Arc::clone(runtime), host, engine, plugin })
    }

    /// Runs the plugin with these logs of a store, each granted under its own name. Returns what it
    /// prints.
    pub(super) fn run(&self, store: &Store, words: &[&str], logs: &[String]) -> String {
        let context = LogsCtx::builder().limits(self.engine.limits());
        let context = logs.iter().fold(context, |context, log| {
            context.grant(log, Grant::new(&self.host, store, log).rights(Rights::all()))
        });
        let stdout = MemoryOutputPipe::new(OUTPUT_BYTES_MAX);
        let mut run = Run::new(context.build().unwrap());
        run.wasi().arg("cases").args(words).stdout(stdout.clone());
        let outcome = self.runtime.block_on(self.plugin.run(run)).unwrap();
        assert_eq!(outcome.end.to_string(), "exited with code 0");
        String::from_utf8(stdout.contents().to_vec()).unwrap()
    }
}
