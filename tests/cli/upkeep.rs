//! Compacting a log, trimming its beginning, and checking it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::binary::{batches, check, fresh, json, numbered, ok, run_with};

/// Lists the files of a log whose names have this beginning and end, in order.
fn files(log: &str, start: &str, end: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(log).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = files
        .filter(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with(start) && name.ends_with(end)
        })
        .collect();
    files.sort();
    files
}

/// Appends batches of ten events.
fn append_batches(log: &str, numbers: std::ops::Range<usize>) {
    let options = ["append", "--flush-threshold", "10", "--flush-interval", "0", log];
    ok(&options, &numbered(numbers));
}

#[test]
fn dry_run_prints_the_plan_and_does_nothing() {
    let (_folder, log) = fresh();
    append_batches(&log, 0..50);
    let bytes = numbered(0..50).len();
    let plan = json(&["compact", "--json", "--dry-run", &log]);
    let expected = json!({
        "batches": 5, "segments": 0, "bytes": bytes, "garbage_objects": 0, "garbage_bytes": 0
    });
    assert_eq!(plan, expected);
    check(&["compact", "--dry-run", &log], "", 0, &["would merge 5 batches (440 B) of"]);
    assert_eq!(batches(&log).len(), 5);
    ok(&["compact", &log], "");
    check(&["compact", "--dry-run", &log], "", 0, &["nothing to compact in"]);
}

#[test]
fn segments_are_merged_by_the_fan_in_or_all_of_them_on_request() {
    let (_folder, log) = fresh();
    for round in 0..4 {
        append_batches(&log, round * 30..round * 30 + 30);
        ok(&["compact", "--fan-in", "64", &log], "");
    }
    let stats = json(&["stat", "--json", &log]);
    assert_eq!((&stats["segments"], &stats["batches"]), (&json!(4), &json!(0)));
    let done = json(&["compact", "--json", "--full", &log]);
    assert_eq!((&done["merged_files"], &done["segments"]), (&json!(4), &json!(4)));
    assert_eq!(done["new_segments"], 1);
    assert_eq!((&done["batches"], &done["events"]), (&json!(0), &json!(120)));
    assert_eq!(done["bytes"], json!(numbered(0..120).len()));
    assert!(done["new_key"].as_str().unwrap().starts_with("log/segment_"), "{done}");
    let stats = json(&["stat", "--json", &log]);
    assert_eq!(stats["segments"], 1);
    assert_eq!(stats["write_amplification"], 3.0);
    assert_eq!(ok(&["read", &log], ""), numbered(0..120));
}

#[test]
fn segment_is_no_larger_than_asked_for() {
    let (_folder, log) = fresh();
    append_batches(&log, 0..100);
    let ran = run_with(&["compact", "--segment-bytes-max", "200", &log], b"");
    let segments = files(&log, "segment_", ".jsonl");
    let said = format!("merged into {} segments, the first of them log/segment_", segments.len());
    assert!(ran.stderr.contains(&said), "{}", ran.stderr);
    assert!(segments.len() > 3, "{segments:?}");
    for segment in &segments {
        assert!(fs::metadata(segment).unwrap().len() <= 200, "{segment:?}");
    }
    assert_eq!(ok(&["read", &log], ""), numbered(0..100));
}

#[test]
fn append_compacts_in_the_background_if_that_is_asked_for() {
    let (_folder, log) = fresh();
    let arguments = ["append", "--flush-threshold", "10", "--compact-after", "5", &log];
    ok(&arguments, &numbered(0..1_000));
    let stats = json(&["stat", "--json", &log]);
    assert!(stats["segments"].as_u64().unwrap() >= 1, "{stats}");
    assert!(stats["batches"].as_u64().unwrap() < 100, "{stats}");
    assert_eq!(ok(&["read", &log], ""), numbered(0..1_000));
    // The last flush can also make it due.
    let (_folder, log) = fresh();
    ok(&["append", "--compact-after", "1", &log], "a\n");
    ok(&["append", "--compact-after", "1", &log], "b\n");
    assert_eq!(json(&["stat", "--json", &log])["segments"], 1);
}

