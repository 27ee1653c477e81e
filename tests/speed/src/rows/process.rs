//! The command line, from start to end of the process.

use crate::lab::Lab;
use crate::table::{Goal, Line, Values};
use crate::usage::run;

/// Processes of a run.
const PROCESSES: u32 = 20;

/// Milliseconds of processor time that a process with a cached component may take.
const MILLISECONDS_MAX: f64 = 12.0;

/// Appends one event to a new log in a folder.
pub(crate) fn process(lab: &Lab) -> Vec<Line> {
    let folder = lab.temporary();
    let append = |log: &str| {
        run(lab.stratalog().arg("append").arg(folder.path().join(log)), b"{\"one\":1}\n").cpu
    };
    append("compiles");
    let (mut values, mut base) = <(Values, Values)>::default();
    for number in 0..lab.runs {
        let (mut appended, mut started) = <(std::time::Duration, std::time::Duration)>::default();
        for process in 0..PROCESSES {
            started += run(lab.stratalog().arg("--version"), b"").cpu;
            appended += append(&format!("log-{number}-{process}"));
        }
        values.push(1_000.0 * (appended / PROCESSES).as_secs_f64());
        base.push(1_000.0 * (started / PROCESSES).as_secs_f64());
    }
    vec![Line {
        what: "one event appended to a new log in a folder, warm".to_owned(),
        unit: "ms of processor time",
        values,
        baseline: "`stratalog --version`".to_owned(),
        base,
        goal: Goal::AtMost(MILLISECONDS_MAX),
    }]
}
