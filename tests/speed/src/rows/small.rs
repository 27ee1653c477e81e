//! Whole processes that read and compact 100,000 batches of one event, compared with `cat` and
//! `rm`.

use std::path::Path;

use crate::lab::Lab;
use crate::logs::Batches;
use crate::table::{Goal, Line, Values};
use crate::usage::{run, shell};

const BATCHES: usize = 100_000;

/// Processor time, in that of `cat`, and of `cat` and `rm`.
const READ_RATIO_MAX: f64 = 1.5;
const COMPACT_RATIO_MAX: f64 = 3.0;

/// Prints all files in the order of their names.
const CAT: &str = "cd log; printf '%s\\0' * | xargs -0 cat";
const CAT_AND_RM: &str = "cd log; printf '%s\\0' * | xargs -0 cat > ../segment; \
                          printf '%s\\0' * | xargs -0 rm";

pub(crate) fn small(lab: &Lab) -> Vec<Line> {
    let batches = Batches::new(lab, BATCHES);
    let fresh = || {
        let folder = lab.temporary();
        batches.write(BATCHES, folder.path());
        folder
    };
    let on_log = |command: &str, folder: &Path| {
        run(lab.stratalog().arg(command).arg(folder.join("log")), b"").cpu.as_secs_f64()
    };
    let (mut read, mut cat, mut compact, mut remove) =
        <(Values, Values, Values, Values)>::default();
    for _ in 0..lab.runs {
        let folder = fresh();
        cat.push(shell(folder.path(), CAT).cpu.as_secs_f64());
        read.push(on_log("read", folder.path()));
        compact.push(on_log("compact", folder.path()));
        drop(folder);
        let folder = fresh();
        remove.push(shell(folder.path(), CAT_AND_RM).cpu.as_secs_f64());
    }
    let unit = "s of processor time";
    vec![
        Line {
            what: format!("read of {BATCHES} batches of one event"),
            unit,
            values: read,
            baseline: "`cat` of them".to_owned(),
            base: cat,
            goal: Goal::RatioAtMost(READ_RATIO_MAX),
        },
        Line {
            what: "compaction of them".to_owned(),
            unit,
            values: compact,
            baseline: "`cat` into a file, and `rm`".to_owned(),
            base: remove,
            goal: Goal::RatioAtMost(COMPACT_RATIO_MAX),
        },
    ]
}