#[test]
fn beginning_is_trimmed_up_to_a_position_or_a_number_of_events() {
    let (_folder, log) = fresh();
    append_batches(&log, 0..100);
    // Nothing is compacted: the events before the point are absorbed first.
    let bytes = |numbers: std::ops::Range<usize>| numbered(numbers).len();
    let expected = json!({
        "events": 5, "segments": 0, "bytes": bytes(0..5), "rewritten_bytes": bytes(5..10),
        "absorbed_batches": 1, "first_position": 5, "live_batches": 0
    });
    let plan = json(&["trim", "--json", "--dry-run", "--keep-events", "95", &log]);
    assert_eq!(plan, expected);
    assert_eq!(batches(&log).len(), 10);
    check(
        &["trim", "--dry-run", "--keep-events", "95", &log],
        "",
        0,
        &["would trim 5 events (40 B)", "1 batch absorbed first", "would begin at position 5"],
    );
    assert_eq!(json(&["trim", "--json", "--keep-events", "95", &log]), expected);
    assert_eq!(batches(&log).len(), 9);
    assert_eq!(ok(&["read", &log], ""), numbered(5..100));
    check(
        &["trim", "--before-position", "101", &log],
        "",
        5,
        &["position 101 is beyond the end of the log", ", position 100; "],
    );
    ok(&["compact", &log], "");
    // A lazy trim leaves the bytes to the next compaction.
    let trimmed = json(&["trim", "--json", "--lazy", "--before-position", "15", &log]);
    let expected = json!({
        "events": 10, "segments": 0, "bytes": 0, "rewritten_bytes": 0, "absorbed_batches": 0,
        "first_position": 15, "live_batches": 0
    });
    assert_eq!(trimmed["events"], expected["events"]);
    assert_eq!(trimmed["rewritten_bytes"], expected["rewritten_bytes"]);
    let left = json(&["stat", "--json", &log])["trimmed_events"].clone();
    assert!(left.as_u64().unwrap() > 0, "{left}");
    let checked = json(&["verify", "--json", &log]);
    assert_eq!((&checked["events"], &checked["trimmed_events"]), (&json!(85), &left));
    let table = ok(&["stat", &log], "");
    assert!(table.contains("85, without ") && table.contains("the next compaction removes"));
    check(&["compact", "--dry-run", &log], "", 0, &["would merge 1 segment"]);
    ok(&["compact", &log], "");
    assert_eq!(json(&["stat", "--json", &log])["trimmed_events"], 0);
    assert_eq!(ok(&["read", &log], ""), numbered(15..100));
    let line = &["55 events trimmed", "1 segment rewritten", "position 70"];
    check(&["trim", "--keep-events", "30", &log], "", 0, line);
    assert_eq!(ok(&["read", &log], ""), numbered(70..100));
    for segment in files(&log, "segment_", ".jsonl") {
        let text = fs::read_to_string(segment).unwrap();
        assert!(numbered(0..70).lines().all(|gone| text.lines().all(|line| line != gone)));
    }
    // Positions never move back.
    let again = json(&["trim", "--json", "--before-position", "15", &log]);
    assert_eq!((&again["events"], &again["first_position"]), (&json!(0), &json!(70)));
    let stats = json(&["stat", "--json", &log]);
    assert_eq!((&stats["events"], &stats["first_position"]), (&json!(30), &json!(70)));
    assert_eq!(stats["next_position"], 100);
    let all = json(&["trim", "--json", "--keep-events", "0", &log]);
    assert_eq!((&all["events"], &all["segments"]), (&json!(30), &json!(1)));
    assert_eq!(ok(&["read", &log], ""), "");
}

#[test]
fn beginning_is_trimmed_up_to_a_time_or_an_age() {
    let (_folder, log) = fresh();
    fs::create_dir(&log).unwrap();
    // 2023-11-14T22:13:20Z, and a second later.
    for (name, line) in [("batch_0001700000000000000", "a\n"), ("batch_0001700000001000000", "b\n")]
    {
        fs::write(Path::new(&log).join(name).with_extension("jsonl"), line).unwrap();
    }
    ok(&["append", &log], "c\n");
    ok(&["compact", &log], "");
    for (before, left) in [
        ("2023-11-14", "a\nb\nc\n"),
        ("2023-11-14T22:13:20Z", "a\nb\nc\n"),
        ("2023-11-14T23:13:21+01:00", "b\nc\n"),
        ("1h", "c\n"),
        ("0s", ""),
    ] {
        ok(&["trim", "--before", before, &log], "");
        assert_eq!(ok(&["read", &log], ""), left, "{before}");
    }
}

