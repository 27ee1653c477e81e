//! `doctor`: its report of a store, and the absence of garbage after it.

use std::fs;
use std::io::{BufRead as _, BufReader};

use rig::waits::until;

use crate::binary::{Ran, check, end_of, fresh, json, ok, run_with, signal, stratalog};
use crate::bucket::{self, Answer};

#[test]
fn doctor_of_a_folder_finds_all_abilities_and_leaves_nothing() {
    let (folder, log) = fresh();
    let ran = run_with(&["doctor", &log], b"");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 17, "{}", ran.stdout);
    assert!(lines[16].ends_with(": a log can do everything here"), "{}", ran.stdout);
    for ability in ["create-if-absent in a race", "list start-after", "bulk delete", "clock"] {
        assert!(ran.stdout.contains(&format!("ok       {ability}")), "{}", ran.stdout);
        assert_eq!(ran.stdout.matches(&format!("       {ability} ")).count(), 1, "{}", ran.stdout);
    }
    assert_eq!(ran.stderr, "", "it is printed once");
    assert!(ran.stdout.contains("limited  list order"), "{}", ran.stdout);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "something is left");

    ok(&["append", &log], "event\n");
    let report = json(&["doctor", "--json", "-q", &log]);
    assert_eq!(report["use"], "all");
    assert_eq!(report["abilities"].as_array().unwrap().len(), 15);
    assert_eq!(report["abilities"][0]["ability"], "reachable");
    assert_eq!(report["latencies"][2]["request"], "list");
    for latency in report["latencies"].as_array().unwrap() {
        let (p50, p99) = (latency["p50_ms"].as_f64().unwrap(), latency["p99_ms"].as_f64().unwrap());
        assert!(0.0 < p50 && p50 <= p99, "{latency}");
    }
    // This is the machine's own clock: the known bounds include that it is right.
    let bound = |name: &str| report[name].as_i64().unwrap();
    assert!(bound("clock_ahead_ms_min") < 2_000, "{report}");
    assert!(bound("clock_ahead_ms_max") > -2_000, "{report}");
    assert_eq!(fs::read_dir(&log).unwrap().count(), 1, "something is left");
    assert_eq!(ok(&["read", &log], ""), "event\n");
}

fn of_bucket(answer: Answer) -> (String, Vec<String>) {
    let endpoint = bucket::serve(move |_| answer);
    let options = [&format!("aws_endpoint={endpoint}"), "allow_http=true", "aws_region=local"];
    let mut arguments: Vec<String> = vec!["doctor".to_owned(), "s3://bucket/log".to_owned()];
    arguments.extend(options.iter().flat_map(|o| ["--store-option".to_owned(), (*o).to_owned()]));
    (endpoint, arguments)
}

#[test]
fn doctor_of_an_unusable_store_names_the_cause() {
    let table = [
        (Answer::Status("403 Forbidden"), "FAILED   credentials"),
        (Answer::Status("404 Not Found"), "FAILED   reachable"),
        (Answer::Status("503 Slow Down"), "FAILED   reachable"),
    ];
    for (answer, row) in table {
        let (_, mut arguments) = of_bucket(answer);
        arguments.extend(["--retry-max".to_owned(), "0".to_owned()]);
        let mut command = stratalog(&arguments);
        command.env("AWS_ACCESS_KEY_ID", "key").env("AWS_SECRET_ACCESS_KEY", "hush");
        let ran = Ran::from(command.output().unwrap());
        assert_eq!(ran.code, 3, "{}", ran.stderr);
        assert!(ran.stdout.contains(row), "no {row:?} in: {}", ran.stdout);
        assert!(ran.stdout.ends_with("s3://bucket: not usable for a log\n"), "{}", ran.stdout);
    }
    check(&["doctor", "s3://bucket/log"], "", 3, &["no credentials", "AWS_ACCESS_KEY_ID"]);
    check(&["doctor", "nothing://bucket/log"], "", 5, &["is not known"]);
}

#[cfg(unix)]
#[test]
fn doctor_that_is_interrupted_ends_and_cleans_up() {
    let (folder, log) = fresh();
    until("an interruption before the end", || {
        let mut child = stratalog(&["doctor", &log]).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("range reads") {
            line.clear();
            assert!(stdout.read_line(&mut line).unwrap() > 0);
        }
        signal(&child, "INT");
        let code = end_of(&mut child).code();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "something is left");
        assert!([Some(130), Some(0)].contains(&code), "{code:?}");
        // With 0 it was done before the signal came.
        code == Some(130)
    });

    let (_, arguments) = of_bucket(Answer::Never);
    let mut command = stratalog(&arguments);
    command.env("AWS_ACCESS_KEY_ID", "key").env("AWS_SECRET_ACCESS_KEY", "hush");
    let mut child = command.spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert!(line.starts_with("waiting for s3://bucket: list \"log/doctor_"), "{line}");
    signal(&child, "INT");
    assert_eq!(end_of(&mut child).code(), Some(130));
}
