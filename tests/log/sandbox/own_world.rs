//! The example of a world of one's own.

use std::io::Write as _;
use std::process::{Command, Stdio};

use rig::plugins;
use rig::tools::cache_folder;

#[test]
fn example_grants_a_log_to_a_plugin_of_its_own_world() {
    // The examples are next to the tests.
    let tests = std::env::current_exe().unwrap();
    let example = tests.parent().unwrap().parent().unwrap().join("examples").join("own_world");
    let folder = tempfile::tempdir().unwrap();
    let [log, record] = ["rejects", "runs"].map(|name| folder.path().join(name));
    let run = |input: &str| {
        let mut child = Command::new(&example)
            .args([plugins::rust("line_filter"), log.clone(), record.clone()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", example.display()));
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr))
    };
    let (kept, printed) = run("good\nbad\x07line\nok\n");
    assert_eq!((kept.as_str(), printed.as_str()), ("good\nok\n", "events journalled: 1\n"));
    let (kept, printed) = run("\x1b[2J\n");
    assert_eq!((kept.as_str(), printed.as_str()), ("", "events journalled: 1\n"));
    let [events, records] = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = stratalog::store::Root::folder(folder.path());
        let options = stratalog::store::StoreOptions::new();
        let store = stratalog::store::Store::open(&store, &options).unwrap();
        let host = stratalog::Host::builder().cache_folder(cache_folder()).build().unwrap();
        let read = |log| super::stage::read(&host, &store, log);
        [read("rejects").await, read("runs").await]
    });
    assert_eq!(events, ["bad\\u{7}line", "\\u{1b}[2J"]);
    let records = records.iter().map(|record| serde_json::from_str(record).unwrap());
    let records: Vec<serde_json::Value> = records.collect();
    let named = |name| records.iter().filter(move |record| record["record"] == name);
    let plugin = plugins::rust("line_filter");
    assert!(named("granted").all(|record| record["plugin"] == plugin.to_str().unwrap()));
    let appended = named("call").filter(|record| record["call"] == "log.append");
    let appended: Vec<_> = appended.map(|record| (&record["outcome"], &record["bytes"])).collect();
    assert_eq!(appended, [(&"ok".into(), &13.into()), (&"ok".into(), &10.into())]);
    let ends: Vec<_> = named("end").map(|record| &record["end"]).collect();
    assert_eq!(ends, ["exited", "exited"]);
}
