//! Programs whose log messages become events: joined with the log sink, in one step.

use std::fs;
use std::path::Path;

use super::{App, lines, run};
use crate::binary::{fresh, ok};

/// Returns the program that logs, joined with the sink, the log and the store of a folder.
fn journalled() -> Option<App> {
    App::of("logger", &["--log-sink", "--store=fs"], "stock-sink")
}

/// Returns the messages of the log in a folder.
fn messages(folder: &Path) -> Vec<String> {
    let log = folder.join("log");
    let events = ok(&["read", log.to_str().unwrap()], "");
    let message = |event: &str| {
        let event: serde_json::Value = serde_json::from_str(event).unwrap();
        event["message"].as_str().unwrap().to_owned()
    };
    events.lines().map(message).collect()
}

#[test]
fn last_records_are_durable_when_the_program_returns_or_exits() {
    let Some(app) = journalled() else { return };
    // All but the first record are in memory when the program ends.
    let end = ["log=info=app=last"];
    let exits = ["log=info=app=last", "exit=success"];
    let fails = ["log=info=app=last", "exit=failure"];
    let returns_failure = ["log=info=app=last", "what=is=this"];
    for (words, code) in [(&end[..], 0), (&exits, 0), (&fails, 1), (&returns_failure, 1)] {
        let (folder, _) = fresh();
        let arguments = [&["many=100"], words].concat();
        let ran = run(&mut app.on(folder.path(), &arguments));
        assert_eq!(ran.code, code, "{words:?}: {}", ran.stderr);
        let mut expected: Vec<_> = (0..100).map(|number| format!("record {number}")).collect();
        expected.push("last".to_owned());
        assert_eq!(messages(folder.path()), expected, "{words:?}");
    }
}

#[test]
fn lost_records_are_counted_when_the_program_ends() {
    let Some(app) = journalled() else { return };
    // The host opens no folder.
    let ran = run(&mut app.command(&[], &["many=100"]));
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "done\n"));
    let reports: Vec<_> = ran.stderr.lines().collect();
    assert_eq!(reports.len(), 2, "{}", ran.stderr);
    assert!(reports[0].contains("cannot append to the log log: "), "{}", ran.stderr);
    assert!(reports[1].contains("cannot flush the log log at the end"), "{}", ran.stderr);
    let lost = ": it fails as before; 100 records are lost";
    assert!(reports[1].ends_with(lost), "{}", ran.stderr);
    // Without messages, the program still ends well.
    let ran = run(&mut app.command(&["--env", "STRATALOG_LOG=off"], &["many=100"]));
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "done\n", ""));
}

#[test]
fn program_that_logs_nothing_touches_no_store() {
    let Some(app) = journalled() else { return };
    let (folder, _) = fresh();
    assert_eq!(lines(&mut app.on(folder.path(), &[])), ["done"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    // Without a folder, too.
    assert_eq!(lines(&mut app.command(&[], &[])), ["done"]);
}
