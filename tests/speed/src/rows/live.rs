//! Whole processes on a folder of live batches, compared with `find`, which looks at each file.

use crate::lab::Lab;
use crate::logs::Batches;
use crate::table::{Goal, Line, Values};
use crate::usage::{Usage, run, shell};

/// Processor time of a process, and of one that only looks at the same files.
const RATIO_MAX: f64 = 2.0;

pub(crate) fn live(lab: &Lab) -> Vec<Line> {
    let most = lab.batches.iter().copied().max().unwrap_or(0);
    let batches = Batches::new(lab, most);
    lab.batches.iter().flat_map(|&count| of(lab, &batches, count)).collect()
}

fn of(lab: &Lab, batches: &Batches, count: usize) -> Vec<Line> {
    let folder = lab.temporary();
    batches.write(count, folder.path());
    let log = folder.path().join("log");
    let on_log =
        |arguments: &[&str], input: &[u8]| run(lab.stratalog().args(arguments).arg(&log), input);
    let names = ["append of one event", "stat", "tail -n 1"];
    let (mut found, mut values) = (Values::default(), [const { Vec::new() }; 3]);
    for _ in 0..lab.runs {
        found.push(seconds(shell(folder.path(), "find log -printf '%s %p\\n'")));
        values[0].push(seconds(on_log(&["append"], b"{\"one\":1}\n")));
        values[1].push(seconds(on_log(&["stat"], b"")));
        values[2].push(seconds(on_log(&["tail", "-n", "1"], b"")));
    }
    let lines = names.into_iter().zip(values).map(|(name, values)| Line {
        what: format!("{name} in a folder of {count} live batches"),
        unit: "s of processor time",
        values: values.into_iter().collect(),
        baseline: "`find` with sizes".to_owned(),
        base: found.clone(),
        goal: Goal::RatioAtMost(RATIO_MAX),
    });
    lines.collect()
}

fn seconds(usage: Usage) -> f64 {
    usage.cpu.as_secs_f64()
}
