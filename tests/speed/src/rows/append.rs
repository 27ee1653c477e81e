//! Appending without a store, compared with a program without stratalog.

use std::sync::Arc;
use std::time::{Duration, Instant};

use object_store::ObjectStoreExt;
use object_store::path::Path as Key;
use stratalog::{Log, LogOptions};
use tokio::sync::Mutex;

use crate::forgetful::Forgetful;
use crate::lab::Lab;
use crate::logs::{EVENT_BYTES, event, packet, store};
use crate::table::{Goal, Line, Values};

/// Events in a batch of the library's default, and in a packet.
pub(crate) const THRESHOLD: usize = 32;
pub(crate) const PACKET: usize = 1_000;

/// Events of a run.
pub(crate) const EVENTS: u64 = 1_000_000;

/// A program without stratalog: each event has its own vector, and the flush joins them.
struct Naive {
    events: Mutex<Vec<Vec<u8>>>,
    objects: Forgetful,
    threshold: usize,
}

impl Naive {
    fn new(threshold: usize) -> Arc<Self> {
        Arc::new(Self { events: Mutex::default(), objects: Forgetful::default(), threshold })
    }

    async fn append(&self, event: &[u8], number: u64) {
        let mut events = self.events.lock().await;
        events.push(event.to_vec());
        if events.len() >= self.threshold {
            self.put(&mut events, number).await;
        }
    }

    async fn flush(&self) {
        self.put(&mut *self.events.lock().await, u64::MAX).await;
    }

    async fn put(&self, events: &mut Vec<Vec<u8>>, number: u64) {
        let mut object = events.join(&b'\n');
        object.push(b'\n');
        events.clear();
        let key = Key::from(format!("log/batch_{number:019}.jsonl"));
        self.objects.put(&key, object.into()).await.expect("a put");
    }
}

/// Returns the nanoseconds of an event.
pub(crate) fn nanoseconds(elapsed: Duration) -> f64 {
    elapsed.as_secs_f64() * 1e9 / EVENTS as f64
}

/// Runs `each` on this many tasks, which share the events; returns the nanoseconds of an event.
fn on_tasks<F>(lab: &Lab, tasks: u64, each: impl Fn(u64) -> F) -> f64
where
    F: Future<Output = ()> + Send + 'static,
{
    lab.runtime.block_on(async {
        let start = Instant::now();
        let running: Vec<_> = (0..tasks).map(|task| tokio::spawn(each(task))).collect();
        for task in running {
            task.await.expect("a task");
        }
        nanoseconds(start.elapsed())
    })
}

/// Measures a native loop that flushes every `threshold` events; returns nanoseconds of an event.
pub(crate) fn native(lab: &Lab, tasks: u64, threshold: usize) -> f64 {
    let naive = Naive::new(threshold);
    on_tasks(lab, tasks, |task| {
        let naive = naive.clone();
        async move {
            let event = event();
            for number in 0..EVENTS / tasks {
                naive.append(&event, number << 8 | task).await;
            }
            naive.flush().await;
        }
    })
}

fn open(lab: &Lab) -> Log {
    let store = store(Arc::new(Forgetful::default()));
    lab.runtime.block_on(lab.host.open(&store, "log", LogOptions::new())).expect("a log")
}

fn close(lab: &Lab, log: &Log) {
    assert_eq!(lab.runtime.block_on(log.close()).expect("a close").events, EVENTS);
}

/// Appends event by event.
fn one_by_one(lab: &Lab, tasks: u64) -> f64 {
    let log = open(lab);
    let elapsed = on_tasks(lab, tasks, |_| {
        let log = log.clone();
        async move {
            let event = event();
            for _ in 0..EVENTS / tasks {
                log.append(&event).await.expect("an append");
            }
            log.flush().await.expect("a flush");
        }
    });
    close(lab, &log);
    elapsed
}

/// Appends 1,000 events in a call.
fn packed(lab: &Lab) -> f64 {
    let log = open(lab);
    let packet = packet(PACKET * (EVENT_BYTES + 1));
    let elapsed = on_tasks(lab, 1, |_| {
        let (log, packet) = (log.clone(), packet.clone());
        async move {
            for _ in 0..EVENTS / 1_000 {
                log.append_lines(&packet).await.expect("an append");
            }
            log.flush().await.expect("a flush");
        }
    });
    close(lab, &log);
    elapsed
}

/// Returns a line that compares the log with the native loop.
pub(crate) fn line(
    lab: &Lab,
    what: &str,
    log: impl Fn() -> f64,
    (tasks, threshold): (u64, usize),
    goal: Goal,
) -> Line {
    let (mut values, mut base) = <(Values, Values)>::default();
    for _ in 0..lab.runs {
        base.push(native(lab, tasks, threshold));
        values.push(log());
    }
    let tasks = if tasks == 1 { "1 task".to_owned() } else { format!("{tasks} tasks") };
    Line {
        what: what.to_owned(),
        unit: "ns/event",
        values,
        baseline: format!("vectors joined every {threshold} events, {tasks}"),
        base,
        goal,
    }
}

pub(crate) fn append(lab: &Lab) -> Vec<Line> {
    let at_native = Goal::RatioAtMost(1.0);
    vec![
        line(lab, "append, 1 task", || one_by_one(lab, 1), (1, THRESHOLD), at_native),
        line(lab, "append, 8 tasks", || one_by_one(lab, 8), (8, THRESHOLD), at_native),
        line(lab, "append of 1,000 in a call", || packed(lab), (1, PACKET), at_native),
    ]
}
