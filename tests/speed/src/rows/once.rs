//! Lines of a file that are appended once, with a record of how far it was read.

use crate::lab::Lab;
use crate::logs::EVENT_BYTES;
use crate::table::{Goal, Line, Values};
use crate::usage::run;

/// Lines of the file.
const LINES: usize = 2_000_000;

/// The least speed, compared with an append that keeps no record.
const RATIO_MIN: f64 = 0.8;

/// Appends a file to a log in a folder, with and without a state, in alternate processes.
pub(crate) fn once(lab: &Lab) -> Vec<Line> {
    let folder = lab.temporary();
    let file = folder.path().join("lines");
    let mut event = vec![b'x'; EVENT_BYTES];
    event.push(b'\n');
    std::fs::write(&file, event.repeat(LINES)).expect("a file");
    let mut runs = 0;
    let mut rate = |with_state: bool| {
        runs += 1;
        let (log, state) = (folder.path().join(format!("{runs}")), folder.path().join("state"));
        let mut command = lab.stratalog();
        command.arg("append");
        if with_state {
            command.arg("--state").arg(&state);
        }
        command.arg(&log).arg(&file);
        let begun = std::time::Instant::now();
        run(&mut command, b"");
        let seconds = begun.elapsed().as_secs_f64();
        std::fs::remove_dir_all(log).expect("a log");
        std::fs::remove_file(state).ok();
        LINES as f64 / seconds / 1e6
    };
    rate(true);
    let (mut values, mut base) = <(Values, Values)>::default();
    for _ in 0..lab.runs {
        base.push(rate(false));
        values.push(rate(true));
    }
    vec![Line {
        what: "append of a file, each line once".to_owned(),
        unit: "million events a second",
        values,
        baseline: "append without a state".to_owned(),
        base,
        goal: Goal::RatioAtLeast(RATIO_MIN),
    }]
}