#[test]
fn sound_log_is_verified() {
    let (_folder, log) = fresh();
    append_batches(&log, 0..50);
    ok(&["compact", &log], "");
    append_batches(&log, 50..60);
    let report = json(&["verify", "--json", &log]);
    // A manifest, an index, a segment and a batch.
    let expected = json!({
        "ok": true, "objects": 4, "events": 60, "trimmed_events": 0, "bytes": numbered(0..60).len(), "damaged": [],
        "garbage": [], "stranded": []
    });
    assert_eq!(report, expected);
    let ran = run_with(&["verify", &log], b"");
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
    let line = format!("4 objects with 60 events (530 B) checked in {log}: nothing is damaged\n");
    assert_eq!(ran.stderr, line);
}

#[test]
fn garbage_is_listed_and_is_no_fault() {
    let (_folder, log) = fresh();
    append_batches(&log, 0..50);
    let (name, events) = batches(&log).pop_first().unwrap();
    ok(&["compact", &log], "");
    // The state after a failed delete.
    fs::write(Path::new(&log).join(&name), &events).unwrap();
    let report = json(&["verify", "--json", &log]);
    let key = format!("log/{name}");
    assert_eq!((&report["ok"], &report["damaged"]), (&json!(true), &json!([])));
    let garbage = json!([{"object": key, "bytes": events.len(), "reason": "absorbed-batch"}]);
    assert_eq!(report["garbage"], garbage);
    let stdout = ok(&["verify", &log], "");
    assert_eq!(stdout, format!("garbage: {key}: a batch that a segment contains, 80 B\n"));
    check(
        &["verify", &log],
        "",
        0,
        &["nothing is damaged; the next compaction deletes 1 garbage object"],
    );
    let stats = json(&["stat", "--json", &log]);
    let garbage = (&stats["garbage_objects"], &stats["garbage_bytes"]);
    assert_eq!(garbage, (&json!(1), &json!(events.len())));
    check(&["compact", "--dry-run", &log], "", 0, &["would delete 1 garbage object (80 B)"]);
    ok(&["compact", &log], "");
    assert_eq!(json(&["verify", "--json", &log])["garbage"], json!([]));
}

#[test]
fn damage_is_found_wherever_it_is_and_ends_with_4() {
    let (_folder, log) = fresh();
    append_batches(&log, 0..50);
    ok(&["compact", &log], "");
    append_batches(&log, 50..70);
    let segment = files(&log, "segment_", ".jsonl").remove(0);
    let batch = files(&log, "batch_", ".jsonl").remove(1);
    for path in [&segment, &batch] {
        let text = fs::read_to_string(path).unwrap();
        fs::write(path, text.replace('n', "N")).unwrap();
    }
    let ran = run_with(&["verify", "--json", &log], b"");
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.stderr.starts_with("error: 2 damaged objects in "), "{}", ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["ok"], false);
    let damaged = report["damaged"].as_array().unwrap();
    for (path, found) in [&segment, &batch].iter().zip(damaged) {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert_eq!(found["object"], format!("log/{name}"));
        for part in ["expected", "found"] {
            assert!(!found[part].as_str().unwrap().is_empty(), "{found}");
        }
    }
    let ran = run_with(&["verify", "-q", &log], b"");
    assert_eq!((ran.code, ran.stdout.lines().count()), (4, 2), "{}", ran.stdout);
    for (path, line) in [&segment, &batch].iter().zip(ran.stdout.lines()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(line.starts_with(&format!("damaged: log/{name}: expected ")), "{line}");
        assert!(line.contains(", found "), "{line}");
    }
    // A missing object is damage, too.
    fs::remove_file(&segment).unwrap();
    let ran = run_with(&["verify", &log], b"");
    assert_eq!(ran.code, 4);
    assert!(ran.stdout.contains("found no such object"), "{}", ran.stdout);
}

#[test]
fn verification_counts_the_batches_next_to_a_damaged_one() {
    let (_folder, log) = fresh();
    append_batches(&log, 0..50);
    ok(&["compact", &log], "");
    let segment = files(&log, "segment_", ".jsonl").remove(0);
    let text = fs::read_to_string(&segment).unwrap();
    let harmed = |numbers: &[usize]| {
        let mut text = text.clone();
        for number in numbers {
            text = text.replace(&format!("{{\"n\":{number}}}"), &format!("{{\"N\":{number}}}"));
        }
        fs::write(&segment, text).unwrap();
        let report = run_with(&["verify", "--json", &log], b"");
        let report: Value = serde_json::from_str(&report.stdout).unwrap();
        let damaged = report["damaged"].as_array().unwrap();
        assert_eq!(damaged.len(), 1, "{report}");
        let found = damaged[0]["found"].as_str().unwrap().to_owned();
        (report["events"].as_u64().unwrap(), found, run_with(&["verify", &log], b"").stderr)
    };
    // Each batch has ten events.
    let (events, found, said) = harmed(&[5]);
    assert!(events == 40 && !found.contains("of the segment"), "{events}, {found}");
    assert!(said.contains(" with 40 events (") && said.contains(" in damaged objects"), "{said}");
    let (events, found, _) = harmed(&[5, 7, 33]);
    assert!(events == 30 && found.ends_with("; 2 batches of the segment are damaged"), "{found}");
}

