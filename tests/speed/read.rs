//! Reading, compared with fetching the same objects.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, SamplingMode, Throughput};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path as Key;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use object_store::{ObjectStore, ObjectStoreExt};
use stratalog::store::{ConditionalCreate, Store};
use tokio::runtime::Runtime;

use crate::compact::local;
use crate::{MIB, fill, host, keys};

/// The latency that a far store adds to every request.
const LATENCY: Duration = Duration::from_millis(30);

/// Reads 64 MiB in batches of 1 MiB, from memory and from a folder.
pub(crate) fn read(criterion: &mut Criterion, runtime: &Runtime) {
    let host = host();
    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Bytes(64 * 1024 * 1024)).sampling_mode(SamplingMode::Flat);
    let memory: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let folder = tempfile::tempdir().expect("a folder");
    let files = LocalFileSystem::new_with_prefix(folder.path()).expect("a folder");
    let in_memory = Store::from_object_store(memory.clone(), "memory", ConditionalCreate::Honoured);
    let in_folder = local(folder.path());
    for (place, objects, store) in
        [("memory", memory, in_memory), ("folder", Arc::new(files), in_folder)]
    {
        let keys = runtime.block_on(async {
            fill(&host, &store, 64, MIB).await;
            keys(&*objects).await
        });
        group.bench_function(format!("{place}, fetched with object_store"), |bencher| {
            bencher.iter(|| runtime.block_on(fetch(&*objects, &keys, |bytes| bytes.len())));
        });
        group.bench_function(format!("{place}, fetched and copied out"), |bencher| {
            bencher.iter(|| {
                runtime.block_on(fetch(&*objects, &keys, |bytes| {
                    std::hint::black_box(bytes.to_vec()).len()
                }))
            });
        });
        group.bench_function(format!("{place}, read"), |bencher| {
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
    }
    group.finish();
}

async fn fetch(objects: &dyn ObjectStore, keys: &[Key], take: impl Fn(&Bytes) -> usize) -> usize {
    let mut total = 0;
    for key in keys {
        total += take(&objects.get(key).await.expect("a get").bytes().await.expect("bytes"));
    }
    total
}

/// Reads 1,000 live batches from a far store, once: the milliseconds of the log, and of fetching
/// them one after the other.
pub(crate) fn far(runtime: &Runtime) {
    let near = Arc::new(InMemory::new());
    let host = host();
    let open = |objects| Store::from_object_store(objects, "memory", ConditionalCreate::Honoured);
    let keys = runtime.block_on(async {
        fill(&host, &open(near.clone()), 1_000, 4_096).await;
        keys(&*near).await
    });
    let config = ThrottleConfig {
        wait_get_per_call: LATENCY,
        wait_list_per_call: LATENCY,
        wait_list_with_delimiter_per_call: LATENCY,
        ..ThrottleConfig::default()
    };
    let far = Arc::new(ThrottledStore::new(near.fork(), config));
    let (mut read, mut fetched) = (0, 0);
    let (log, one_by_one) = runtime.block_on(async {
        let start = Instant::now();
        let mut reader = host.read(&open(far.clone()), "log").await.expect("a reader");
        while let Some(page) = reader.next().await.expect("a page") {
            read += page.lines.len();
        }
        let log = start.elapsed();
        for key in &keys {
            let bytes = far.get(key).await.expect("a get").bytes().await;
            fetched += bytes.expect("bytes").len();
        }
        (log, start.elapsed() - log)
    });
    assert_eq!(read, fetched);
    println!(
        "1,000 live batches, {} ms added to each request: read in {} ms, fetched one after the other \
         in {} ms: 1/{:.1}",
        LATENCY.as_millis(),
        log.as_millis(),
        one_by_one.as_millis(),
        one_by_one.as_secs_f64() / log.as_secs_f64()
    );
}
