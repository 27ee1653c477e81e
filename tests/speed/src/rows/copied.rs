//! Copying a log to another store, compared with a bare copy of the same objects.

use std::sync::Arc;
use std::time::Instant;

use futures::stream::{self, StreamExt};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt, PutMode};
use stratalog::store::Store;

use crate::lab::{Lab, local};
use crate::logs::{MIB, fill, keys, store};
use crate::table::{Goal, Line, Values};

const BATCHES: usize = 64;

/// As many as the copy of a log has in flight.
const CONCURRENT: usize = 16;

/// The least speed in relation to the bare copy.
const RATIO_MIN: f64 = 0.8;

/// Copies 64 MiB in batches of 1 MiB, in memory and between folders.
pub(crate) fn copied(lab: &Lab) -> Vec<Line> {
    vec![in_memory(lab), in_folders(lab)]
}

/// Fetches the objects, some concurrently, and creates each in the other store.
async fn bare(from: &dyn ObjectStore, to: &dyn ObjectStore) {
    let keys = keys(from).await;
    let copies = stream::iter(&keys).map(|key| async move {
        let bytes = from.get(key).await.expect("a get").bytes().await.expect("bytes");
        let create = to.put_opts(key, bytes.into(), PutMode::Create.into());
        create.await.expect("an object");
    });
    let mut copies = copies.buffer_unordered(CONCURRENT);
    while copies.next().await.is_some() {}
}

async fn copy(lab: &Lab, from: &Store, to: &Store) {
    let copier = lab.host.copy((from, "log"), (to, "log"), "the source").await;
    let mut copier = copier.expect("a copy");
    let mut objects = 0;
    while let Some(copied) = copier.next().await.expect("a step") {
        objects = copied.objects;
    }
    assert_eq!(usize::try_from(objects), Ok(BATCHES));
}

/// Returns the MB/s.
fn pace(start: Instant) -> f64 {
    (BATCHES * MIB) as f64 / 1e6 / start.elapsed().as_secs_f64()
}

fn in_memory(lab: &Lab) -> Line {
    let filled = Arc::new(InMemory::new());
    lab.runtime.block_on(fill(&lab.host, &store(filled.clone()), BATCHES, MIB));
    let (mut values, mut base) = <(Values, Values)>::default();
    for _ in 0..lab.runs {
        let to = InMemory::new();
        let start = Instant::now();
        lab.runtime.block_on(bare(&*filled, &to));
        base.push(pace(start));
        let (from, to) = (store(filled.clone()), store(Arc::new(InMemory::new())));
        let start = Instant::now();
        lab.runtime.block_on(copy(lab, &from, &to));
        values.push(pace(start));
    }
    line("in memory", values, base)
}

fn in_folders(lab: &Lab) -> Line {
    let folder = lab.temporary();
    let filled = folder.path().join("filled");
    lab.runtime.block_on(fill(&lab.host, &local(&filled), BATCHES, MIB));
    let files = LocalFileSystem::new_with_prefix(&filled).expect("a folder");
    let (mut values, mut base) = <(Values, Values)>::default();
    // The first run brings files into memory.
    for number in 0..=lab.runs {
        let fresh = |kind: &str| {
            let fresh = folder.path().join(format!("{kind}-{number}"));
            std::fs::create_dir_all(&fresh).expect("a folder");
            fresh
        };
        let to = LocalFileSystem::new_with_prefix(fresh("bare")).expect("a folder");
        let to = to.with_fsync(true);
        let start = Instant::now();
        lab.runtime.block_on(bare(&files, &to));
        let bare = pace(start);
        let to = local(&fresh("log"));
        let start = Instant::now();
        lab.runtime.block_on(copy(lab, &local(&filled), &to));
        if number > 0 {
            base.push(bare);
            values.push(pace(start));
        }
    }
    line("between folders, with fsync", values, base)
}

fn line(place: &str, values: Values, base: Values) -> Line {
    Line {
        what: format!("copy of 64 MiB {place}, every digest checked"),
        unit: "MB/s",
        values,
        baseline: "copy of the same objects with `object_store`".to_owned(),
        base,
        goal: Goal::RatioAtLeast(RATIO_MIN),
    }
}
