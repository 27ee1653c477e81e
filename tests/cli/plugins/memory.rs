//! The memory: its facts survive its process and a compaction.

use std::fs;

use serde_json::{Value, json};

use crate::binary::{Ran, fresh, ok, run_with};
use rig::plugins;

struct Memory<'a> {
    log: &'a str,
    grant: &'a str,
}

impl Memory<'_> {
    /// Runs a command in its own process.
    fn run(&self, words: &[&str], stdin: &str) -> Ran {
        let plugin = plugins::rust("memory");
        let log = format!("memory={}", self.log);
        let grant = format!("memory={}", self.grant);
        let mut arguments =
            vec!["run", plugin.to_str().unwrap(), "--log", &log, "--grant", &grant, "--"];
        arguments.extend(words);
        run_with(&arguments, stdin.as_bytes())
    }

    /// Runs a command that must succeed without messages; returns the answers.
    fn ask(&self, words: &[&str]) -> Vec<Value> {
        let ran = self.run(words, "");
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{words:?}");
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Runs a change; returns the id that it names.
    fn change(&self, words: &[&str], answer: &str) -> String {
        let answers = self.ask(words);
        let id = match answers.as_slice() {
            [one] => one.get(answer).and_then(Value::as_str),
            _ => None,
        };
        assert!(id.is_some(), "{words:?}: {answers:?}");
        id.unwrap().to_owned()
    }

    /// Runs a command that must be refused.
    fn refused(&self, words: &[&str], reason: &str) {
        let ran = self.run(words, "");
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{words:?}: {}", ran.stderr);
        let line = ran.stderr.strip_prefix("error: ").and_then(|line| line.strip_suffix('\n'));
        assert!(line.is_some_and(|line| line.contains(reason)), "{words:?}: {}", ran.stderr);
    }
}

fn texts(answers: &[Value]) -> Vec<&str> {
    answers.iter().map(|answer| answer["text"].as_str().unwrap()).collect()
}

#[test]
fn known_facts_survive_a_restart_and_a_compaction() {
    let (_folder, log) = fresh();
    let memory = Memory { log: &log, grant: "append,read,compact" };
    let disk = memory.change(&["upsert", "disk", "is full at night"], "added");
    assert_eq!(memory.change(&["upsert", "disk", "is full at night"], "replayed"), disk);
    let net = memory.change(&["upsert", "network", "two\nlines"], "added");
    let wrong = memory.change(&["upsert", "disk", "is made of cheese"], "added");
    let better = memory.change(&["revise", &disk, "is full at 2 o'clock"], "by");
    // An id may be shortened.
    let best = memory.change(&["revise", &better[..8], "is full at 3 o'clock"], "by");
    assert_eq!(memory.change(&["retire", &wrong, "nobody saw it"], "retired"), wrong);

    let look = || {
        let history = memory.ask(&["history", &better]);
        (memory.ask(&["list"]), history, memory.ask(&["find", "DISK", "full"]))
    };
    let (list, history, found) = look();
    assert_eq!(texts(&list), ["is full at 3 o'clock", "two\nlines"]);
    assert_eq!(texts(&history), ["is full at night", "is full at 2 o'clock", texts(&list)[0]]);
    assert_eq!(texts(&found), ["is full at 3 o'clock"]);
    assert_eq!(history[0]["replays"], json!(1));
    assert_eq!(history[0]["superseded"]["by"], json!(better));
    assert_eq!(history[1]["superseded"]["by"], json!(best));
    assert_eq!(history[0]["superseded"]["at"], history[1]["added"]);
    assert_eq!((&history[2]["parent"], &history[2]["superseded"]), (&json!(better), &Value::Null));
    assert_eq!(list[1]["id"], json!(net));
    let retired = memory.ask(&["history", &wrong]);
    assert_eq!(retired[0]["retired"]["reason"], json!("nobody saw it"));

    assert_eq!(memory.ask(&["compact"]), [json!({ "merged_files": 7, "events": 7 })]);
    assert_eq!(look(), (list, history, found));
    assert_eq!(memory.ask(&["compact"]), [json!({ "merged_files": 0, "events": 0 })]);
}

