//! The flight recorder: `run --record`.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rig::plugins;
use serde_json::Value;

use super::joined::joined;
use crate::binary::{Ran, fresh, ok, run_with, signal, stratalog};

/// Returns the records of a log.
fn records(log: &str) -> Vec<Value> {
    let lines = ok(&["read", log], "");
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of_kind<'a>(records: &'a [Value], kind: &str) -> Vec<&'a Value> {
    records.iter().filter(|record| record["record"] == kind).collect()
}

/// Checks that a record has its beginning, each call, and the end that the process reports.
pub(crate) fn check_complete(log: &str, ran: &Ran, words: &[&str]) {
    let records = records(log);
    let (first, last) = (records.first().unwrap(), records.last().unwrap());
    for record in &records {
        assert_eq!((&record["v"], &record["run"]), (&Value::from(1), &first["run"]), "{words:?}");
    }
    assert_eq!(first["record"], "granted", "{words:?}");
    assert_eq!(first["arguments"], Value::from(words), "{words:?}");
    assert_eq!(first["logs"][0]["label"], "evil", "{words:?}");
    assert_eq!(last["record"], "end", "{words:?}");
    match ran.stderr.rsplit_once(" was stopped: ") {
        Some((_, hit)) => {
            assert_eq!(last["end"], "limit-reached", "{words:?}");
            let limit = last["limit"]["limit"].as_str().unwrap();
            assert!(hit.starts_with(limit), "{words:?}: {limit}: {hit}");
        }
        None if ran.stderr.contains(" trapped: ") => {
            assert_eq!(last["end"], "trapped", "{words:?}");
            assert!(ran.stderr.contains(last["trap"].as_str().unwrap()), "{words:?}: {last}");
            assert!(!last["backtrace"].as_array().unwrap().is_empty(), "{words:?}: {last}");
        }
        None => {
            let end = if words[0].starts_with("fail-") { "failed" } else { "exited" };
            assert_eq!(last["end"], end, "{words:?}: {last}");
            assert_eq!(last["exit_code"], ran.code, "{words:?}: {last}");
            assert!(last.get("backtrace").is_none(), "{words:?}: {last}");
        }
    }
    let mut calls = BTreeMap::new();
    for call in of_kind(&records, "call") {
        let name = call["call"].as_str().unwrap();
        if call["outcome"] != "waiting" && !name.starts_with("object-store.") {
            *calls.entry(name).or_default() += call["count"].as_u64().unwrap();
        }
    }
    let counted = last["usage"]["calls"].as_object().unwrap().iter();
    let counted = counted.filter(|(name, _)| !name.starts_with("object-store."));
    let counted: BTreeMap<&str, u64> =
        counted.map(|(name, count)| (name.as_str(), count.as_u64().unwrap())).collect();
    assert_eq!(last["left_out"]["calls"], 0, "{words:?}: {last}");
    assert_eq!(calls, counted, "{words:?}");
}

fn run(options: &[&str], words: &[&str]) -> Ran {
    let plugin = plugins::rust("evil");
    let all = [&["run", plugin.to_str().unwrap()], options, &["--"], words].concat();
    run_with(&all, b"")
}

#[test]
fn record_of_a_trap_names_the_functions() {
    let (folder, log) = fresh();
    let record = folder.path().join("record").display().to_string();
    let granted = format!("evil={log}");
    run(&["--log", &granted, "--record", &record], &["trap-after-append"]);
    let records = records(&record);
    let trace = records.last().unwrap()["backtrace"].to_string();
    assert!(trace.contains("evil::main"), "{trace}");
    // A loaded machine may need two records for them.
    let calls = of_kind(&records, "call").into_iter();
    let appends: Vec<_> = calls.filter(|call| call["call"] == "log.append").collect();
    let appended = |call: &&Value| call["outcome"] == "ok" && call["handle"] == 1;
    assert!(appends.iter().all(appended), "{appends:?}");
    assert_eq!(appends.iter().filter_map(|call| call["events"].as_u64()).sum::<u64>(), 2);
    let said: String =
        of_kind(&records, "output").iter().map(|said| said["text"].as_str().unwrap()).collect();
    assert_eq!(said, "append: ok\nflush: ok\nappend: ok\n");
}

