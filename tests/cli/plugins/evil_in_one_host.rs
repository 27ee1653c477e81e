//! Hostile plugins one after the other in one host. It continues to serve the next one, in bounded
//! memory.

use std::time::Duration;

use rig::alone::alone;
use rig::plugins;
use rig::tools::cache_folder;
use stratalog::Host;
use stratalog::plugin::{
    ExitReason, Grant, LogsCtx, Outcome, Plugin, PluginEngine, PluginLimits, Run,
};
use stratalog::store::Store;
use tokio::runtime::Runtime;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

const MIB: usize = 1024 * 1024;

/// The memory limit of each hazard; a third of the process's allowed growth.
const PLUGIN_MEMORY_MAX: usize = 32 * MIB;

struct Hosting {
    host: Host,
    store: Store,
    engine: PluginEngine,
    /// For endless computations: the others compute as long as a busy machine needs.
    impatient: PluginEngine,
}

impl Hosting {
    fn start() -> Self {
        let mut limits = PluginLimits::default();
        limits.memory_bytes_max = PLUGIN_MEMORY_MAX;
        limits.host_call_bytes_max = 16 * MIB;
        limits.log_handles_max = 4;
        limits.handles_max = 100;
        limits.log_lines_per_second = 1;
        let cache = || Some(cache_folder());
        let engine = PluginEngine::new(limits.clone(), cache()).unwrap();
        limits.compute_max = Duration::from_secs(1);
        let impatient = PluginEngine::new(limits, cache()).unwrap();
        Self { host: Host::new().unwrap(), store: Store::memory(), engine, impatient }
    }

    async fn run(&self, plugin: &Plugin, log: &str, words: &[&str]) -> (Outcome, String) {
        let logs = LogsCtx::builder()
            .grant("evil", Grant::new(&self.host, &self.store, log))
            .grant("bench", Grant::new(&self.host, &self.store, log))
            .limits(self.engine.limits())
            .build()
            .unwrap();
        let mut run = Run::new(logs);
        let stdout = MemoryOutputPipe::new(MIB);
        run.wasi().stdout(stdout.clone()).arg("plugin").args(words);
        let outcome = plugin.run(run).await.unwrap();
        (outcome, String::from_utf8(stdout.contents().to_vec()).unwrap())
    }
}

async fn compile(engine: &PluginEngine, name: &str) -> Plugin {
    let bytes = std::fs::read(plugins::rust(name)).unwrap();
    engine.compile(bytes, name).await.unwrap()
}

/// Returns the peak memory of this process so far, in bytes.
#[cfg(target_os = "linux")]
fn peak_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

#[cfg(not(target_os = "linux"))]
fn peak_bytes() -> usize {
    0
}

#[test]
fn each_ends_by_itself_and_the_next_one_is_served() {
    alone(concat!(module_path!(), "::each_ends_by_itself_and_the_next_one_is_served"), || {
        Runtime::new().unwrap().block_on(serve_all_and_measure());
    });
}

#[expect(clippy::indexing_slicing, clippy::panic, reason = "tests")]
async fn serve_all_and_measure() {
    let hosting = Hosting::start();
    let evil = compile(&hosting.engine, "evil").await;
    let endless = compile(&hosting.impatient, "evil").await;
    let bench = compile(&hosting.engine, "bench").await;
    // The memory for compiling and for a first run is allocated by now.
    let (first, _) = hosting.run(&bench, "first", &["append-packed", "10000"]).await;
    assert_eq!(first.end, ExitReason::Exited(0));
    let before = peak_bytes();

    let limits: [(&[&str], &str); 7] = [
        (&["endless-loop"], "compute_max"),
        (&["endless-clock"], "compute_max"),
        (&["endless-ticks"], "compute_max"),
        (&["memory-bomb"], "memory_bytes_max"),
        (&["huge-event", "64"], "memory_bytes_max"),
        (&["huge-lines", "20"], "host_call_bytes_max"),
        (&["stack-overflow"], "stack_bytes_max"),
    ];
    for (words, limit) in limits {
        let plugin = if limit == "compute_max" { &endless } else { &evil };
        let (outcome, _) = hosting.run(plugin, words[0], words).await;
        match &outcome.end {
            ExitReason::LimitReached(hit) => assert_eq!(hit.limit, limit, "{words:?}"),
            end => panic!("{words:?}: {end}"),
        }
        assert!(outcome.unflushed.is_empty(), "{words:?}");
        assert!(outcome.usage.memory_bytes_peak <= PLUGIN_MEMORY_MAX, "{words:?}");
        serves_the_next(&hosting, &bench).await;
    }
    for words in [
        &["log-flood"][..],
        &["reader-flood"],
        &["message-flood", "10000"],
        &["huge-message", "4"],
        &["bad-names"],
        &["calls-after-close"],
        &["exit-without-close"],
    ] {
        let (outcome, said) = hosting.run(&evil, words[0], words).await;
        assert_eq!(outcome.end, ExitReason::Exited(0), "{words:?}: {said}");
        serves_the_next(&hosting, &bench).await;
    }
    let (outcome, _) = hosting.run(&evil, "trap", &["trap-after-append"]).await;
    assert!(matches!(outcome.end, ExitReason::Trapped(_)), "{}", outcome.end);
    serves_the_next(&hosting, &bench).await;

    let grown = peak_bytes().saturating_sub(before);
    assert!(grown < 3 * PLUGIN_MEMORY_MAX, "the process has grown by {grown} bytes");
}

async fn serves_the_next(hosting: &Hosting, bench: &Plugin) {
    let (outcome, said) = hosting.run(bench, "bench", &["hello"]).await;
    assert_eq!((outcome.end, said.as_str()), (ExitReason::Exited(0), "hello\n"));
    let (outcome, _) = hosting.run(bench, "bench", &["append", "10"]).await;
    assert_eq!((outcome.end, outcome.usage.events_appended), (ExitReason::Exited(0), 10));
}
