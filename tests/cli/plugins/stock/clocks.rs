//! A clock that jumps, in a host that has nothing of the log's.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rig::plugins;
use wasmtime_wasi::HostWallClock;

use super::super::joined::{Compiled, joined};
use crate::binary::{fresh, ok};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
/// An instant of 2026, in seconds since 1970.
const NOW: u64 = 1_790_000_000;

/// A clock that shows these times, one after the other, again and again.
struct Jumping {
    seconds: &'static [u64],
    next: AtomicUsize,
}

impl HostWallClock for Jumping {
    fn resolution(&self) -> Duration {
        Duration::from_micros(1)
    }

    fn now(&self) -> Duration {
        let at = self.next.fetch_add(1, Ordering::SeqCst);
        Duration::from_secs(self.seconds[at % self.seconds.len()])
    }
}

#[test]
fn clock_that_jumps_loses_and_repeats_no_event() {
    let (folder, log) = fresh();
    let app = joined(&plugins::rust("scripted"), &folder.path().join("app.wasm"), &["--store=fs"]);
    let app = Compiled::of(&app);
    let clocks: [&'static [u64]; 9] = [
        &[NOW],
        &[NOW - 30 * 60],
        &[NOW - 2 * DAY],
        &[NOW + 20 * 365 * DAY],
        &[NOW + HOUR],
        &[0],
        &[NOW, NOW - 5 * HOUR, NOW + 365 * DAY, 0, NOW + 1],
        &[u64::MAX, NOW],
        &[NOW + 2 * HOUR],
    ];
    let mut expected = Vec::new();
    for (number, seconds) in clocks.into_iter().enumerate() {
        let event = format!("append=clock{number}=3");
        let words = ["open=log=2", &event, "flush", &event, "close"];
        let run = |words: &[&str]| {
            let clock = Jumping { seconds, next: AtomicUsize::new(0) };
            app.run(folder.path(), words, |wasi| {
                wasi.wall_clock(clock);
            })
        };
        let said = run(&words);
        assert!(said.ends_with("close: 6 events\n"), "{seconds:?}: {said}");
        expected.extend((0..6).map(|event| format!("clock{number} {}", event % 3)));
        // A compaction by each clock, too.
        let said = run(&["compact=log", "read=log"]);
        let all = format!("read=log: {} events, 0 missed\n", expected.len());
        assert!(said.ends_with(&all) && !said.contains("failed"), "{seconds:?}: {said}");
    }
    ok(&["verify", &log], "");
    ok(&["compact", "--full", &log], "");
    let mut found: Vec<_> = ok(&["read", &log], "").lines().map(str::to_owned).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    ok(&["append", &log], "after\n");
    ok(&["verify", &log], "");
}
