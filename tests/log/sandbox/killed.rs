//! A plugin that is killed at random moments, and handles each event exactly once.

use std::time::Duration;

use rig::sim::random::Random;
use stratalog::plugin::{ExitReason, Grant, LogsCtx, Right, Rights, Run};
use stratalog::{CompactOptions, LogOptions};

use super::stage::{SECRET_NAME, Stage, read};

const KILLS: usize = 1_000;
/// Events that are appended before each run.
const EVENTS: usize = 7;

fn granting(stage: &Stage) -> LogsCtx {
    let grant = |name| Grant::new(&stage.host, &stage.store, name);
    let rights = Rights::none().and(Right::Read).and(Right::Commit);
    let logs = LogsCtx::builder().limits(stage.engine.limits());
    let logs = logs.grant("source", grant(SECRET_NAME).rights(rights));
    logs.grant("derived", grant("derived")).build().unwrap()
}

fn run(stage: &Stage) -> Run {
    let mut run = Run::new(granting(stage));
    run.wasi().arg("plugin").arg("derive=source=app=derived");
    run
}

#[test]
fn plugin_killed_at_1000_moments_derives_each_event_exactly_once() {
    let stage = Stage::new();
    let mut random = Random::new(7);
    let (mut written, mut stopped) = (0, 0);
    stage.runtime.block_on(async {
        let log = stage.host.open(&stage.store, SECRET_NAME, LogOptions::new()).await.unwrap();
        for kill in 0..KILLS {
            for _ in 0..EVENTS {
                log.append(format!("{written}")).await.unwrap();
                written += 1;
            }
            log.flush().await.unwrap();
            if kill % 50 == 7 {
                let options = CompactOptions::new();
                log.compact(&options).await.unwrap();
                stage.host.compact(&stage.store, "derived", &options).await.ok();
            }
            let moment = Duration::from_micros(random.below(6_000));
            let stopping = run(&stage).stop_when(tokio::time::sleep(moment));
            let outcome = stage.plugin.run(stopping).await.unwrap();
            assert!(outcome.unflushed.is_empty(), "{:?}", outcome.unflushed);
            stopped += usize::from(outcome.end == ExitReason::Stopped);
        }
        log.close().await.unwrap();
        let outcome = stage.plugin.run(run(&stage)).await.unwrap();
        assert_eq!(outcome.end.to_string(), "exited with code 0");
        let derived = read(&stage.host, &stage.store, "derived").await;
        let sources = derived.iter().map(|event| event.rsplit(' ').next().unwrap());
        let sources: Vec<usize> = sources.map(|event| event.parse().unwrap()).collect();
        assert!(sources.iter().copied().eq(0..written), "{written} events: {sources:?}");
    });
    println!("{stopped} of {KILLS} runs were stopped in the middle");
    assert!(stopped > KILLS / 10, "only {stopped} runs were stopped in the middle");
}
