//! Quotas of logs: `run --quota`.

use std::fs;

use rig::plugins;
use serde_json::{Value, json};

use crate::binary::{Ran, check, fresh, ok, run_with, stratalog};

fn arguments(log: &str, options: &[&str], words: &[&str]) -> Vec<String> {
    let plugin = plugins::rust("evil").display().to_string();
    let granted = format!("evil={log}");
    let all = [&["run", &plugin, "--log", &granted], options, &["--"], words].concat();
    all.into_iter().map(str::to_owned).collect()
}

fn run(log: &str, options: &[&str], words: &[&str]) -> Ran {
    run_with(&arguments(log, options, words), b"")
}

/// Returns the number and the bytes of the files of a log.
fn space(log: &str) -> (usize, u64) {
    let sizes = fs::read_dir(log).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len());
    let sizes: Vec<u64> = sizes.collect();
    (sizes.len(), sizes.iter().sum())
}

#[test]
fn refusal_names_the_quota_and_the_report_and_the_record_show_it() {
    let (folder, log) = fresh();
    let report = folder.path().join("used.json").display().to_string();
    let record = folder.path().join("record").display().to_string();
    let report_option = format!("--report={report}");
    let options = ["--quota", "evil=1KB,500", &report_option, "--record", &record];
    let ran = run(&log, &options, &["append-on", "20"]);
    let refusal = "limit-reached: the log evil has 1,000 bytes, and the call needs 100 bytes more: \
                   quota_bytes = 1,000 bytes is reached; raise it with --quota, or trim the log";
    assert_eq!((ran.code, ran.stdout), (0, format!("10 accepted\n{refusal}\n")), "{}", ran.stderr);
    assert_eq!(space(&log), (10, 1_000));
    let used: Value = serde_json::from_str(&fs::read_to_string(&report).unwrap()).unwrap();
    let quota = json!({"bytes": 1000, "objects": 10, "bytes_max": 1000, "objects_max": 500});
    assert_eq!(used["quotas"], json!({ "evil": quota }));
    let hit = json!({"limit": "quota_bytes", "value": 1000, "option": "--quota"});
    assert_eq!(used["limits_hit"], json!([hit]));
    let records = ok(&["read", &record], "");
    let records: Vec<Value> =
        records.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let granted = json!({"bytes_max": 1000, "objects_max": 500});
    assert_eq!(records[0]["logs"][0]["quota"], granted);
    assert_eq!(records.last().unwrap()["usage"]["quotas"]["evil"], quota);
    let refused = records.iter().filter(|record| record["outcome"] == "limit-reached");
    assert_eq!(refused.map(|record| record["count"].as_u64().unwrap()).sum::<u64>(), 10);
}

#[test]
fn quota_that_cannot_hold_is_refused() {
    let (_folder, log) = fresh();
    let plugin = plugins::rust("evil").display().to_string();
    let granted = format!("evil={log}");
    let cases: [(&[&str], &str); 3] = [
        (&["--quota", "other=1K"], "--quota other: there is no --log other=LOG"),
        (&["--quota", "evil=1K", "--quota", "evil=2K"], "the label evil is given twice"),
        (&["--quota", "evil=1K", "--grant", "evil=read"], "--quota evil has no effect: "),
    ];
    for (options, message) in cases {
        let all = [&["run", &plugin, "--log", &granted], options].concat();
        check(&all, "", 2, &[message]);
    }
}

/// Objects that a plugin creates by itself, whatever the answers are.
#[test]
fn plugin_that_ignores_refusals_stays_within_the_bound() {
    let (_folder, log) = fresh();
    let ran = run(&log, &["--quota", "evil=20000,30"], &["create-on", "100"]);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(lines[0].starts_with("20 of batch: the log evil has "), "{ran:?}");
    assert!(lines[1..].iter().all(|line| line.starts_with("0 of ")), "{ran:?}");
    assert_eq!(space(&log), (20, 20_000));

    // What makes room, and positions: twice the quota, and 16 objects.
    let (_folder, log) = fresh();
    let rights = ["--quota", "evil=20000,30", "--grant", "evil=append,compact,trim,commit"];
    let ran = run(&log, &rights, &["create-on", "100"]);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(lines[0].starts_with("20 of batch: ") && lines[1].starts_with("0 of "), "{ran:?}");
    assert!(lines[2].starts_with("56 of segment: the log evil has 76 objects, "), "{ran:?}");
    assert!(lines[3..].iter().all(|line| line.starts_with("0 of ")), "{ran:?}");
    assert_eq!(space(&log), (76, 76_000));

    // Bytes: twice the quota, 64 KiB, and 256 for each object.
    let (_folder, log) = fresh();
    let rights = ["--quota", "evil=20000", "--grant", "evil=append,compact,trim,commit"];
    run(&log, &rights, &["create-on", "200"]);
    let (objects, bytes) = space(&log);
    let most = 2 * 20_000 + 64 * 1_024 + 256 * u64::try_from(objects).unwrap();
    assert!((most - 1_256..=most).contains(&bytes), "{bytes} bytes in {objects} objects");
}

/// Each further process may exceed the quota by a quarter of the room that it found.
#[test]
fn processes_exceed_a_quota_together_by_little() {
    let (_folder, log) = fresh();
    let all = arguments(&log, &["--quota", "evil=20000"], &["append-on", "400"]);
    let runs: Vec<_> = (0..3).map(|_| stratalog(&all).spawn().unwrap()).collect();
    for run in runs {
        let output = run.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let (_, bytes) = space(&log);
    assert!((20_000..=30_000).contains(&bytes), "{bytes}");
}