#[test]
fn denied_call_is_a_record_of_its_own() {
    let (folder, log) = fresh();
    let record = folder.path().join("record").display().to_string();
    let granted = format!("evil={log}");
    let options = ["--log", &granted, "--record", &record, "--grant", "evil=read"];
    let ran = run(&options, &["tiny-appends", "9"]);
    let hint = "grant a log with --log LABEL=LOG, and rights other than";
    assert_eq!(ran.stderr.contains(hint), ran.code != 0, "{}: {}", ran.code, ran.stderr);
    let records = records(&record);
    let denied = of_kind(&records, "call");
    assert_eq!(denied.len(), 1, "{denied:?}");
    assert_eq!((&denied[0]["call"], &denied[0]["outcome"]), (&"log.open".into(), &"denied".into()));
    assert!(denied[0]["message"].as_str().unwrap().contains("needs the right to append"));
}

/// The objects of a log that a plugin carries are reached by calls of their own. A named position
/// needs its right there, too.
#[test]
fn objects_of_a_carried_log_are_recorded_and_need_their_rights() {
    let (folder, log) = fresh();
    let app = joined(&plugins::rust("scripted"), &folder.path().join("app.wasm"), &[]);
    let granted = format!("own={log}");
    let script = ["open=own", "append=a", "close", "commit=own=app=1"];
    for (rights, outcome) in [("append,read", "denied"), ("append,read,commit", "ok")] {
        let record = folder.path().join(outcome).display().to_string();
        let rights = format!("own={rights}");
        let options = ["--log", &granted, "--grant", &rights, "--record", &record, "--"];
        let ran = run_with(&[&["run", app.to_str().unwrap()], &options[..], &script].concat(), b"");
        let said = &ran.stdout;
        assert_eq!(said.contains(", committed"), outcome == "ok", "{said}");
        let records = records(&record);
        let calls = of_kind(&records, "call");
        let outcomes = |name: &str| -> Vec<&Value> {
            calls.iter().filter(|call| call["call"] == name).map(|call| &call["outcome"]).collect()
        };
        assert_eq!(outcomes("object-store.create"), ["ok"], "{calls:?}");
        let commits = outcomes("object-store.create-position");
        assert!(!commits.is_empty() && commits.iter().all(|of| **of == *outcome), "{calls:?}");
        let is_named = |call: &&&Value| call["message"].to_string().contains("right to commit");
        assert_eq!(calls.iter().any(|call| is_named(&call)), outcome == "denied", "{calls:?}");
    }
}

