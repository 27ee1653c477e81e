//! Compacting, compared with copying the same objects into one.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt, WriteMultipart};
use stratalog::CompactOptions;
use stratalog::store::Store;

use crate::lab::{Lab, local};
use crate::logs::{MIB, fill, keys, store};
use crate::table::{Goal, Line, Values};

const BATCHES: usize = 64;

/// Wall time, in that of copying.
const MEMORY_RATIO_MAX: f64 = 1.1;
const FOLDER_RATIO_MAX: f64 = 1.3;

/// Fetches the objects, a few concurrently, and writes them as one, in parts.
async fn copy(objects: &dyn ObjectStore) {
    let keys = keys(objects).await;
    let to = Key::from("copy/segment.jsonl");
    let upload = objects.put_multipart(&to).await.expect("an upload");
    let mut upload = WriteMultipart::new_with_chunk_size(upload, 8 * MIB);
    let mut fetched = stream::iter(&keys)
        .map(|key| async { objects.get(key).await.expect("a get").bytes().await.expect("bytes") })
        .buffered(16);
    while let Some(bytes) = fetched.next().await {
        let bytes: Bytes = bytes;
        upload.wait_for_capacity(4).await.expect("a part");
        upload.put(bytes);
    }
    upload.finish().await.expect("an object");
}

/// Returns the milliseconds.
fn copied(lab: &Lab, objects: &dyn ObjectStore) -> f64 {
    let start = Instant::now();
    lab.runtime.block_on(copy(objects));
    start.elapsed().as_secs_f64() * 1_000.0
}

/// Returns the milliseconds.
fn compacted(lab: &Lab, store: &Store) -> f64 {
    let start = Instant::now();
    let done = lab.runtime.block_on(lab.host.compact(store, "log", &CompactOptions::new()));
    let elapsed = start.elapsed();
    assert_eq!(done.expect("a compaction").batches, 64);
    elapsed.as_secs_f64() * 1_000.0
}

/// Compacts 64 MiB in batches of 1 MiB, in memory and in a folder.
pub(crate) fn compact(lab: &Lab) -> Vec<Line> {
    vec![in_memory(lab), in_folder(lab)]
}

fn in_memory(lab: &Lab) -> Line {
    let filled = Arc::new(InMemory::new());
    lab.runtime.block_on(fill(&lab.host, &store(filled.clone()), BATCHES, MIB));
    let (mut values, mut base) = <(Values, Values)>::default();
    for _ in 0..lab.runs {
        base.push(copied(lab, &filled.fork()));
        values.push(compacted(lab, &store(Arc::new(filled.fork()))));
    }
    line("memory", values, base, MEMORY_RATIO_MAX)
}

fn in_folder(lab: &Lab) -> Line {
    let folder = lab.temporary();
    let filled = folder.path().join("filled");
    lab.runtime.block_on(fill(&lab.host, &local(&filled), BATCHES, MIB));
    let (mut values, mut base) = <(Values, Values)>::default();
    for number in 0..lab.runs {
        let fresh = |kind: &str| {
            let fresh = folder.path().join(format!("{kind}-{number}"));
            link_all(&filled.join("log"), &fresh.join("log"));
            fresh
        };
        let files = LocalFileSystem::new_with_prefix(fresh("copy")).expect("a folder");
        base.push(copied(lab, &files.with_fsync(true)));
        values.push(compacted(lab, &local(&fresh("log"))));
    }
    line("a folder, with fsync", values, base, FOLDER_RATIO_MAX)
}

fn line(place: &str, values: Values, base: Values, goal: f64) -> Line {
    Line {
        what: format!("compaction of 64 MiB in {place}"),
        unit: "ms",
        values,
        baseline: "copy into one object with `object_store`".to_owned(),
        base,
        goal: Goal::RatioAtMost(goal),
    }
}

/// Links the same files again, without writing their bytes.
pub(super) fn link_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for file in std::fs::read_dir(from).expect("files") {
        let file = file.expect("a file");
        std::fs::hard_link(file.path(), to.join(file.file_name())).expect("a link");
    }
}
