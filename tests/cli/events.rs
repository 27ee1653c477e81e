//! Lines that are appended as events, and those that are refused.

use std::fs;
use std::io::Write as _;

use rig::waits::until;

use crate::binary::{Ran, batches, check, fresh, numbered, ok, run_with, stratalog};

#[test]
fn lines_of_files_and_stdin_are_appended_as_they_are() {
    let (folder, log) = fresh();
    let file = folder.path().join("crlf.txt");
    fs::write(&file, "a\r\nno line feed at the end").unwrap();
    let file = file.to_str().unwrap();
    ok(&["append", &log, file, "-", file], " b \n\u{e4}\u{7}\nlast");
    let once = "a\r\nno line feed at the end\n";
    assert_eq!(ok(&["read", &log], ""), format!("{once} b \n\u{e4}\u{7}\nlast\n{once}"));
}

#[test]
fn large_input_is_cut_into_batches_and_keeps_its_order() {
    let (folder, log) = fresh();
    let events = numbered(0..200_000);
    let file = folder.path().join("events.jsonl");
    fs::write(&file, &events).unwrap();
    let arguments = ["append", "--json", "--flush-bytes", "64KiB", &log, file.to_str().unwrap()];
    let report: serde_json::Value = serde_json::from_str(&ok(&arguments, "")).unwrap();
    assert_eq!(report["events"], 200_000);
    assert!(report["batches"].as_u64().unwrap() > 1, "{report}");
    assert!(ok(&["read", &log], "") == events);
}

#[test]
fn batch_has_as_many_events_as_the_threshold() {
    for (threshold, events, expected) in [(10, 100, 10), (7, 100, 15), (1, 5, 5), (100, 99, 1)] {
        let (_folder, log) = fresh();
        let threshold = threshold.to_string();
        let options = ["append", "--json", "--flush-interval", "0"];
        let arguments = [&options[..], &["--flush-threshold", &threshold, &log]].concat();
        let report = ok(&arguments, &numbered(0..events));
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["batches"], expected, "{threshold} of {events}");
        assert_eq!(ok(&["read", &log], ""), numbered(0..events));
    }
}

#[test]
fn invalid_line_ends_append_after_the_lines_before_it() {
    let (folder, log) = fresh();
    let file = folder.path().join("bad.txt");
    let long = "x".repeat(2_000_000);
    let table = [
        ("a\nb\n123456789\nc\n", 3, "the line is longer than --event-bytes-max, 8 bytes"),
        (&format!("a\n{long}\nb\n"), 2, "the line is longer than --event-bytes-max, 8 bytes"),
        (&format!("a\n{long}"), 2, "the line is longer than --event-bytes-max, 8 bytes"),
        ("\n\na\n \n\nb\n123456789\n\n", 7, "the line is longer than --event-bytes-max, 8 bytes"),
        (&format!("\na\n\n{long}\n"), 4, "the line is longer than --event-bytes-max, 8 bytes"),
    ];
    let mut stored = String::new();
    for (input, line, reason) in table {
        fs::write(&file, input).unwrap();
        for (name, from) in [(file.to_str().unwrap(), file.to_str().unwrap()), ("<stdin>", "-")] {
            let arguments = ["append", "--event-bytes-max", "8", &log, from];
            check(
                &arguments,
                input,
                5,
                &[&format!("error: cannot append {name}:{line}: {reason}")],
            );
            let before = input.split_inclusive('\n').take(line - 1);
            stored.extend(before.filter(|line| !line.trim().is_empty()));
        }
    }
    assert_eq!(ok(&["read", &log], ""), stored);
}

#[test]
fn invalid_lines_are_left_out_and_counted_if_that_is_asked_for() {
    let (folder, log) = fresh();
    let long = "x".repeat(2_000_000);
    let input = format!("a\n\n\nb\n{long}\n12345678\n123456789\n{long}\nc\n{long}");
    let arguments = ["append", "--json", "--skip-invalid", "--event-bytes-max", "8", &log];
    let report = "{\"events\":4,\"batches\":1,\"bytes\":15,\"blank_lines\":2,\"skipped\":4}\n";
    assert_eq!(ok(&arguments, &input), report);
    assert_eq!(ok(&["read", &log], ""), "a\nb\n12345678\nc\n");
    let summary = "; 1 blank line left out; 1 invalid line left out";
    let arguments = ["append", "--skip-invalid", "--event-bytes-max", "8", &log];
    check(&arguments, "a\n\n123456789\n", 0, &[summary]);
    // Each file counts its own lines. The first ten are named, and with -v all.
    let file = folder.path().join("bad.txt");
    fs::write(&file, format!("a\n{long}\n\n123456789\n").repeat(3)).unwrap();
    let file = file.to_str().unwrap();
    for (verbose, others) in [("-v", 2), ("--json", 0)] {
        let arguments =
            ["append", verbose, "--skip-invalid", "--event-bytes-max", "8", &log, file, file];
        let ran = run_with(&arguments, b"");
        for line in [2, 4, 6, 8, 10, 12] {
            let named = ran.stderr.matches(&format!(": left out {file}:{line}: ")).count();
            assert!(named >= 1, "{}", ran.stderr);
        }
        assert_eq!(ran.stderr.matches("warning: left out").count(), 10, "{}", ran.stderr);
        assert_eq!(ran.stderr.matches("info: left out").count(), others, "{}", ran.stderr);
    }
}

#[test]
fn many_blank_lines_cost_no_more_than_their_bytes() {
    for (lines, events) in [("\n", 0), ("a\n\n", 1_000_000)] {
        let (_folder, log) = fresh();
        let report = ok(&["append", "--json", &log], &format!("{}a\n", lines.repeat(1_000_000)));
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        let counts = (&report["events"], &report["blank_lines"]);
        assert_eq!(counts, (&(events + 1).into(), &1_000_000.into()));
        assert_eq!(ok(&["read", &log], ""), "a\n".repeat(events + 1));
    }
}

#[test]
fn slow_pipe_gets_its_events_to_the_log() {
    let (_folder, log) = fresh();
    let mut child = stratalog(&["append", "--flush-interval", "20ms", &log]).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    for n in 1..=3 {
        input.write_all(b"event\n").unwrap();
        until("a batch", || batches(&log).len() == n);
    }
    drop(input);
    assert_eq!(Ran::from(child.wait_with_output().unwrap()).code, 0);
}
