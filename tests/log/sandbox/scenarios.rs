//! The scenarios of the test kits for plugins, here with a plugin in the host: what a kit does, the
//! host does, too.

use std::io::{BufRead as _, BufReader, Write as _, pipe};
use std::sync::Arc;

use futures::TryStreamExt as _;
use object_store::ObjectStoreExt as _;
use object_store::memory::InMemory;
use rig::faults::{Call, Fault};
use rig::faulty::Faulty;
use rig::plugins;
use serde_json::Value;
use stratalog::plugin::{Grant, Input, LogsCtx, Output, PluginLimits, Rights, Run};
use stratalog::store::{ConditionalCreate, Store};

use super::stage::Stage;

const SCENARIOS: &str = include_str!("../../../plugin-kit/testing/scenarios.json");

/// Scenarios that need what a host does not have, and the reason.
const OF_KITS: [(&str, &str); 4] = [
    ("crash loses what was not flushed", "a host in the process of the test cannot crash"),
    ("clock that moves on stores old events", "a host ticks by the clock of the machine"),
    ("buffer that is full of events is stored", "a host may make larger batches"),
    ("right that is missing denies the call", "the rights of a run do not change"),
];

#[test]
fn plugin_in_the_host_does_what_it_does_in_the_test_kits() {
    let stage = Stage::of(PluginLimits::default(), std::fs::read(plugins::rust("steps")).unwrap());
    let scenarios: Value = serde_json::from_str(SCENARIOS).unwrap();
    let (mut run, mut left_out) = (0, 0);
    for scenario in scenarios.as_array().unwrap() {
        let name = scenario["name"].as_str().unwrap();
        if OF_KITS.iter().any(|(of_kits, _)| *of_kits == name) {
            left_out += 1;
            continue;
        }
        follow(&stage, name, scenario["steps"].as_array().unwrap());
        run += 1;
    }
    assert_eq!(left_out, OF_KITS.len());
    assert!(run > 10, "{run}");
}

/// Runs the plugin, and gives it the steps of a scenario one by one.
fn follow(stage: &Stage, name: &str, steps: &[Value]) {
    let faulty = Faulty::default();
    let objects = Arc::new(faulty.clone());
    let store = Store::from_object_store(objects, "faulty://", ConditionalCreate::Honoured);
    let grant = Grant::new(&stage.host, &store, "app/errors").rights(Rights::all());
    let logs = LogsCtx::builder().grant("errors", grant).build().unwrap();
    let ((input, mut asked), (answers, output)) = (pipe().unwrap(), pipe().unwrap());
    let mut answers = BufReader::new(answers);
    let mut run = Run::new(logs);
    run.wasi().stdin(Input::new(input).unwrap());
    run.stdout(Output::new(output).unwrap());
    let plugin = stage.plugin.clone();
    let running = stage.runtime.spawn(async move { plugin.run(run).await });
    for step in steps {
        stage.runtime.block_on(fault(&faulty, step));
        writeln!(asked, "{step}").unwrap();
        let mut answer = String::new();
        answers.read_line(&mut answer).unwrap();
        let outcome: Value = serde_json::from_str(&answer).unwrap();
        let place = format!("{name}: {step}: {outcome}");
        for word in ["expect", "error"] {
            if step.get(word).is_some() || word == "error" {
                assert_eq!(outcome[word], step[word], "{place}");
            }
        }
    }
    drop(asked);
    let outcome = stage.runtime.block_on(running).unwrap().unwrap();
    assert!(outcome.unflushed.is_empty(), "{name}: {outcome:?}");
}

/// Does a step of the world, if it is one.
async fn fault(faulty: &Faulty, step: &Value) {
    let faults = &faulty.faults;
    for (action, value) in step.as_object().unwrap() {
        let times = usize::try_from(value.as_u64().unwrap_or(1)).unwrap();
        let many = |fault| std::iter::repeat_n(fault, times);
        match action.as_str() {
            "fail-creates" => faults.arm(Call::Create, many(Fault::Refused)),
            "lose-replies" => faults.arm(Call::Create, many(Fault::ReplyLost)),
            "delay-create" => faults.arm(Call::Create, many(Fault::LandsLate)),
            "deliver" => faulty.land().await,
            // A read begins with a listing.
            "fail-reads" => faults.arm(Call::List, many(Fault::Lost)),
            "fail-deletes" => faults.arm(Call::Delete, many(Fault::Lost)),
            "damage" => damage(&faulty.objects).await,
            _ => {}
        }
    }
}

/// Changes one byte of the newest batch.
async fn damage(objects: &InMemory) {
    use object_store::ObjectStore as _;
    let listed: Vec<_> = objects.list(None).try_collect().await.unwrap();
    let batches = listed.into_iter().map(|listed| listed.location);
    let batches = batches.filter(|at| at.filename().is_some_and(|it| it.starts_with("batch_")));
    let newest = batches.max().unwrap();
    let mut content = objects.get(&newest).await.unwrap().bytes().await.unwrap().to_vec();
    content[0] ^= 1;
    objects.put(&newest, content.into()).await.unwrap();
}
