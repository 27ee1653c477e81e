//! Appending from a plugin, and starting one.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use rig::plugins;
use rig::tools::cache_folder;
use stratalog::Host;
use stratalog::plugin::{ExitReason, Grant, LogsCtx, Plugin, PluginEngine, PluginLimits, Run};
use stratalog::store::{ConditionalCreate, Store};
use tokio::runtime::Runtime;

use crate::first_words::FirstWords;
use crate::forgetful::Forgetful;
use crate::{host, program};

/// With fewer events, the start of the plugin would dominate.
const EVENTS_MIN: u64 = 1_000_000;

fn compile(runtime: &Runtime) -> Plugin {
    let mut limits = PluginLimits::default();
    // The limits must not slow the plugin.
    (limits.calls_per_second, limits.bytes_per_second) = (u32::MAX, u64::MAX);
    let engine = PluginEngine::new(limits, Some(cache_folder())).expect("an engine");
    let component = std::fs::read(plugins::rust("bench")).expect("a plugin");
    runtime.block_on(engine.compile(component, "the plugin")).expect("a plugin")
}

/// The times of a run: until its first output, and until its end.
struct Ran {
    said: Option<Duration>,
    ended: Duration,
}

/// The measured time of a run.
type Part = fn(Ran) -> Duration;

/// Runs the script on a log in `store`.
async fn run(host: &Host, store: &Store, plugin: &Plugin, script: &[&str]) -> Ran {
    let grant = Grant::new(host, store, "log");
    let mut limits = PluginLimits::default();
    (limits.calls_per_second, limits.bytes_per_second) = (u32::MAX, u64::MAX);
    let logs = LogsCtx::builder().limits(&limits).grant("bench", grant).build().expect("logs");
    let mut run = Run::new(logs);
    let words = FirstWords::default();
    run.wasi().arg("plugin").args(script).stdout(words.clone());
    let begun = Instant::now();
    let outcome = plugin.run(run).await.expect("a run");
    let ended = begun.elapsed();
    assert_eq!(outcome.end, ExitReason::Exited(0));
    Ran { said: words.at().map(|at| at - begun), ended }
}

/// Appends from a plugin, for comparison with the native loop of the same group.
pub(crate) fn append(criterion: &mut Criterion, runtime: &Runtime) {
    let mut group = criterion.benchmark_group("append");
    group.throughput(Throughput::Elements(1)).sampling_mode(SamplingMode::Flat);
    let (host, plugin) = (host(), compile(runtime));
    let store = || {
        let store = Arc::new(Forgetful);
        Store::from_object_store(store, "forgetful", ConditionalCreate::Honoured)
    };
    for (name, word) in
        [("a plugin, packets of 1000", "append-packed"), ("a plugin, one by one", "append")]
    {
        group.bench_function(BenchmarkId::new(name, 1), |bencher| {
            bencher.iter_custom(|events| {
                let count = events.max(EVENTS_MIN).div_ceil(1000) * 1000;
                let script = [word, &count.to_string()];
                let ran = runtime.block_on(run(&host, &store(), &plugin, &script));
                ran.ended.mul_f64(events as f64 / count as f64)
            });
        });
    }
    group.finish();
}

/// Runs a compiled plugin, from its start to its end, or to its output after the first append.
pub(crate) fn start(criterion: &mut Criterion, runtime: &Runtime) {
    let mut group = criterion.benchmark_group("plugin");
    let (host, plugin) = (host(), compile(runtime));
    let cases: [(&str, &[&str], Part); 3] = [
        ("started and ended", &["hello"], |ran| ran.ended),
        ("started, to its first append", &["append-and-say"], |ran| ran.said.expect("a word")),
        ("started, one event appended, ended", &["append-and-say"], |ran| ran.ended),
    ];
    for (name, script, part) in cases {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|runs| {
                runtime.block_on(async {
                    let mut elapsed = Duration::ZERO;
                    for _ in 0..runs {
                        elapsed += part(run(&host, &Store::memory(), &plugin, script).await);
                    }
                    elapsed
                })
            });
        });
    }
    group.finish();
}

/// Measures `stratalog run` of a plugin that only prints a greeting, and `wasmtime run` of it where
/// that is installed.
pub(crate) fn process(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("process");
    let program = program();
    let plugin = plugins::rust("hello");
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("cache");
    group.bench_function("stratalog run of a plugin without a log", |bencher| {
        let arguments = [Path::new("run"), &plugin, Path::new("--cache-dir"), &cache];
        bencher.iter(|| spawn(Command::new(&program).args(arguments)));
    });
    if Command::new("wasmtime").arg("--version").output().is_ok() {
        group.bench_function("wasmtime run of it", |bencher| {
            let arguments = [Path::new("run"), Path::new("-C"), Path::new("cache=y"), &plugin];
            bencher.iter(|| spawn(Command::new("wasmtime").args(arguments)));
        });
    } else {
        println!("SKIPPED wasmtime run of it: wasmtime is not installed");
    }
    group.finish();
}

fn spawn(command: &mut Command) {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("a process");
    assert!(child.wait().expect("an end").success());
}
