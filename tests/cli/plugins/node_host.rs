//! The same component under two hosts: each can read, verify and compact the events of the other.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use super::joined;
use crate::binary::{Ran, fresh, json, numbered, ok};
use rig::plugins::{self, NodeHost};
use rig::tools;
use rig::tools::npm::Node;

/// Returns the hosts under each Node, with the same component as in the binary.
fn nodes() -> Vec<NodeHost> {
    let folder = tempfile::TempDir::new().unwrap();
    let component = folder.path().join("log.wasm");
    ok(&["component", "export", component.to_str().unwrap()], "");
    hosts(&component)
}

/// Returns the hosts with a component under the machine's Node, and under the newest one.
pub(super) fn hosts(component: &Path) -> Vec<NodeHost> {
    let host = |what: &str, node: Result<Node, String>| {
        tools::require_or_skip(what, node.and_then(|node| NodeHost::with(node, component)))
    };
    let hosts = [
        host("the host under Node", Node::system()),
        host("the host under the newest Node", Node::newest()),
    ];
    hosts.into_iter().flatten().collect()
}

fn run(node: &NodeHost, words: &[&str], stdin: &[u8]) -> Ran {
    let mut command = node.command("main.js");
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    // A command that fails early does not read it.
    input.write_all(stdin).ok();
    drop(input);
    child.wait_with_output().unwrap().into()
}

/// Runs a command under Node that must succeed without messages.
fn node_ok(node: &NodeHost, words: &[&str], stdin: &str) -> String {
    let ran = run(node, words, stdin.as_bytes());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{words:?}");
    ran.stdout
}

#[test]
fn each_host_reads_and_compacts_events_of_the_other() {
    nodes().iter().for_each(share_a_log);
}

#[expect(clippy::indexing_slicing, reason = "JSON")]
fn share_a_log(node: &NodeHost) {
    let (_folder, log) = fresh();
    let mut all = String::new();
    let verified = |events: usize| {
        let report = json(&["verify", "--json", &log]);
        assert_eq!(report["events"], events, "{report}");
        assert_eq!(report["damaged"], serde_json::json!([]), "{report}");
    };
    for round in 0..2 {
        let base = round * 1_000;
        // Node writes, Rust reads and compacts.
        for batch in 0..3 {
            let events = numbered(base + batch * 100..base + (batch + 1) * 100);
            let written = node_ok(node, &["append", &log], &events);
            assert!(written.contains("\"events\":100,"), "{written}");
            all += &events;
        }
        assert_eq!(ok(&["read", &log], ""), all);
        verified(all.lines().count());
        let compacted = json(&["compact", "--json", &log]);
        assert_eq!(compacted["batches"], 3, "{compacted}");
        // Rust writes, Node reads and compacts.
        let events = numbered(base + 300..base + 400);
        ok(&["append", "--flush-threshold", "30", &log], &events);
        all += &events;
        assert_eq!(node_ok(node, &["read", &log], ""), all);
        let compacted = node_ok(node, &["compact", &log], "");
        assert!(compacted.contains("\"batches\":") && !compacted.contains("\"batches\":0"));
        assert_eq!(node_ok(node, &["read", &log], ""), all);
        assert_eq!(ok(&["read", &log], ""), all);
        verified(all.lines().count());
    }
    let numbers: serde_json::Value =
        serde_json::from_str(&node_ok(node, &["stat", &log], "")).unwrap();
    let stat = json(&["stat", "--json", &log]);
    for (theirs, ours) in [("events", "events"), ("bytes", "bytes"), ("generation", "generation")] {
        assert_eq!(numbers[theirs], stat[ours], "{numbers} {stat}");
    }
    assert_eq!(numbers["generation"], 4);
}

#[test]
fn invalid_event_is_refused_after_the_events_before_it() {
    nodes().iter().for_each(refuse_an_invalid_event);
}

fn refuse_an_invalid_event(node: &NodeHost) {
    let (_folder, log) = fresh();
    let ran = run(node, &["append", &log], b"a\nb\n\nc\n");
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    let reason = format!(
        "error: cannot append {log}: line 3 of stdin: the event is empty: an event has at least one byte\n"
    );
    assert_eq!(ran.stderr, reason);
    assert_eq!(ok(&["read", &log], ""), "a\nb\n");
}

#[test]
fn damaged_object_is_named() {
    nodes().iter().for_each(name_a_damaged_object);
}

fn name_a_damaged_object(node: &NodeHost) {
    let (_folder, log) = fresh();
    node_ok(node, &["append", &log], "first\n");
    let batch = crate::binary::batches(&log).into_keys().next().unwrap();
    std::fs::write(std::path::Path::new(&log).join(&batch), "fIrst\n").unwrap();
    let ran = run(node, &["read", &log], b"");
    let said = format!("error: cannot read {log}: log/{batch} is damaged: expected ");
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.starts_with(&said), "{}", ran.stderr);
}

#[test]
fn node_host_names_the_file_or_build_that_is_missing() {
    nodes().iter().for_each(name_what_is_missing);
}