#[test]
fn lazy_trim_says_when_the_space_comes_back() {
    let (_folder, log) = fresh();
    ok(&["append", &log], &numbered(0..2_000));
    ok(&["compact", "--full", &log], "");
    for dry_run in [&["--dry-run"][..], &[]] {
        let trim = [&["trim", "--lazy", "--before-position", "1,500"], dry_run, &[&log]].concat();
        let said = run_with(&trim, b"").stderr;
        let expected = match dry_run {
            [] => format!(
                "1,500 events trimmed; {log} begins at position 1,500; the next compaction removes \
                 their bytes from the store\n"
            ),
            _ => format!(
                "would trim 1,500 events; {log} would begin at position 1,500; the next compaction \
                 removes their bytes from the store\n"
            ),
        };
        assert_eq!(said, expected);
    }
    let words = ["events trimmed before are removed (", "1 segment rewritten"];
    check(&["trim", "--keep-events", "500", &log], "", 0, &words);
    check(&["trim", "--keep-events", "500", &log], "", 0, &["nothing trimmed"]);
}

#[test]
fn options_that_cannot_be_are_named() {
    let (_folder, log) = fresh();
    append_batches(&log, 0..20);
    let table: [(&[&str], i32, &[&str]); 20] = [
        (&["compact", "--fan-in", "1"], 2, &["--fan-in", "from 2 to 64"]),
        (&["compact", "--fan-in", "65"], 2, &["'65' for '--fan-in"]),
        (&["compact", "--fan-in", "x"], 2, &["--fan-in"]),
        (&["compact", "--segment-bytes-max", "0"], 2, &["--segment-bytes-max", "1 to 4GiB"]),
        (&["compact", "--segment-bytes-max", "5GiB"], 2, &["--segment-bytes-max"]),
        (&["compact", "--segment-bytes-max", "5XB"], 2, &["--segment-bytes-max", "as in 64KiB"]),
        (&["compact", "--dry-run", "--fan-in", "1"], 2, &["--fan-in"]),
        (&["append", "--compact-after", "0"], 2, &["--compact-after"]),
        (&["append", "--compact-after", "-1"], 2, &["-1"]),
        (&["trim"], 2, &["--before <TIME>|--before-position <POSITION>|--keep-events <N>"]),
        (&["trim", "--before", "5d", "--keep-events", "5"], 2, &["cannot be used with"]),
        (&["trim", "--before", "5d", "--before-position", "5"], 2, &["cannot be used with"]),
        (&["trim", "--before", "soon"], 2, &["--before", "7d", "--before-position", "1234"]),
        // A year, and an age without its unit.
        (&["trim", "--before", "2026"], 2, &["'2026'", "2026-01-31", "--before-position"]),
        (&["trim", "--before", "30"], 2, &["'30'", "7d", "--before-position"]),
        (&["trim", "--before", ""], 2, &["--before"]),
        (&["trim", "--before-position", "30d"], 2, &["--before-position", "1234", "--before"]),
        (&["trim", "--before-position", "1,2"], 2, &["--before-position", "position"]),
        (
            &["trim", "--before-position", "99999999999999999999"],
            2,
            &["--before-position", "position"],
        ),
        (&["trim", "--keep-events", "-1"], 2, &["'-1' for '--keep-events <N>'", "a number from 0"]),
    ];
    for (arguments, code, words) in table {
        check(&[arguments, &[&log]].concat(), "", code, words);
    }
    for command in [&["trim", "--before-position", "5"][..], &["verify"], &["tail"]] {
        let missing = format!("{log}-missing");
        check(&[command, &[&missing]].concat(), "", 5, &["there is no log at"]);
    }
    assert_eq!(batches(&log).len(), 2);
}
