//! What the sandbox costs: the log against native code that does the naive thing, in one run.
//!
//! `cargo bench --workspace`; the ratios are printed at the end.

use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use futures::stream::{self, BoxStream, StreamExt};
use object_store::memory::InMemory;
use object_store::path::Path as Key;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use stratalog::store::{ConditionalCreate, Store};
use stratalog::{Host, LogOptions};
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

/// Bytes of an event without its LF, as most journals have them.
const EVENT_BYTES: usize = 200;
/// Events in a batch of the library's default, and in a packet of `append_lines`.
const THRESHOLD: usize = 32;
const PACKET: usize = 1000;
/// Events that pile up before a flush in a program that flushes now and then.
const PILE: usize = 100_000;
const MIB: usize = 1024 * 1024;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    append(&mut criterion, &runtime);
    read(&mut criterion, &runtime);
    process(&mut criterion);
    criterion.final_summary();
    ratios();
}

fn host() -> Host {
    let cache = target_folder().expect("a target folder").join("test-cache");
    Host::builder().cache_folder(cache).build().expect("a host")
}

fn event() -> Vec<u8> {
    vec![b'x'; EVENT_BYTES]
}

/// A store that forgets: what is measured is the way to it, not the memory it would keep.
#[derive(Debug)]
struct Forgetful;

impl fmt::Display for Forgetful {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("forgetful")
    }
}

#[async_trait]
impl ObjectStore for Forgetful {
    async fn put_opts(&self, _: &Key, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Ok(PutResult { e_tag: None, version: None, extensions: Default::default() })
    }
    async fn put_multipart_opts(
        &self,
        _: &Key,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(object_store::Error::NotImplemented {
            operation: "put_multipart".to_owned(),
            implementer: self.to_string(),
        })
    }
    async fn get_opts(&self, at: &Key, _: GetOptions) -> Result<GetResult> {
        let source = "forgotten".into();
        Err(object_store::Error::NotFound { path: at.to_string(), source })
    }
    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Key>>,
    ) -> BoxStream<'static, Result<Key>> {
        locations
    }
    fn list(&self, _: Option<&Key>) -> BoxStream<'static, Result<ObjectMeta>> {
        stream::empty().boxed()
    }
    async fn list_with_delimiter(&self, _: Option<&Key>) -> Result<ListResult> {
        Ok(ListResult {
            common_prefixes: Vec::new(),
            objects: Vec::new(),
            extensions: Default::default(),
        })
    }
    async fn copy_opts(&self, at: &Key, _: &Key, _: CopyOptions) -> Result<()> {
        self.get_opts(at, GetOptions::default()).await.map(|_| ())
    }
}

/// What a program without stratalog does: each event its own vector, joined at the flush.
struct Naive {
    events: Mutex<Vec<Vec<u8>>>,
    objects: Forgetful,
    threshold: usize,
}

impl Naive {
    fn new(threshold: usize) -> Arc<Self> {
        Arc::new(Self { events: Mutex::new(Vec::new()), objects: Forgetful, threshold })
    }

    async fn append(&self, event: &[u8], number: u64) {
        let mut events = self.events.lock().await;
        events.push(event.to_vec());
        if events.len() >= self.threshold {
            self.put(&mut events, number).await;
        }
    }

    async fn flush(&self) {
        self.put(&mut *self.events.lock().await, u64::MAX).await;
    }

    async fn put(&self, events: &mut Vec<Vec<u8>>, number: u64) {
        let mut object = events.join(&b'\n');
        object.push(b'\n');
        events.clear();
        let key = Key::from(format!("log/batch_{number:019}.jsonl"));
        self.objects.put(&key, object.into()).await.expect("a put");
    }
}

/// Runs `each` on as many tasks, sharing `events`; returns when all are done.
fn on_tasks<F>(runtime: &Runtime, tasks: u64, events: u64, each: impl Fn(u64, u64) -> F) -> Duration
where
    F: Future<Output = ()> + Send + 'static,
{
    runtime.block_on(async {
        let start = Instant::now();
        let running: Vec<_> = (0..tasks)
            .map(|task| tokio::spawn(each(task, events / tasks + u64::from(task < events % tasks))))
            .collect();
        for task in running {
            task.await.expect("a task");
        }
        start.elapsed()
    })
}

fn append(criterion: &mut Criterion, runtime: &Runtime) {
    let mut group = criterion.benchmark_group("append");
    group.throughput(Throughput::Elements(1)).sampling_mode(SamplingMode::Flat);
    for (tasks, threshold) in [(1, THRESHOLD), (8, THRESHOLD), (1, PACKET), (1, PILE)] {
        let name = format!("native loop, flush every {threshold}");
        group.bench_function(BenchmarkId::new(name, tasks), |bencher| {
            bencher.iter_custom(|events| {
                let naive = Naive::new(threshold);
                on_tasks(runtime, tasks, events, |task, share| {
                    let naive = naive.clone();
                    async move {
                        let event = event();
                        for number in 0..share {
                            naive.append(&event, number << 8 | task).await;
                        }
                        naive.flush().await;
                    }
                })
            });
        });
    }
    let host = host();
    let open = || {
        let store = Arc::new(Forgetful);
        let store = Store::from_object_store(store, "forgetful", ConditionalCreate::Honoured);
        runtime.block_on(host.open(&store, "log", LogOptions::new())).expect("a log")
    };
    for tasks in [1, 8] {
        group.bench_function(BenchmarkId::new("Log::append", tasks), |bencher| {
            bencher.iter_custom(|events| {
                let log = open();
                let elapsed = on_tasks(runtime, tasks, events, |_, share| {
                    let log = log.clone();
                    async move {
                        let event = event();
                        for _ in 0..share {
                            log.append(&event).await.expect("an append");
                        }
                        log.flush().await.expect("a flush");
                    }
                });
                assert_eq!(runtime.block_on(log.close()).expect("a close").events, events);
                elapsed
            });
        });
    }
    group.bench_function(BenchmarkId::new("Log::append_lines of 1000", 1), |bencher| {
        let packet = Bytes::from([&event()[..], b"\n"].concat().repeat(PACKET));
        bencher.iter_custom(|events| {
            let log = open();
            let start = Instant::now();
            runtime.block_on(async {
                for _ in 0..events.div_ceil(1000) {
                    log.append_lines(packet.clone()).await.expect("an append");
                }
                log.close().await.expect("a close");
            });
            // Per event: the last packet may be more than was asked for.
            let whole = u32::try_from(events.div_ceil(1000) * 1000).expect("few");
            start.elapsed() / whole * u32::try_from(events).expect("few")
        });
    });
    group.finish();
}

