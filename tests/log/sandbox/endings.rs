//! After any end of a plugin, its appended events are there, once, and the next one can continue.

use std::time::{Duration, Instant};

use rig::faults::{Call, Fault};
use rig::waits::NEVER;
use stratalog::plugin::{ExitReason, PluginLimits, Rights, Run};
use stratalog::{Error, WriteFailure, WriteFate};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

use super::stage::{Stage, numbered};

/// Limits that a plugin reaches soon if it computes or waits without end. Other plugins do not
/// reach them.
fn limits(last: &str) -> PluginLimits {
    let mut limits = PluginLimits::default();
    match last {
        "spin" => limits.compute_max = Duration::from_secs(1),
        "idle" => limits.time_max = Some(Duration::from_secs(3)),
        _ => {}
    }
    limits
}

/// Opens the log so that no batch is due before the plugin ends. The host has then flushed all
/// events in the log.
const OPEN: &str = "open=errors=1000000";

#[test]
fn events_of_a_granted_log_are_flushed_by_any_end() {
    let table: [(&[&str], &str); 7] = [
        (&[], "exited with code 0"),
        (&["exit=0"], "exited with code 0"),
        // Rust has no way yet to exit with another code than this.
        (&["exit=7"], "exited with code 1"),
        (&["forget"], "exited with code 0"),
        (&["abort"], "trapped: wasm trap: wasm `unreachable` instruction executed"),
        (&["spin"], "was stopped: compute_max = 1s is reached; raise it with --compute-max"),
        (&["idle"], "was stopped: time_max = 3s is reached; raise it with --time-max"),
    ];
    for (number, (ending, end)) in table.into_iter().enumerate() {
        let word = format!("append=p{number}=50");
        let script = [&[OPEN, &word, "flush", "append=acknowledged", &word], ending].concat();
        let stage = Stage::with(limits(ending.last().unwrap_or(&"")));
        let mut expected = Vec::new();
        // The next plugin finds the events of the one before it.
        for _ in 0..2 {
            let (outcome, said) = stage.run(stage.granting(Rights::default()), &script);
            assert_eq!(outcome.end.to_string(), end);
            assert_eq!(said[2], "flush: 50 events");
            assert!(outcome.unflushed.is_empty(), "{:?}", outcome.unflushed);
            let events = numbered(&format!("p{number}"), 50);
            expected.extend(events.iter().cloned());
            expected.push("acknowledged".to_owned());
            expected.extend(events);
            assert_eq!(stage.events(), expected, "after {ending:?}");
        }
    }
}

#[test]
fn usage_shows_the_amount_that_a_limit_stopped() {
    let stage = Stage::with(limits("spin"));
    let (outcome, _) = stage.run(stage.granting(Rights::default()), &["spin"]);
    let ExitReason::LimitReached(hit) = &outcome.end else { panic!("{:?}", outcome.end) };
    assert_eq!((hit.limit, hit.value.as_str()), ("compute_max", "1s"));
    assert_eq!(outcome.usage.limits_hit, std::slice::from_ref(hit));
    assert!(outcome.usage.computed >= Duration::from_secs(1), "{:?}", outcome.usage);
    // Waiting is not computing.
    let stage = Stage::with(limits("idle"));
    let (outcome, _) = stage.run(stage.granting(Rights::default()), &["idle"]);
    let usage = &outcome.usage;
    assert!(usage.time >= Duration::from_secs(3), "{usage:?}");
    assert!(usage.computed < usage.time / 2, "{usage:?}");
}

#[test]
fn run_that_is_stopped_or_dropped_leaves_its_events_flushed() {
    let stage = Stage::new();
    let idle = |word: &'static str| {
        let logs = stage.granting(Rights::default()).build().unwrap();
        let closing = logs.closing();
        let stdout = MemoryOutputPipe::new(1024);
        let mut run = Run::new(logs);
        run.wasi().args(&["plugin", OPEN, word, "idle"]).stdout(stdout.clone());
        // After this line, the events are in the host's hands.
        let appended = async move {
            let done = format!("{word}: done\n");
            let begun = Instant::now();
            while !String::from_utf8_lossy(&stdout.contents()).contains(&done) {
                assert!(begun.elapsed() < NEVER, "the plugin never appends");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        (run, closing, appended)
    };
    stage.runtime.block_on(async {
        let (run, _, appended) = idle("append=stopped=20");
        let outcome = stage.plugin.run(run.stop_when(appended)).await.unwrap();
        assert_eq!(outcome.end, ExitReason::Stopped);

        let (run, closing, appended) = idle("append=dropped=20");
        tokio::select! {
            outcome = stage.plugin.run(run) => panic!("{outcome:?}"),
            () = appended => {}
        }
        assert!(closing.wait().await.is_empty());
    });
    assert_eq!(stage.events(), [numbered("stopped", 20), numbered("dropped", 20)].concat());
}

#[test]
fn events_that_cannot_be_flushed_are_reported() {
    let stage = Stage::new();
    stage.faulty.faults.arm(Call::Create, std::iter::repeat_n(Fault::Refused, 20));
    let script = [OPEN, "append=a=3", "abort"];
    let (outcome, _) = stage.run(stage.granting(Rights::default()), &script);
    let [unflushed] = &outcome.unflushed[..] else { panic!("{:?}", outcome.unflushed) };
    assert_eq!(unflushed.label, "errors");
    let Error::WriteFailed(WriteFailure { fate, events_pending, .. }) = &unflushed.error else {
        panic!("{unflushed:?}")
    };
    assert_eq!((*fate, *events_pending), (WriteFate::NotWritten, 3));
}

#[test]
fn closed_log_takes_nothing_more() {
    let stage = Stage::new();
    let script = ["open=errors", "append=a", "close", "append=b", "flush", "read-all", "close"];
    let (_, said) = stage.run(stage.granting(Rights::default()), &script);
    assert_eq!(
        said[2..],
        [
            "close: 1 events",
            "append=b: closed",
            "flush: closed",
            "read-all: closed",
            "close: closed"
        ]
    );
    assert_eq!(stage.events(), ["a"]);
}

#[test]
fn reader_of_a_plugin_outlives_a_trim() {
    let stage = Stage::new();
    let script = [
        "open=errors=1000",
        "append=a=5",
        "flush",
        "append=a=5",
        "close",
        "compact=errors",
        "trim=errors=4",
        "read=errors",
        "read-twice=errors",
        "stat=errors",
        "verify=errors",
    ];
    let (_, said) = stage.run(stage.granting(Rights::all()), &script);
    assert_eq!(
        said[5..],
        [
            "compact=errors: 2 files into Some(\"a segment\")",
            "trim=errors=4: 6 events",
            "read=errors: 4 events, 0 missed",
            "read-twice=errors: 4 events, 0 missed; 0 events, 0 missed",
            "stat=errors: 4 events",
            // Two manifests, a segment, its index, and that of the segment before the trim.
            "verify=errors: 5 objects, 0 findings",
        ]
    );
}
