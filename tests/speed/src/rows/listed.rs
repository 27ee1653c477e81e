//! Many logs of a folder, found by their names or kept, and a bare listing of the same folder.

use std::fs;
use std::path::Path;
use std::time::Instant;

use stratalog::ListOptions;
use stratalog::keep::{Keeper, Policy, SweepOptions};
use stratalog::store::Store;

use crate::lab::{Lab, local};
use crate::table::{Goal, Line, Values};

const LOGS: usize = 100_000;

/// The least speed in relation to the bare listing.
const RATIO_MIN: f64 = 0.5;

/// Measures the search for all logs, and the listing that it makes.
pub(crate) fn listed(lab: &Lab) -> Vec<Line> {
    measure(lab, "find 100,000 logs of 2 objects each in a folder", search)
}

/// Measures a sweep over all logs, none of which needs anything, and the listing that it makes.
pub(crate) fn kept(lab: &Lab) -> Vec<Line> {
    measure(lab, "keep 100,000 idle logs of 2 objects each in a folder", sweep)
}

fn measure(lab: &Lab, what: &str, work: impl AsyncFn(&Lab, &Store)) -> Vec<Line> {
    let folder = lab.temporary();
    make_logs(folder.path());
    let store = local(folder.path());
    let (mut found, mut bare) = (Values::default(), Values::default());
    // The first pass fills the caches of the system.
    lab.runtime.block_on(list(&store));
    for _ in 0..lab.runs {
        let start = Instant::now();
        lab.runtime.block_on(work(lab, &store));
        found.push(LOGS as f64 / start.elapsed().as_secs_f64());
        let start = Instant::now();
        lab.runtime.block_on(list(&store));
        bare.push(LOGS as f64 / start.elapsed().as_secs_f64());
    }
    vec![Line {
        what: what.to_owned(),
        unit: "logs/s",
        values: found,
        baseline: "bare listing of the same folder".to_owned(),
        base: bare,
        goal: Goal::RatioAtLeast(RATIO_MIN),
    }]
}

fn make_logs(root: &Path) {
    for log in 0..LOGS {
        let folder = root.join(format!("log-{log:06}"));
        fs::create_dir(&folder).expect("a folder");
        for time in 1..=2 {
            let batch = format!("batch_{time:019}_00000001_1_fedcba9876543210.jsonl");
            fs::write(folder.join(batch), "event\n").expect("a file");
        }
    }
}

async fn search(lab: &Lab, store: &Store) {
    let mut logs = lab.host.logs(store, "", ListOptions::new()).await.expect("a search");
    let mut found = 0;
    while logs.next().await.expect("a log").is_some() {
        found += 1;
    }
    assert_eq!(found, LOGS);
}

async fn sweep(lab: &Lab, store: &Store) {
    // The batches are of 1970: only their number could make a compaction due.
    let policy = || Policy::new().compact_age(None).keep_events(1_000);
    let mut keeper = Keeper::new(&lab.host, store, "", move |_| Some(policy()));
    let mut sweep = keeper.sweep(SweepOptions::new()).await.expect("a sweep");
    let mut seen = 0;
    while let Some(kept) = sweep.next().await.expect("a log") {
        assert!(kept.done.is_empty() && kept.error.is_none());
        seen += 1;
    }
    assert_eq!(seen, LOGS);
}

async fn list(store: &Store) {
    let mut tree = store.tree("", true);
    while tree.next(1_000).await.expect("a page").more {}
}
