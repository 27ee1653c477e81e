//! The write of small segments in a folder, compared with creating as many objects.

use std::time::Instant;

use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ObjectStore, PutMode};
use stratalog::CompactOptions;

use crate::lab::{Lab, local};
use crate::logs::{EVENT_BYTES, fill};
use crate::table::{Goal, Line, Values};

const SEGMENTS: usize = 200;

/// Wall time, in that of two creates.
const RATIO_MAX: f64 = 1.5;

pub(crate) fn segments(lab: &Lab) -> Vec<Line> {
    let (mut values, mut base) = <(Values, Values)>::default();
    for _ in 0..lab.runs {
        let folders = [lab.temporary(), lab.temporary()];
        base.push(created(lab, folders[0].path()));
        values.push(compacted(lab, folders[1].path()));
    }
    vec![Line {
        what: "write of a segment of one event, in a folder".to_owned(),
        unit: "ms",
        values,
        baseline: "creates of two objects with fsync, one after the other".to_owned(),
        base,
        goal: Goal::RatioAtMost(RATIO_MAX),
    }]
}

/// Returns the milliseconds of a segment.
fn compacted(lab: &Lab, folder: &std::path::Path) -> f64 {
    let store = local(folder);
    lab.runtime.block_on(fill(&lab.host, &store, SEGMENTS, EVENT_BYTES + 1));
    let each_alone = CompactOptions::new().segment_bytes_max(1);
    let start = Instant::now();
    let done = lab.runtime.block_on(lab.host.compact(&store, "log", &each_alone));
    let elapsed = start.elapsed();
    assert_eq!(done.expect("a compaction").new_segments, u64::try_from(SEGMENTS).expect("few"));
    elapsed.as_secs_f64() * 1_000.0 / SEGMENTS as f64
}

/// Returns the milliseconds of a pair of objects.
fn created(lab: &Lab, folder: &std::path::Path) -> f64 {
    let files = LocalFileSystem::new_with_prefix(folder).expect("a folder").with_fsync(true);
    let bytes = bytes::Bytes::from(vec![b'x'; EVENT_BYTES + 1]);
    let start = Instant::now();
    lab.runtime.block_on(async {
        for number in 0..SEGMENTS {
            for kind in ["segment", "index"] {
                let key = Key::from(format!("log/{kind}_{number:019}"));
                let put = files.put_opts(&key, bytes.clone().into(), PutMode::Create.into());
                put.await.expect("a create");
            }
        }
    });
    start.elapsed().as_secs_f64() * 1_000.0 / SEGMENTS as f64
}
