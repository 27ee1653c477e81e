//! A follower to which nothing happens: its processor time and its requests.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rig::faulty::Faulty;

use crate::lab::Lab;
use crate::logs::{Batches, EVENT_BYTES, fill, store};
use crate::table::{Goal, Line, Values};
use crate::usage::{Background, shell};

const BATCHES: usize = 30_000;

/// The time until the follower polls at its longest interval, which is `POLL`.
const SETTLED: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_secs(5);

/// Polls of a measurement.
const POLLS: u32 = 4;

pub(crate) fn idle(lab: &Lab) -> Vec<Line> {
    let batches = Batches::new(lab, BATCHES);
    let folder = lab.temporary();
    batches.write(BATCHES, folder.path());
    let mut command = lab.stratalog();
    let log = folder.path().join("log");
    let follower = Background::start(command.args(["tail", "-f", "-n", "1"]).arg(log));
    std::thread::sleep(SETTLED);
    let (mut shares, mut base) = <(Values, Values)>::default();
    for _ in 0..lab.runs {
        let (before, start) = (follower.cpu(), Instant::now());
        std::thread::sleep(POLL * POLLS);
        let used = follower.cpu() - before;
        shares.push(100.0 * used.as_secs_f64() / start.elapsed().as_secs_f64());
        let find = shell(folder.path(), "find log -printf '%s %p\\n'").cpu;
        base.push(100.0 * find.as_secs_f64() / POLL.as_secs_f64());
    }
    vec![
        Line {
            what: format!("idle `tail -f` of {BATCHES} live batches"),
            unit: "% of a core",
            values: shares,
            baseline: "`find` with sizes every 5 s".to_owned(),
            base,
            goal: Goal::AtMost(1.0),
        },
        requests(lab),
    ]
}

/// Counts the requests of a poll that finds nothing.
fn requests(lab: &Lab) -> Line {
    let objects = Faulty::default();
    let counted = store(Arc::new(objects.clone()));
    let polls = lab.runtime.block_on(async {
        fill(&lab.host, &counted, BATCHES, EVENT_BYTES + 1).await;
        let mut reader = lab.host.read(&counted, "log").await.expect("a reader");
        while reader.next().await.expect("a page").is_some() {}
        let mut polls = Values::default();
        for _ in 0..lab.runs {
            objects.counter.requests();
            assert!(reader.next().await.expect("no page").is_none());
            polls.push(objects.counter.requests().len() as f64);
        }
        polls
    });
    Line {
        what: "requests of its poll".to_owned(),
        unit: "requests",
        base: (0..lab.runs).map(|_| 1.0).collect(),
        values: polls,
        baseline: "one list".to_owned(),
        goal: Goal::AtMost(1.0),
    }
}
