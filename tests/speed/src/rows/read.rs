//! Reading, compared with fetching the same objects and copying their bytes out.

use std::sync::Arc;
use std::time::Instant;

use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt};
use stratalog::store::Store;

use crate::lab::{Lab, local};
use crate::logs::{MIB, fill, keys, read as read_log, store};
use crate::table::{Goal, Line, Values};

const BATCHES: usize = 64;

/// Wall time, in that of fetching and copying.
const RATIO_MAX: f64 = 1.1;

/// Reads 64 MiB in batches of 1 MiB, from memory and from a folder.
pub(crate) fn read(lab: &Lab) -> Vec<Line> {
    let memory: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let folder = lab.temporary();
    let files = LocalFileSystem::new_with_prefix(folder.path()).expect("a folder");
    vec![
        of(lab, "memory", &*memory, &store(memory.clone())),
        of(lab, "a folder", &files, &local(folder.path())),
    ]
}

fn of(lab: &Lab, place: &str, objects: &dyn ObjectStore, store: &Store) -> Line {
    let (mut values, mut base) = <(Values, Values)>::default();
    lab.runtime.block_on(async {
        fill(&lab.host, store, BATCHES, MIB).await;
        let keys = keys(objects).await;
        // The first runs bring files into memory.
        read_log(&lab.host, store).await;
        for _ in 0..lab.runs {
            let start = Instant::now();
            let fetched = fetch_in_turn(objects, &keys).await;
            base.push(start.elapsed().as_secs_f64() * 1_000.0);
            let start = Instant::now();
            let got = read_log(&lab.host, store).await;
            values.push(start.elapsed().as_secs_f64() * 1_000.0);
            assert_eq!(got, fetched);
        }
    });
    Line {
        what: format!("read of 64 MiB from {place}, every digest checked"),
        unit: "ms",
        values,
        baseline: "fetch one after the other, copied out".to_owned(),
        base,
        goal: Goal::RatioAtMost(RATIO_MAX),
    }
}

async fn fetch_in_turn(objects: &dyn ObjectStore, keys: &[Key]) -> usize {
    let mut total = 0;
    for key in keys {
        let bytes = objects.get(key).await.expect("a get").bytes().await.expect("bytes");
        total += std::hint::black_box(bytes.to_vec()).len();
    }
    total
}