#[test]
fn compaction_without_the_right_is_denied_and_harms_nothing() {
    let (_folder, log) = fresh();
    let memory = Memory { log: &log, grant: "append,read" };
    memory.change(&["upsert", "k", "a"], "added");
    memory
        .refused(&["compact"], "cannot compact the log memory: denied: compact on the log memory");
    let reader = Memory { log: &log, grant: "read" };
    assert_eq!(texts(&reader.ask(&["list"])), ["a"]);
    reader.refused(&["upsert", "k", "b"], "cannot open the log memory: denied: log.open");
    assert_eq!(texts(&memory.ask(&["list"])), ["a"]);
}

#[test]
fn change_that_makes_no_sense_is_refused_and_nothing_is_written() {
    let (_folder, log) = fresh();
    let memory = Memory { log: &log, grant: "append,read" };
    let first = memory.change(&["upsert", "k", "a"], "added");
    memory.change(&["revise", &first, "b"], "by");
    let before = ok(&["read", &log], "");
    memory.refused(&["revise", &first, "c"], "was superseded by");
    memory.refused(&["retire", "00000000", "c"], "there is no id that begins with");
    memory.refused(&["upsert", "k", ""], "a text has 1 to 65536 bytes, this one has 0");
    let usage = memory.run(&["remember", "me"], "");
    assert_eq!((usage.code, usage.stdout.as_str()), (1, ""));
    assert!(usage.stderr.starts_with("error: \"remember\" is not a command\ncommands:\n"));
    assert_eq!(ok(&["read", &log], ""), before);
}

#[test]
fn commands_may_be_lines_and_a_refused_one_does_not_end_them() {
    let (_folder, log) = fresh();
    let memory = Memory { log: &log, grant: "append,read,compact" };
    let lines = "[\"upsert\",\"k\",\"a\"]\n[\"upsert\",\"k\",\"a\"]\nnonsense\n[\"compact\"]\n\
        [\"upsert\",\"k\",\"b\"]\n[\"list\"]";
    let ran = memory.run(&[], lines);
    assert_eq!(ran.code, 1);
    // Its answers on stdout have the reasons.
    assert!(ran.stderr.contains("1 line was refused: its answer says why"), "{}", ran.stderr);
    let answers: Vec<Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 7, "{answers:?}");
    assert_eq!(answers[1]["replays"], json!(1));
    assert!(answers[2]["error"].as_str().unwrap().contains("not a JSON array of words"));
    assert_eq!(answers[3], json!({ "merged_files": 2, "events": 2 }));
    assert_eq!(texts(&answers[5..]), ["a", "b"]);
    assert_eq!(answers[5]["replays"], json!(1));
}

#[test]
fn events_of_others_are_skipped_and_reported() {
    let (_folder, log) = fresh();
    let memory = Memory { log: &log, grant: "append,read" };
    memory.change(&["upsert", "k", "a"], "added");
    let id = "0".repeat(32);
    let foreign = format!(
        "{{\"error\":\"disk full\"}}\n{{\"memory\":\"retire.1\",\"at\":1,\"id\":\"{id}\",\"reason\":\"x\"}}\n"
    );
    ok(&["append", &log], &foreign);
    memory.run(&["upsert", "k", "b"], "");
    let ran = memory.run(&["list"], "");
    let warning = "warning: 2 events of the log are passed over; the first is number 2: missing \
        field `memory` at line 1 column 21\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (0, warning));
    assert_eq!(ran.stdout.lines().count(), 2, "{}", ran.stdout);
}

#[test]
fn damaged_log_is_an_error_and_not_a_memory_with_gaps() {
    let (_folder, log) = fresh();
    let memory = Memory { log: &log, grant: "append,read" };
    memory.change(&["upsert", "k", "a"], "added");
    let batch = fs::read_dir(&log).unwrap().next().unwrap().unwrap().path();
    let damaged = fs::read_to_string(&batch).unwrap().replace("\"a\"", "\"b\"");
    fs::write(&batch, damaged).unwrap();
    let ran = memory.run(&["list"], "");
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    // The host's own warning may come between the plugin's first word and the rest.
    let said = ran.stderr.contains("cannot read the log memory: damaged: memory/batch_");
    assert!(said, "{}", ran.stderr);
}