#[test]
fn record_is_no_log_of_the_plugin_nor_above_or_below_one() {
    let (folder, log) = fresh();
    let plugin = plugins::rust("evil");
    let inside = format!("{log}/record");
    let above = folder.path().display().to_string();
    let granted = format!("evil={log}");
    for record in [&log, &inside, &above] {
        let arguments =
            ["run", plugin.to_str().unwrap(), "--log", &granted, "--record", record, "--", "x"];
        let ran = run_with(&arguments, b"");
        assert_eq!(ran.code, 2, "{record}: {}", ran.stderr);
        for named in [record, &log] {
            assert!(ran.stderr.contains(named.as_str()), "{named}: {}", ran.stderr);
        }
    }
    let dir = folder.path().to_str().unwrap();
    let elsewhere = folder.path().join("elsewhere/record").display().to_string();
    let ran = run(&["--dir", dir, "--record", &elsewhere], &["bad-names"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("gets the folder"), "{}", ran.stderr);
    let ran = run(&["--record", "memory:record"], &["bad-names"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}

#[test]
fn record_has_no_value_of_the_environment_and_no_secret() {
    let (_folder, record) = fresh();
    let options = ["--record", &record, "--env", "TOKEN=open-sesame", "--env", "MODE=fast"];
    let words = ["open-sesame", "https://me:password@host/path?sig=secret"];
    let ran = run(&options, &words);
    assert!(ran.stderr.contains("open-sesame"), "{}", ran.stderr);
    let all = ok(&["read", &record], "");
    for secret in ["open-sesame", "fast", "password", "sig=secret"] {
        assert!(!all.contains(secret), "{secret}: {all}");
    }
    let records = records(&record);
    assert_eq!(records[0]["environment"], Value::from(["TOKEN", "MODE"].as_slice()));
    assert_eq!(records[0]["arguments"][1], "https://***@host/path?***");
}

/// A record of output has 4 KiB at most, and of half a second 64 KiB are kept. A secret lies across
/// some of the first cuts, another across the last.
#[test]
fn secret_is_hidden_wherever_output_is_cut() {
    let (_folder, record) = fresh();
    let lines = |numbers: std::ops::Range<u32>| {
        numbers.map(|number| format!("{number:099}\n")).collect::<String>()
    };
    let (whole, cut) = (lines(300..400), lines(600..700));
    let (whole, cut) = (format!("WHOLE={whole}"), format!("CUT={cut}"));
    run(&["--env", &whole, "--env", &cut, "--record", &record], &["write-lines", "20000"]);
    let records = records(&record);
    let said = of_kind(&records, "output").into_iter();
    let said: String = said.map(|said| said["text"].as_str().unwrap()).collect();
    assert!(said.starts_with(&lines(0..300)) && said.contains(&lines(400..600)), "{said:.300}");
    for number in (300..400).chain(600..700) {
        assert!(!said.contains(&format!("{number:099}")), "{number}");
    }
}

#[test]
fn record_is_bounded_and_counts_what_it_leaves_out() {
    let (folder, log) = fresh();
    let record = folder.path().join("record").display().to_string();
    let granted = format!("evil={log}");
    let options = ["--log", &granted, "--record", &record, "--record-bytes-max", "8KiB"];
    let ran = run(&options, &["write-lines", "100000"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let said = &ran.stderr;
    assert!(said.contains(" leaves out ") && !said.contains(" 0 "), "{said}");
    let all = ok(&["read", &record], "");
    let records = records(&record);
    let last = records.last().unwrap();
    assert_eq!(last["record"], "end");
    let left_out = &last["left_out"];
    let lost = left_out["records"].as_u64().unwrap() + left_out["output_bytes"].as_u64().unwrap();
    assert!(lost > 0, "{left_out}");
    // The first and the last record come in addition.
    let framed = records[0].to_string().len() + last.to_string().len();
    assert!(all.len() <= 8 * 1024 + framed + 200, "{}", all.len());
}

#[test]
fn run_continues_if_its_record_fails() {
    let (folder, log) = fresh();
    // A file is no folder for a log.
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let record = file.join("record").display().to_string();
    let granted = format!("evil={log}");
    let ran = run(&["--log", &granted, "--record", &record], &["return-without-close"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("warning: the record in "), "{}", ran.stderr);
    assert!(ran.stderr.contains(" is incomplete: "), "{}", ran.stderr);
    assert_eq!(ok(&["read", &log], ""), "flushed\nnot flushed\n");
}

/// Returns the times of the batches in a folder, in order, in microseconds.
#[cfg(unix)]
fn batch_times(log: &str) -> Vec<u64> {
    let names = std::fs::read_dir(log).unwrap().map(|entry| entry.unwrap().file_name());
    let time = |name: std::ffi::OsString| {
        name.to_str()?.strip_prefix("batch_")?.split('_').next()?.parse().ok()
    };
    let mut times: Vec<u64> = names.filter_map(time).collect();
    times.sort_unstable();
    times
}

#[cfg(unix)]
#[test]
fn kill_of_the_host_loses_at_most_the_last_second_of_a_record() {
    let (folder, log) = fresh();
    let record = folder.path().join("record").display().to_string();
    let granted = format!("evil={log}");
    let plugin = plugins::rust("evil");
    let arguments = [
        "run",
        plugin.to_str().unwrap(),
        "--log",
        &granted,
        "--record",
        &record,
        "--",
        "append-until-stopped",
    ];
    let mut child = stratalog(&arguments).stdin(Stdio::null()).spawn().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let mut said: Vec<(Instant, u64)> = Vec::new();
    let begun = Instant::now();
    for line in stdout.lines() {
        said.push((Instant::now(), line.unwrap().parse().unwrap()));
        if begun.elapsed() > Duration::from_secs(4) {
            break;
        }
    }
    signal(&child, "KILL");
    let killed = Instant::now();
    child.wait().unwrap();
    // A loaded machine confirms a write later than in half a second.
    let slowest = batch_times(&record).windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    let lost_at_most = Duration::from_micros(2 * slowest).max(Duration::from_secs(1));
    let before = said.iter().filter(|(at, _)| killed - *at > lost_at_most);
    let safe = before.map(|(_, number)| *number).max().unwrap();
    let records = records(&record);
    assert_eq!(records[0]["record"], "granted");
    let appends = of_kind(&records, "call").into_iter().filter(|call| call["call"] == "log.append");
    let recorded: u64 = appends.map(|call| call["events"].as_u64().unwrap()).sum();
    assert!(recorded > safe, "{recorded} > {safe}");
    assert!(of_kind(&records, "end").is_empty());
}
