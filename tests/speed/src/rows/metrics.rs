//! The cost of metrics: those that nobody asked for, and those that are served.

use std::path::Path;

use crate::lab::Lab;
use crate::logs::EVENT_BYTES;
use crate::table::{Goal, Line, Values};
use crate::usage::run;

/// Events that a process appends.
const EVENTS: usize = 200_000;

/// The most that a program with metrics that are off may take, compared with one that has none.
const RATIO_MAX: f64 = 1.03;

/// A program that is built without the feature `metrics`: `run` sets it.
const WITHOUT: &str = "STRATALOG_WITHOUT_METRICS";

/// Appends events to a log in a folder, in processes that begin and end alternately.
pub(crate) fn metrics(lab: &Lab) -> Vec<Line> {
    let folder = lab.temporary();
    let mut event = vec![b'x'; EVENT_BYTES];
    event.push(b'\n');
    let input = event.repeat(EVENTS);
    let without = std::env::var_os(WITHOUT);
    let mut logs = 0;
    let mut seconds = |program: Option<&Path>, options: &[&str]| {
        logs += 1;
        let mut command = match program {
            Some(program) => lab.program(program),
            None => lab.stratalog(),
        };
        let log = folder.path().join(logs.to_string());
        // Many batches, so that each request counts.
        command.args(["append", "--flush-threshold", "1000"]).args(options).arg(&log);
        let used = run(&mut command, &input).cpu;
        std::fs::remove_dir_all(log).expect("a log");
        used.as_secs_f64() * 1e9 / EVENTS as f64
    };
    seconds(None, &[]);
    let (mut off, mut on, mut base) = <(Values, Values, Values)>::default();
    for _ in 0..lab.runs {
        if let Some(without) = &without {
            base.push(seconds(Some(Path::new(without)), &[]));
        }
        off.push(seconds(None, &[]));
        on.push(seconds(None, &["--metrics-listen", "127.0.0.1:0"]));
    }
    let unit = "ns of processor time an event";
    let mut lines = vec![Line {
        what: "append to a folder, metrics served".to_owned(),
        unit,
        values: on,
        baseline: "metrics off".to_owned(),
        base: off.clone(),
        goal: Goal::Watched,
    }];
    if without.is_some() {
        lines.push(Line {
            what: "append to a folder, metrics off".to_owned(),
            unit,
            values: off,
            baseline: "a program without them".to_owned(),
            base,
            goal: Goal::RatioAtMost(RATIO_MAX),
        });
    }
    lines
}
