//! The plan of a compaction over many segments, compared with that over a third of them.

use std::sync::Arc;
use std::time::Instant;

use object_store::memory::InMemory;
use stratalog::CompactOptions;
use stratalog::store::Store;

use crate::lab::Lab;
use crate::logs::{EVENT_BYTES, fill, store};
use crate::table::{Goal, Line, Values};

const SEGMENTS: usize = 10_000;

/// Segments that one compaction writes. It may write twice as many of this size.
const COMPACTED: usize = 2_500;

/// Linear growth is 3. The rest is for caches of the processor.
const GROWTH_MAX: f64 = 3.6;

pub(crate) fn plan(lab: &Lab) -> Vec<Line> {
    let growing = Arc::new(InMemory::new());
    let add = || lab.runtime.block_on(add_segments(lab, &store(growing.clone())));
    add();
    let few = store(Arc::new(growing.fork()));
    add();
    add();
    let many = store(growing);
    let (mut values, mut base) = <(Values, Values)>::default();
    for _ in 0..lab.runs {
        base.push(planned(lab, &few));
        values.push(planned(lab, &many));
    }
    vec![Line {
        what: format!("plan over {} segments", 3 * SEGMENTS),
        unit: "ms",
        values,
        baseline: format!("plan over {SEGMENTS} segments"),
        base,
        goal: Goal::RatioAtMost(GROWTH_MAX),
    }]
}

/// Adds segments of one batch each.
async fn add_segments(lab: &Lab, store: &Store) {
    // No later compaction under this limit merges them: they are larger than half of it.
    let each_alone = CompactOptions::new().segment_bytes_max(1);
    for _ in 0..SEGMENTS / COMPACTED {
        fill(&lab.host, store, COMPACTED, EVENT_BYTES + 1).await;
        let done = lab.host.compact(store, "log", &each_alone).await.expect("a compaction");
        assert_eq!(done.new_segments, u64::try_from(COMPACTED).expect("few"));
    }
}

/// Returns the milliseconds of a plan that merges segments.
fn planned(lab: &Lab, store: &Store) -> f64 {
    let start = Instant::now();
    let options = CompactOptions::new();
    let plan = lab.runtime.block_on(lab.host.plan_compaction(store, "log", &options));
    let elapsed = start.elapsed();
    assert!(plan.expect("a plan").segments > 0);
    elapsed.as_secs_f64() * 1_000.0
}
