//! The size of a reader's position behind live batches.

use crate::lab::{Lab, local};
use crate::logs::Batches;
use crate::table::{Goal, Line};

const FEW: usize = 1_000;
const MANY: usize = 100_000;

/// The number of batches must not matter; digits of numbers do.
const RATIO_MAX: f64 = 1.1;

pub(crate) fn position(lab: &Lab) -> Vec<Line> {
    let batches = Batches::new(lab, MANY);
    let bytes = |count: usize| {
        let folder = lab.temporary();
        batches.write(count, folder.path());
        lab.runtime.block_on(async {
            let reader = lab.host.read(&local(folder.path()), "log").await;
            let mut reader = reader.expect("a reader");
            while reader.next().await.expect("a page").is_some() {}
            reader.position().await.expect("a position").len() as f64
        })
    };
    vec![Line {
        what: format!("position behind {MANY} live batches of one writer"),
        unit: "bytes",
        base: [bytes(FEW)].into_iter().collect(),
        values: [bytes(MANY)].into_iter().collect(),
        baseline: format!("position behind {FEW}"),
        goal: Goal::RatioAtMost(RATIO_MAX),
    }]
}