fn name_what_is_missing(node: &NodeHost) {
    let (_folder, log) = fresh();
    let mut missing = node.command("transpile.mjs");
    let ran = Ran::from(missing.arg("/no/such/log.wasm").output().unwrap());
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.starts_with("error: cannot read /no/such/log.wasm (ENOENT): make it first"));
    for made in ["`stratalog component export log.wasm`", "`stratalog component join PLUGIN.wasm"] {
        assert!(ran.stderr.contains(made), "{}", ran.stderr);
    }
    // A folder away from the place where the component was built.
    let sources = tools::workspace().join("examples/node-host");
    let alone = tempfile::TempDir::new().unwrap();
    for file in fs::read_dir(sources).unwrap().map(|file| file.unwrap().path()) {
        if file.extension().is_some_and(|kind| kind == "js" || kind == "json") {
            fs::copy(&file, alone.path().join(file.file_name().unwrap())).unwrap();
        }
    }
    let here = alone.path().to_str().unwrap();
    for (script, words, said) in [
        ("main.js", ["read", &log], "run `npm ci` and `node transpile.mjs log.wasm`"),
        ("joined.js", ["component/app.js", here], "run `npm ci` in the folder of joined.js first"),
    ] {
        let mut command = std::process::Command::new("node");
        let output = command.arg(alone.path().join(script)).args(words).output();
        assert_is_refused(&output.unwrap().into(), said);
    }
}

fn assert_is_refused(ran: &Ran, said: &str) {
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
    assert!(ran.stderr.starts_with("error: ") && ran.stderr.contains(said), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
}

#[test]
fn file_that_is_no_joined_program_is_named_with_the_command_for_it() {
    nodes().iter().for_each(name_the_command);
}

fn name_the_command(node: &NodeHost) {
    let (folder, _) = fresh();
    let folder = folder.path().to_str().unwrap();
    let run = |component: &Path, folder: &str| -> Ran {
        node.command("joined.js").arg(component).arg(folder).output().unwrap().into()
    };
    let broken = node.file("broken.js");
    fs::write(&broken, "export const").unwrap();
    for (component, said) in [
        (node.file("app.wasm"), "app.wasm is not JavaScript: run `node transpile.mjs app.wasm`"),
        (node.file("component/none.js"), "none.js (ENOENT): run `node transpile.mjs app.wasm`"),
        (broken, "make it again with `node transpile.mjs app.wasm`"),
        (node.file("store.js"), "store.js is not a component: name the file that"),
        // The log alone, without a store and a program.
        (node.transpiled(), "it must import only WASI: make it with `stratalog component join"),
    ] {
        assert_is_refused(&run(&component, folder), said);
    }
    assert_is_refused(&run(&node.transpiled(), "/no/folder"), "/no/folder is not a folder; create");
    let ran = Ran::from(node.command("joined.js").output().unwrap());
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.starts_with("usage: node joined.js COMPONENT.js FOLDER"), "{}", ran.stderr);
}

/// No code of the log's runs but that in the file: Node provides WASI.
#[test]
fn joined_plugin_keeps_a_log_under_node_that_this_program_reads() {
    let (folder, _) = fresh();
    let file = folder.path().join("app.wasm");
    let app = joined::joined(&plugins::rust("scripted"), &file, &["--store=fs"]);
    hosts(&app).iter().for_each(keep_a_log);
}

fn keep_a_log(node: &NodeHost) {
    let (folder, log) = fresh();
    let run = |words: &[&str]| {
        let mut command = node.command("joined.js");
        command.arg(node.transpiled()).arg(folder.path()).args(words);
        let output = command.output().unwrap();
        let ran = Ran::from(output);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        ran
    };
    let ran = run(&["open=log=10", "append=a=25", "flush", "append=b", "close"]);
    assert!(ran.stdout.ends_with("flush: 25 events\nappend=b: done\nclose: 26 events\n"));
    let expected = (0..25).map(|number| format!("a {number}\n")).collect::<String>() + "b\n";
    assert_eq!(ok(&["read", &log], ""), expected);
    ok(&["append", &log], "c\n");
    let ran = run(&["compact=log", "trim=log=3", "verify=log", "read=log"]);
    assert_eq!(ran.stderr, "");
    assert_eq!(ok(&["read", &log], ""), "a 24\nb\nc\n");
    ok(&["verify", &log], "");

    // A destructor calls no import, which jco would end with an error of its own. The next call
    // flushes what was dropped.
    let ran = run(&["open=log", "append=d", "forget", "read=log"]);
    assert!(ran.stdout.ends_with("forget: done\nread=log: 4 events, 0 missed\n"), "{}", ran.stdout);
    assert_eq!(ran.stderr, "");
    for (event, end) in [("e", &["leave"][..]), ("f", &[]), ("g", &["exit=0"])] {
        run(&[&["open=log", &format!("append={event}")], end].concat());
    }
    assert_eq!(ok(&["read", &log], ""), "a 24\nb\nc\nd\ne\nf\ng\n");
}

/// Calls the store directly, in ways that the component never does; the store makes its own checks.
#[test]
fn folder_store_of_the_node_host_keeps_its_interface() {
    nodes().iter().for_each(check_the_store);
}

fn check_the_store(node: &NodeHost) {
    let (folder, _log) = fresh();
    let output = node.command("store.test.js").arg(folder.path()).output().unwrap();
    let ran = Ran::from(output);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("# fail 0") && !ran.stdout.contains("# pass 0"), "{}", ran.stdout);
}