/// 64 MiB in batches of 1 MiB.
fn read(criterion: &mut Criterion, runtime: &Runtime) {
    let objects = Arc::new(InMemory::new());
    let store = Store::from_object_store(objects.clone(), "memory", ConditionalCreate::Honoured);
    let host = host();
    runtime.block_on(async {
        let log = host.open(&store, "log", LogOptions::new()).await.expect("a log");
        let packet = Bytes::from([&event()[..], b"\n"].concat().repeat(MIB / (EVENT_BYTES + 1)));
        for _ in 0..64 {
            log.append_lines(packet.clone()).await.expect("an append");
            log.flush().await.expect("a flush");
        }
    });
    let keys: Vec<Key> = runtime.block_on(async {
        let listed = objects.list_with_delimiter(Some(&Key::from("log"))).await.expect("a list");
        listed.objects.into_iter().map(|object| object.location).collect()
    });
    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Bytes(64 * 1024 * 1024)).sampling_mode(SamplingMode::Flat);
    group.bench_function("object_store, bytes shared with the store", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                let mut total = 0;
                for key in &keys {
                    let bytes = objects.get(key).await.expect("a get").bytes().await;
                    total += bytes.expect("bytes").len();
                }
                total
            })
        });
    });
    group.bench_function("object_store, bytes copied out", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                let mut total = 0;
                for key in &keys {
                    let bytes = objects.get(key).await.expect("a get").bytes().await;
                    total += bytes.expect("bytes").to_vec().len();
                }
                total
            })
        });
    });
    group.bench_function("Reader::next", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                let mut reader = host.read(&store, "log").await.expect("a reader");
                let mut total = 0;
                while let Some(page) = reader.next().await.expect("a page") {
                    total += page.lines.len();
                }
                total
            })
        });
    });
    group.finish();
}

/// The command line: one event to a folder, from start to end of the process.
fn process(criterion: &mut Criterion) {
    let target = std::env::current_exe().expect("a program");
    let program = target
        .ancestors()
        .map(|folder| folder.join("stratalog"))
        .find(|program| program.is_file())
        .expect("stratalog is built: run `cargo build --release` first");
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("cache");
    let mut group = criterion.benchmark_group("process");
    group.bench_function("stratalog append of one event to a folder", |bencher| {
        let mut number = 0;
        bencher.iter(|| {
            number += 1;
            append_one(&program, &cache, &folder.path().join(format!("log-{number}")));
        });
    });
    group.finish();
}

fn append_one(program: &Path, cache: &Path, log: &Path) {
    let mut child = Command::new(program)
        .args([Path::new("append"), log, Path::new("--quiet"), Path::new("--cache-dir"), cache])
        .stdin(Stdio::piped())
        .spawn()
        .expect("a process");
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), b"{\"one\":1}\n")
        .expect("a write");
    assert!(child.wait().expect("an end").success());
}

/// Prints the ratios that matter, from what criterion has just measured.
fn ratios() {
    let median = |name: &str| -> Option<f64> {
        let file = target_folder()?.join("criterion").join(name).join("new/estimates.json");
        let estimates: serde_json::Value =
            serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
        estimates["median"]["point_estimate"].as_f64()
    };
    let shared = "read/object_store, bytes shared with the store";
    let copied = "read/object_store, bytes copied out";
    println!("\nratios of median times, in this run:");
    for (name, baseline) in [
        ("append/Log__append/8", "append/native loop, flush every 32/8"),
        ("append/Log__append/8", "append/native loop, flush every 32/1"),
        ("append/Log__append_lines of 1000/1", "append/native loop, flush every 1000/1"),
        ("append/Log__append_lines of 1000/1", "append/native loop, flush every 32/1"),
        ("append/Log__append_lines of 1000/1", "append/native loop, flush every 100000/1"),
        ("read/Reader__next", copied),
        ("read/Reader__next", shared),
    ] {
        match (median(name), median(baseline)) {
            (Some(time), Some(base)) => {
                println!("  {:8.2}  {name} / {baseline} ({time:.0} / {base:.0} ns)", time / base);
            }
            _ => println!("  not measured: {name} / {baseline}"),
        }
    }
}

fn target_folder() -> Option<std::path::PathBuf> {
    let program = std::env::current_exe().ok()?;
    let target = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists())?;
    Some(target.to_path_buf())
}
