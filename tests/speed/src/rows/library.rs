//! The library's shortest ways: a log opened by its URL, and events one by one.

use std::sync::Arc;
use std::time::Instant;

use futures::StreamExt as _;
use object_store::ObjectStore as _;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path as Key;

use crate::lab::Lab;
use crate::logs::{EVENT_BYTES, MIB, fill, read, store};
use crate::table::{Goal, Line, Values};

/// Logs that are opened in a run.
const OPENS: usize = 200;

/// The most time that an open may take.
const MICROS_MAX: f64 = 1_000.0;

/// Batches of 1 MiB that are read.
const BATCHES: usize = 64;

/// Opens logs in a folder by their URL, after the first one of the process.
pub(crate) fn open(lab: &Lab) -> Vec<Line> {
    let (mut values, mut base) = <(Values, Values)>::default();
    let folder = lab.temporary();
    let files = LocalFileSystem::new_with_prefix(folder.path()).expect("a folder");
    let url = |number: usize| folder.path().join(number.to_string()).display().to_string();
    let micros = |start: Instant| start.elapsed().as_secs_f64() * 1e6 / OPENS as f64;
    lab.runtime.block_on(async {
        let _first = lab.host.open_url(&url(0)).await.expect("a log");
        for run in 0..lab.runs {
            let start = Instant::now();
            for number in 1..=OPENS {
                let prefix = Key::from((run * OPENS + number).to_string());
                assert!(files.list(Some(&prefix)).next().await.is_none());
            }
            base.push(micros(start));
            let start = Instant::now();
            for number in 1..=OPENS {
                let log = lab.host.open_url(&url(run * OPENS + number)).await.expect("a log");
                log.close().await.expect("a close");
            }
            values.push(micros(start));
        }
    });
    vec![Line {
        what: "open of another log by its path, and its close".to_owned(),
        unit: "µs",
        values,
        baseline: "list of its folder".to_owned(),
        base,
        goal: Goal::AtMost(MICROS_MAX),
    }]
}

/// Reads 64 MiB from memory, as a stream of events.
pub(crate) fn events(lab: &Lab) -> Vec<Line> {
    let (mut values, mut base) = <(Values, Values)>::default();
    let store = store(Arc::new(InMemory::new()));
    let nanos = |start: Instant, events: usize| start.elapsed().as_secs_f64() * 1e9 / events as f64;
    lab.runtime.block_on(async {
        fill(&lab.host, &store, BATCHES, MIB).await;
        for _ in 0..lab.runs {
            let start = Instant::now();
            let bytes = read(&lab.host, &store).await;
            base.push(nanos(start, bytes / (EVENT_BYTES + 1)));
            let start = Instant::now();
            let reader = lab.host.read(&store, "log").await.expect("a reader");
            let (mut events, mut found) = (reader.into_events(), 0);
            while let Some(event) = events.next().await {
                found += event.expect("an event").bytes().len() + 1;
            }
            values.push(nanos(start, found / (EVENT_BYTES + 1)));
            assert_eq!(found, bytes);
        }
    });
    vec![Line {
        what: "read of 64 MiB from memory as a stream of events".to_owned(),
        unit: "ns/event",
        values,
        baseline: "read of it page by page".to_owned(),
        base,
        goal: Goal::Watched,
    }]
}
