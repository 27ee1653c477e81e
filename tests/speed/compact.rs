//! Compacting, compared with copying the same objects into one.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, SamplingMode, Throughput};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt, WriteMultipart};
use stratalog::store::{ConditionalCreate, Location, Store, StoreOptions};
use stratalog::{CompactOptions, Host};
use tokio::runtime::Runtime;

use crate::{MIB, fill, host, keys};

const BATCHES: usize = 64;

/// Fetches the objects, a few concurrently, and writes them as one, in parts.
async fn copy(objects: &dyn ObjectStore, keys: &[Key]) -> usize {
    use futures::stream::{self, StreamExt};

    let to = Key::from("copy/segment.jsonl");
    let upload = objects.put_multipart(&to).await.expect("an upload");
    let mut upload = WriteMultipart::new_with_chunk_size(upload, 8 * MIB);
    let mut copied = 0;
    let mut fetched = stream::iter(keys)
        .map(|key| async { objects.get(key).await.expect("a get").bytes().await.expect("bytes") })
        .buffered(16);
    while let Some(bytes) = fetched.next().await {
        let bytes: Bytes = bytes;
        copied += bytes.len();
        upload.wait_for_capacity(4).await.expect("a part");
        upload.put(bytes);
    }
    upload.finish().await.expect("an object");
    copied
}

async fn compact(host: &Host, store: &Store) -> u64 {
    let done = host.compact(store, "log", &CompactOptions::new()).await.expect("a compaction");
    assert_eq!(done.batches, 64);
    done.bytes
}

/// Compacts 64 MiB in batches of 1 MiB, in memory and in a folder.
pub(crate) fn compacting(criterion: &mut Criterion, runtime: &Runtime) {
    let host = host();
    let mut group = criterion.benchmark_group("compact");
    group.throughput(Throughput::Bytes(64 * 1024 * 1024)).sampling_mode(SamplingMode::Flat);
    let memory = Arc::new(InMemory::new());
    let open = |objects| Store::from_object_store(objects, "memory", ConditionalCreate::Honoured);
    let keys_in_memory = runtime.block_on(async {
        fill(&host, &open(memory.clone()), BATCHES, MIB).await;
        keys(&*memory).await
    });
    group.bench_function("memory, copied with object_store", |bencher| {
        let copy = |objects: InMemory| runtime.block_on(copy(&objects, &keys_in_memory));
        bencher.iter_batched(|| memory.fork(), copy, BatchSize::PerIteration);
    });
    group.bench_function("memory, compacted", |bencher| {
        let compact = |store: Store| runtime.block_on(compact(&host, &store));
        bencher.iter_batched(|| open(Arc::new(memory.fork())), compact, BatchSize::PerIteration);
    });
    let folder = tempfile::tempdir().expect("a folder");
    let filled = folder.path().join("filled");
    runtime.block_on(fill(&host, &local(&filled), BATCHES, MIB));
    let mut number = 0;
    let mut fresh = || {
        number += 1;
        let fresh = folder.path().join(number.to_string());
        link_all(&filled.join("log"), &fresh.join("log"));
        fresh
    };
    group.bench_function("folder, copied with object_store", |bencher| {
        bencher.iter_batched(
            || {
                let files = LocalFileSystem::new_with_prefix(fresh()).expect("a folder");
                files.with_fsync(true)
            },
            |files| runtime.block_on(async { copy(&files, &keys(&files).await).await }),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("folder, compacted", |bencher| {
        let compact = |store: Store| runtime.block_on(compact(&host, &store));
        bencher.iter_batched(|| local(&fresh()), compact, BatchSize::PerIteration);
    });
    group.finish();
}

pub(crate) fn local(folder: &Path) -> Store {
    std::fs::create_dir_all(folder).expect("a folder");
    let location = Location::parse(folder.join("log").to_str().expect("a name"));
    let root = location.expect("a location").root;
    Store::open(&root, &StoreOptions::default()).expect("a store")
}

/// Links the same files again, without writing their bytes.
fn link_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for file in std::fs::read_dir(from).expect("files") {
        let file = file.expect("a file");
        std::fs::hard_link(file.path(), to.join(file.file_name())).expect("a link");
    }
}
