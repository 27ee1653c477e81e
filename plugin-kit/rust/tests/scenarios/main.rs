//! Runs the scenarios that the test kits of all languages share, in the one for Rust.
#![cfg(all(feature = "testing", feature = "serde"))]

mod steps;

use std::time::Duration;

use serde_json::Value;
use stratalog_plugin::testing::{Right, World};

use steps::Steps;

const SCENARIOS: &str = include_str!("../../../testing/scenarios.json");

/// The actions that have the label of a log.
const OF_LABEL: [&str; 6] = ["open", "read", "read-named", "compact", "trim", "verify"];

#[test]
fn scenarios_of_all_languages_end_as_they_say() {
    let scenarios: Value = serde_json::from_str(SCENARIOS).unwrap();
    for scenario in scenarios.as_array().unwrap() {
        let steps = scenario["steps"].as_array().unwrap();
        let (world, mut plugin) = (World::new(), Steps::default());
        let labels = steps.iter().flat_map(|step| OF_LABEL.map(|action| step[action].as_str()));
        for label in labels.flatten() {
            world.grant_log(label, label, &Right::ALL);
        }
        for step in steps {
            fault(&world, step);
            let outcome = plugin.step(step).unwrap_or(Ok(Value::Null));
            let place = format!("{}: {step}: {outcome:?}", scenario["name"]);
            match (step.get("expect"), step["error"].as_str()) {
                (Some(expected), _) => assert_eq!(outcome.as_ref(), Ok(expected), "{place}"),
                (_, Some(case)) => assert_eq!(outcome, Err(case.to_owned()), "{place}"),
                _ => assert!(outcome.is_ok(), "{place}"),
            }
        }
    }
}

/// Does a step of the world, if it is one.
fn fault(world: &World, step: &Value) {
    for (action, value) in step.as_object().unwrap() {
        let count = u32::try_from(value.as_u64().unwrap_or_default()).unwrap();
        match (action.as_str(), value.as_str().unwrap_or_default()) {
            ("fail-creates", _) => world.fail_creates(count),
            ("lose-replies", _) => world.lose_replies(count),
            ("delay-create", _) => world.delay_create(),
            ("deliver", _) => drop(world.deliver()),
            ("fail-reads", _) => world.fail_reads(count),
            ("fail-deletes", _) => world.fail_deletes(count),
            ("damage", label) => drop(world.damage(label)),
            ("deny", name) => {
                let right = Right::ALL.into_iter().find(|right| right.name() == name).unwrap();
                world.deny("errors", right);
            }
            ("advance-ms", _) => world.advance(Duration::from_millis(count.into())),
            ("crash", _) => world.crash(),
            _ => {}
        }
    }
}
