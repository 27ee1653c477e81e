//! A plugin and the log's component joined into one file. It gets objects instead of a log, by the
//! same labels and rights.

use stratalog::Host;
use stratalog::plugin::{PluginLimits, Right, Rights};
use tempfile::TempDir;
use wasm_compose::composer::ComponentComposer;
use wasm_compose::config::Config;

use super::stage::{SECRET_NAME, Stage};

/// Returns the result of `wac plug plugin.wasm --plug log.wasm`, made by the composer from the
/// crates of wasmtime's series. `wac` would bring a second version of most of them.
pub(crate) fn joined() -> Vec<u8> {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("log.wasm");
    std::fs::write(&log, Host::embedded_component()).unwrap();
    let config =
        Config { dir: folder.path().to_owned(), definitions: vec![log], ..Config::default() };
    ComponentComposer::new(&rig::plugins::rust("scripted"), &config).compose().unwrap()
}

#[test]
fn joined_plugin_runs_on_the_same_logs() {
    let alone = Stage::new();
    let script = ["open=errors=10", "append=a=25", "flush", "append=b", "close"];
    alone.run(alone.granting(Rights::default()), &script);

    let joined = Stage::of(PluginLimits::default(), joined());
    let (outcome, said) = joined.run(joined.granting(Rights::default()), &script);
    assert_eq!(outcome.end.to_string(), "exited with code 0");
    assert_eq!(said[2..], ["flush: 25 events", "append=b: done", "close: 26 events"]);
    assert_eq!(joined.events(), alone.events());
    let requests = joined.faulty.faults.requests();
    let below = |request: &String| {
        let (_, key) = request.split_once(' ').unwrap();
        key == SECRET_NAME || key.starts_with(&format!("{SECRET_NAME}/"))
    };
    assert!(!requests.is_empty() && requests.iter().all(below), "{requests:?}");

    let script = ["compact=errors", "trim=errors=5", "read=errors", "verify=errors"];
    let (_, said) = joined.run(joined.granting(Rights::all()), &script);
    // The number of batches depends on the pace of the store.
    assert!(said[0].ends_with("files into Some(\"a segment\")"), "{said:?}");
    assert_eq!(
        said[1..],
        [
            "trim=errors=5: 21 events",
            "read=errors: 5 events, 0 missed",
            // Two manifests, a segment, its index, and that of the segment before the trim.
            "verify=errors: 5 objects, 0 findings",
        ]
    );
    assert_eq!(joined.events().len(), 5);
}

#[test]
fn joined_plugin_has_no_more_rights_than_another() {
    let stage = Stage::of(PluginLimits::default(), joined());
    let two_batches = ["open=errors=1000", "append=a=2", "flush", "append=a=3", "close"];
    stage.run(stage.granting(Rights::default()), &two_batches);
    stage.run(stage.granting(Rights::all()), &["compact=errors"]);
    stage.run(stage.granting(Rights::default()), &two_batches);
    stage.faulty.faults.requests();
    let table = [
        (Right::Append, "read=errors"),
        (Right::Append, "compact=errors"),
        (Right::Read, "compact=errors"),
        (Right::Read, "trim=errors=1"),
    ];
    for (right, word) in table {
        let (outcome, said) = stage.run(stage.granting(Rights::none().and(right)), &[word]);
        assert!(said[0].contains("needs the right to "), "{said:?}");
        assert_eq!(outcome.end.to_string(), "exited with code 0");
    }
    let mut requests = stage.faulty.faults.requests();
    // Any right allows lists, and the right to read allows gets.
    requests.retain(|request| !request.starts_with("list ") && !request.starts_with("get "));
    assert!(requests.is_empty(), "{requests:?}");
    assert_eq!(stage.events().len(), 10);
    let (_, said) = stage.run(stage.granting(Rights::all()), &["read=others", "stat=errors/.."]);
    assert!(said[0].contains("no log is granted under the label \"others\""), "{said:?}");
    assert!(said[1].starts_with("stat=errors/..: invalid-input: "), "{said:?}");
}

#[test]
fn joined_plugin_learns_of_no_log_below_an_absent_one() {
    let stage = Stage::of(PluginLimits::default(), joined());
    let below = format!("{SECRET_NAME}/below/batch_0001600000000000001.jsonl");
    stage.runtime.block_on(stage.store.create(&below, "old".into(), false)).unwrap();
    let script = ["read=errors", "stat=errors", "compact=errors"];
    let (_, said) = stage.run(stage.granting(Rights::all()), &script);
    assert_eq!(said, script.map(|word| format!("{word}: no-log: errors, below it []")));
}
