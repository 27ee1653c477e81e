//! Many concurrent plugins.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use object_store::ObjectStore as _;
use rig::alone::alone;
use rig::waits::NEVER;
use stratalog::plugin::{Grant, LogsCtx, Rights};

use super::stage::{Stage, numbered, read};

const PLUGINS: usize = 200;
const LOGS: usize = 10;
const EVENTS: usize = 50;

#[test]
fn two_hundred_plugins_on_ten_logs_lose_and_mix_up_nothing() {
    let stage = Arc::new(Stage::new());
    let mut runs = Vec::new();
    for number in 0..PLUGINS {
        let stage = stage.clone();
        runs.push(stage.clone().runtime.spawn(async move {
            let grant = Grant::new(&stage.host, &stage.store, format!("log{}", number % LOGS));
            let logs = LogsCtx::builder().grant("errors", grant);
            let word = format!("append=p{number}={EVENTS}");
            // Every third one traps, with events that it has not flushed.
            let last = if number % 3 == 0 { "abort" } else { "flush" };
            let script = ["open=errors=20", &word, last];
            stage.start(logs, &script).await.0
        }));
    }
    for run in runs {
        let outcome = stage.runtime.block_on(run).unwrap();
        assert!(outcome.unflushed.is_empty(), "{outcome:?}");
    }
    for log in 0..LOGS {
        let events = stage.runtime.block_on(read(&stage.host, &stage.store, &format!("log{log}")));
        let mut by_plugin: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for event in events {
            let (plugin, _) = event.split_once(' ').unwrap();
            by_plugin.entry(plugin.to_owned()).or_default().push(event.clone());
        }
        let expected = (log..PLUGINS).step_by(LOGS).map(|number| format!("p{number}"));
        let expected = expected.map(|plugin| (plugin.clone(), numbered(&plugin, EVENTS)));
        assert_eq!(by_plugin, expected.collect());
    }
}

/// Measures the memory of a waiting plugin with an open log: its own instance and the log's.
#[test]
fn idle_plugin_takes_little_memory() {
    alone(concat!(module_path!(), "::idle_plugin_takes_little_memory"), measure_idle_plugins);
}

fn measure_idle_plugins() {
    let stage = Arc::new(Stage::new());
    let idle = |count: usize| {
        let stage = stage.clone();
        let before = resident_bytes();
        stage.clone().runtime.block_on(async move {
            let mut runs = Vec::new();
            for _ in 0..count {
                let logs = stage.granting(Rights::default());
                let (open, is_open) = tokio::sync::oneshot::channel::<()>();
                let stage = stage.clone();
                runs.push((
                    tokio::spawn(async move {
                        let run = stage.start(logs, &["open=errors", "append=a", "idle"]);
                        tokio::pin!(run);
                        // Polled only when it wakes: it sleeps.
                        tokio::select! {
                            _ = &mut run => {}
                            _ = is_open => {}
                        }
                    }),
                    open,
                ));
            }
            // Each creates its batch at most a second after its append.
            let begun = Instant::now();
            while stage.faulty.objects.list(None).count().await < count {
                assert!(begun.elapsed() < NEVER, "a batch is never created");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let held = resident_bytes().saturating_sub(before);
            for (run, open) in runs {
                drop(open);
                run.await.unwrap();
            }
            held / count
        })
    };
    let bytes = idle(PLUGINS);
    println!("memory of an idle plugin with an open log: {} KiB resident", bytes / 1024);
    assert!(bytes < 8 * 1024 * 1024, "{bytes} bytes for an idle plugin");
}

fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = status.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}
