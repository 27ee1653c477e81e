//! Reads of a log that is far away, compared with fetching the same objects.

use std::sync::Arc;
use std::time::Instant;

use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use object_store::path::Path as Key;
use stratalog::CompactOptions;

use crate::far;
use crate::lab::Lab;
use crate::logs::{MIB, fetch, fill, keys, read, store};
use crate::table::{Goal, Line, Values};

/// Wall time, in that of fetching.
const RATIO_MAX: f64 = 1.2;

/// Bytes of a fetch.
const FETCH_BYTES: u64 = 8 * 1024 * 1024;

/// Reads 256 MiB in segments.
pub(crate) fn segments(lab: &Lab) -> Vec<Line> {
    let near = Arc::new(InMemory::new());
    lab.runtime.block_on(async {
        let store = store(near.clone());
        fill(&lab.host, &store, 128, 2 * MIB).await;
        let options = CompactOptions::new();
        lab.host.compact(&store, "log", &options).await.expect("a compaction");
    });
    measured(lab, &near, "segments of 256 MiB")
}

/// Reads 1,000 live batches.
pub(crate) fn live(lab: &Lab) -> Vec<Line> {
    let near = Arc::new(InMemory::new());
    lab.runtime.block_on(fill(&lab.host, &store(near.clone()), 1_000, 4_096));
    measured(lab, &near, "1,000 live batches")
}

fn measured(lab: &Lab, near: &InMemory, what: &str) -> Vec<Line> {
    let far = Arc::new(far::far(near.fork()));
    let ranges = lab.runtime.block_on(ranges(near));
    let (mut values, mut base) = <(Values, Values)>::default();
    for _ in 0..lab.runs {
        lab.runtime.block_on(async {
            let start = Instant::now();
            let fetched = fetch(&*far, &ranges).await;
            base.push(start.elapsed().as_secs_f64());
            let start = Instant::now();
            let got = read(&lab.host, &store(far.clone())).await;
            values.push(start.elapsed().as_secs_f64());
            assert_eq!(got, fetched);
        });
    }
    vec![Line {
        what: format!("read of {what}, {} ms a request", far::LATENCY.as_millis()),
        unit: "s",
        values,
        baseline: "fetch of the same bytes, 16 gets of at most 8 MiB concurrently".to_owned(),
        base,
        goal: Goal::RatioAtMost(RATIO_MAX),
    }]
}

/// Returns the ranges of all objects with events.
async fn ranges(objects: &InMemory) -> Vec<(Key, std::ops::Range<u64>)> {
    let mut ranges = Vec::new();
    for key in keys(objects).await {
        if key.as_ref().ends_with(".jsonl") {
            let size = objects.head(&key).await.expect("an object").size;
            let starts = (0..size).step_by(usize::try_from(FETCH_BYTES).expect("few"));
            ranges.extend(starts.map(|start| (key.clone(), start..size.min(start + FETCH_BYTES))));
        }
    }
    ranges
}
