//! Appending, compared with a program without stratalog.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use object_store::ObjectStoreExt;
use object_store::path::Path as Key;
use stratalog::LogOptions;
use stratalog::store::{ConditionalCreate, Store};
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

use crate::forgetful::Forgetful;
use crate::{event, host};

/// Events in a batch of the library's default, and in a packet of `append_lines`.
const THRESHOLD: usize = 32;
const PACKET: usize = 1000;
/// Events that accumulate before a flush in a program that flushes now and then.
const PILE: usize = 100_000;

/// A program without stratalog: each event has its own vector, and the flush joins them.
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

/// Runs `each` on this many tasks, which share `events`; returns the time until all are done.
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

pub(crate) fn append(criterion: &mut Criterion, runtime: &Runtime) {
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
            // Per event, because the last packet may exceed the requested number.
            let whole = u32::try_from(events.div_ceil(1000) * 1000).expect("few");
            start.elapsed() / whole * u32::try_from(events).expect("few")
        });
    });
    group.finish();
}
