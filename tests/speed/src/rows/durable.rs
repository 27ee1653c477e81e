//! Durable appends, compared with SlateDB and with the create of the store.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path as Key;
use object_store::{ObjectStore, PutMode};
use stratalog::LogOptions;
use stratalog::store::Store;

use crate::far;
use crate::lab::{Lab, built, local};
use crate::logs::{EVENT_BYTES, event, store};
use crate::pace::{Pace, pace};
use crate::table::{Goal, Line, Values};

/// The paces of a run.
struct Run {
    log: Pace,
    slatedb: Pace,
    create: Pace,
}

/// Ratio to the median time of a create: almost nothing is added to it.
const CREATE_RATIO_MAX: f64 = 1.1;

pub(crate) fn far(lab: &Lab) -> Vec<Line> {
    // The rate is ahead of SlateDB's with any number of tasks.
    measured(lab, [(1, 1.0), (16, 1.0), (256, 1.0)], true, |tasks| {
        let near = || Arc::new(far::far(InMemory::new()));
        let slatedb = slatedb(lab, "far", tasks);
        let create = creates(lab, near(), tasks);
        Run { log: appends(lab, &store(near()), tasks), slatedb, create }
    })
}

pub(crate) fn folder(lab: &Lab) -> Vec<Line> {
    // With 16 tasks it is ahead by half. The others are held.
    measured(lab, [(1, 1.9), (16, 1.5), (256, 1.4)], false, |tasks| {
        let folders = [lab.temporary(), lab.temporary(), lab.temporary()];
        let [one, two, three] = folders.each_ref().map(|folder| folder.path());
        let slatedb = slatedb(lab, one.to_str().expect("a name"), tasks);
        let create = creates(lab, Arc::new(files(two)), tasks);
        Run { log: appends(lab, &local(three), tasks), slatedb, create }
    })
}

/// Measures runs of each number of tasks, with the ratio to SlateDB's rate that is the goal.
fn measured(
    lab: &Lab,
    cases: [(usize, f64); 3],
    is_far: bool,
    run: impl Fn(usize) -> Run,
) -> Vec<Line> {
    let lines_of = |(tasks, goal)| {
        let runs: Vec<_> = (0..lab.runs).map(|_| run(tasks)).collect();
        lines(&runs, tasks, goal, is_far)
    };
    cases.into_iter().flat_map(lines_of).collect()
}

fn files(folder: &Path) -> LocalFileSystem {
    LocalFileSystem::new_with_prefix(folder).expect("a folder").with_fsync(true)
}

/// Returns the lines of this number of tasks.
fn lines(runs: &[Run], tasks: usize, goal: f64, is_far: bool) -> Vec<Line> {
    let values = |of: fn(&Run) -> f64| runs.iter().map(of).collect::<Values>();
    let named = if tasks == 1 { "1 task".to_owned() } else { format!("{tasks} tasks") };
    let rate = Line {
        what: format!("durable appends, {named}"),
        unit: "events/s",
        values: values(|run| run.log.per_second),
        baseline: "SlateDB 0.18, flush interval 1 ms".to_owned(),
        base: values(|run| run.slatedb.per_second),
        goal: Goal::RatioAtLeast(goal),
    };
    let time = Line {
        what: format!("median time of a durable append, {named}"),
        unit: "ms",
        values: values(|run| run.log.median_ms),
        baseline: "SlateDB's".to_owned(),
        base: values(|run| run.slatedb.median_ms),
        goal: Goal::RatioAtMost(1.0),
    };
    let create = Line {
        what: format!("the same, {named}"),
        unit: "ms",
        values: values(|run| run.log.median_ms),
        baseline: "create of an object, one after the other".to_owned(),
        base: values(|run| run.create.median_ms),
        goal: Goal::RatioAtMost(CREATE_RATIO_MAX),
    };
    // In a folder the disk groups the writes of several tasks, so one create is no measure.
    if is_far { vec![rate, time, create] } else { vec![rate, time] }
}

fn appends(lab: &Lab, store: &Store, tasks: usize) -> Pace {
    let opened = lab.host.open(store, "log", LogOptions::new());
    let log = lab.runtime.block_on(opened).expect("a log");
    let step = move || {
        let log = log.clone();
        async move {
            log.append(event()).await.expect("an append");
            log.flush().await.expect("a flush");
        }
    };
    lab.runtime.block_on(pace(tasks, lab.time, step))
}

/// Creates objects, one after the other, each with an event of each task.
fn creates(lab: &Lab, objects: Arc<dyn ObjectStore>, tasks: usize) -> Pace {
    let number = Arc::new(AtomicU64::new(0));
    let bytes = bytes::Bytes::from(vec![b'x'; tasks * (EVENT_BYTES + 1)]);
    let step = move || {
        let number = number.fetch_add(1, Ordering::Relaxed);
        let (objects, bytes) = (objects.clone(), bytes.clone());
        async move {
            let key = Key::from(format!("log/object_{number:019}"));
            let put = objects.put_opts(&key, bytes.into(), PutMode::Create.into()).await;
            put.expect("a create");
        }
    };
    lab.runtime.block_on(pace(1, lab.time, step))
}

/// Runs the program of the baseline.
fn slatedb(lab: &Lab, place: &str, tasks: usize) -> Pace {
    let mut command = Command::new(built("stratalog-speed-slatedb"));
    command.args([place, &tasks.to_string(), &lab.time.as_secs_f64().to_string()]);
    let output = command.output().expect("a process");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let numbers: Vec<f64> =
        text.split_whitespace().map(|word| word.parse().expect("a number")).collect();
    match numbers[..] {
        [per_second, median_ms] => Pace { per_second, median_ms },
        _ => panic!("no two numbers: {text}"),
    }
}
