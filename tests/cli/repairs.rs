//! Logs with damaged objects: reading past the damage, and repairing it.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use crate::binary::{batches, check, fresh, json, numbered, ok, run_with};

/// Makes a log of two segments of 20 events and two live batches of 10. The first batch is damaged.
fn damaged() -> (tempfile::TempDir, String, PathBuf) {
    let (folder, log) = fresh();
    for round in 0..2 {
        let events = numbered(round * 20..round * 20 + 20);
        ok(&["append", "--flush-threshold", "10", &log], &events);
        ok(&["compact", "--fan-in", "64", &log], "");
    }
    ok(&["append", "--flush-threshold", "10", &log], &numbered(40..60));
    let batch = PathBuf::from(&log).join(batches(&log).keys().next().unwrap());
    let mut bytes = fs::read(&batch).unwrap();
    *bytes.first_mut().unwrap() ^= 1;
    fs::write(&batch, bytes).unwrap();
    (folder, log, batch)
}

#[test]
fn read_that_skips_damage_prints_the_rest_and_names_it() {
    let (_folder, log, batch) = damaged();
    let name = batch.file_name().unwrap().to_str().unwrap();
    let ran = run_with(&["read", &log], b"");
    assert_eq!((ran.code, ran.stdout), (4, numbered(0..40)));
    let ran = run_with(&["read", "--skip-damaged", &log], b"");
    assert_eq!((ran.code, ran.stdout), (4, numbered(0..40) + &numbered(50..60)));
    assert!(ran.stderr.contains(name), "{}", ran.stderr);
    assert!(ran.stderr.contains("10 events are missing"), "{}", ran.stderr);
    assert!(ran.stderr.contains("cannot read 10 events of 1 damaged object"), "{}", ran.stderr);
}

#[test]
fn repair_without_apply_changes_nothing() {
    let (_folder, log, batch) = damaged();
    let name = batch.file_name().unwrap().to_str().unwrap();
    let before: Vec<_> = fs::read_dir(&log).unwrap().map(|file| file.unwrap().path()).collect();
    let ran = run_with(&["repair", &log], b"");
    assert_eq!(ran.code, 4);
    assert!(ran.stdout.contains(&format!("{name}: set aside, 10 events lost")), "{}", ran.stdout);
    let error = format!(
        "error: 1 damaged object in {log}, and nothing was changed; `stratalog repair --yes {log}` \
         repairs it, with 10 events lost\n"
    );
    assert_eq!(ran.stderr, error);
    let after: Vec<_> = fs::read_dir(&log).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(before.len(), after.len());

    let done = json(&["repair", "--json", "--yes", &log]);
    assert_eq!((&done["repaired"], &done["ok"]), (&json!(true), &json!(true)), "{done}");
    assert_eq!(
        (&done["events_lost"], &done["steps"][0]["action"]),
        (&json!(10), &json!("set-aside"))
    );
    assert_eq!(done["events_lost_is_minimum"], false);
    check(&["verify", &log], "", 0, &["nothing is damaged"]);
    let ran = run_with(&["read", &log], b"");
    assert_eq!((ran.code, ran.stdout), (0, numbered(0..40) + &numbered(50..60)));
    assert!(ran.stderr.contains("10 events were trimmed or lost"), "{}", ran.stderr);
    // Readable events are counted, and lost ones apart.
    let counts = |report: &serde_json::Value| (report["events"].clone(), report["ok"].clone());
    let stats = json(&["stat", "--json", &log]);
    assert_eq!((&stats["events"], &stats["lost_events"]), (&json!(50), &json!(10)), "{stats}");
    let table = ok(&["stat", &log], "");
    let rows: Vec<_> =
        table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
    assert!(rows.contains(&vec!["events", "50"]), "{table}");
    assert!(rows.contains(&vec!["lost", "events", "10"]), "{table}");
    assert_eq!(counts(&json(&["verify", "--json", &log])), (json!(50), json!(true)));
    assert_eq!(ok(&["tail", "-n", "5", &log], ""), numbered(55..60));
    let last = run_with(&["tail", "-n", "15", &log], b"").stdout;
    assert_eq!(last, numbered(35..40) + &numbered(50..60));
    let done = json(&["compact", "--json", "--full", &log]);
    assert_eq!(done["events"], 50, "{done}");
    check(&["repair", &log], "", 0, &["nothing to repair"]);
    let last = run_with(&["tail", "-n", "12", &log], b"").stdout;
    assert_eq!(last, numbered(38..40) + &numbered(50..60));
    assert_eq!(json(&["stat", "--json", &log])["lost_events"], 10);
    let plan = json(&["trim", "--json", "--dry-run", "--keep-events", "12", &log]);
    let done = json(&["trim", "--json", "--keep-events", "12", &log]);
    assert_eq!((&done, &done["events"]), (&plan, &json!(38)));
    assert_eq!(run_with(&["read", &log], b"").stdout, last);
    let stats = json(&["stat", "--json", &log]);
    assert_eq!((&stats["events"], &stats["lost_events"]), (&json!(12), &json!(10)), "{stats}");
    // Lazily trimmed events and lost ones overlap.
    let done = json(&["trim", "--json", "--lazy", "--before-position", "45", &log]);
    assert_eq!(done["events"], 2, "{done}");
    let stats = json(&["stat", "--json", &log]);
    assert_eq!((&stats["events"], &stats["lost_events"]), (&json!(10), &json!(5)), "{stats}");
    let checked = json(&["verify", "--json", &log]);
    for number in ["events", "trimmed_events"] {
        assert_eq!(checked[number], stats[number], "{checked} {stats}");
    }
    ok(&["compact", &log], "");
    assert_eq!(run_with(&["read", &log], b"").stdout, numbered(50..60));
    check(&["verify", &log], "", 0, &["10 events", "nothing is damaged"]);
}

#[test]
fn events_of_a_batch_that_is_gone_are_at_least_one() {
    let (_folder, log) = fresh();
    ok(&["append", "--flush-threshold", "10", "--creates-max", "1", &log], &numbered(0..30));
    let gone = PathBuf::from(&log).join(batches(&log).keys().nth(1).unwrap());
    fs::remove_file(gone).unwrap();
    let ran = run_with(&["read", "--skip-damaged", &log], b"");
    assert!(ran.stderr.contains("an unknown number of events is missing"), "{}", ran.stderr);

    let ran = run_with(&["repair", &log], b"");
    assert_eq!(ran.code, 4);
    assert!(ran.stdout.contains(": gone, at least 1 event lost"), "{}", ran.stdout);
    assert!(ran.stderr.contains("repairs it, with at least 1 event lost\n"), "{}", ran.stderr);
    let ran = run_with(&["repair", "--json", &log], b"");
    let plan: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    for report in [&plan, &plan["steps"][0]] {
        assert_eq!(
            (&report["events_lost"], &report["events_lost_is_minimum"]),
            (&json!(1), &json!(true)),
            "{plan}"
        );
    }
    check(&["repair", "--yes", &log], "", 0, &["is repaired: at least 1 event lost"]);
    assert_eq!(ok(&["read", &log], ""), numbered(0..10) + &numbered(20..30));
}

#[cfg(unix)]
#[test]
fn link_in_the_place_of_a_set_aside_copy_stops_no_repair() {
    let (folder, log, batch) = damaged();
    let name = batch.file_name().unwrap().to_str().unwrap().to_owned();
    let aside = PathBuf::from(&log).join(format!("set-aside_{name}"));
    let elsewhere = folder.path().join("elsewhere");
    fs::write(&elsewhere, "kept").unwrap();
    std::os::unix::fs::symlink(&elsewhere, &aside).unwrap();
    let bytes = fs::read(&batch).unwrap();
    let done = json(&["repair", "--json", "--yes", &log]);
    assert_eq!((&done["ok"], &done["events_lost"]), (&json!(true), &json!(10)), "{done}");
    assert_eq!(fs::read(&elsewhere).unwrap(), b"kept");
    let copies = fs::read_dir(&log).unwrap().map(|file| file.unwrap().path());
    let copies = copies.filter(|path| !path.is_symlink() && path.is_file());
    let copies: Vec<_> = copies.filter(|path| fs::read(path).unwrap() == bytes).collect();
    assert_eq!(copies.len(), 1, "{copies:?}");
    assert!(copies[0].to_str().unwrap().contains("set-aside_"), "{copies:?}");
}

/// Makes a log of three batches, compacted, and puts the batches back next to the segment.
fn restored() -> (tempfile::TempDir, String, PathBuf) {
    let (folder, log) = fresh();
    for event in ["a\n", "b\n", "c\n"] {
        ok(&["append", &log], event);
    }
    let files = || fs::read_dir(&log).unwrap().map(|file| file.unwrap().path());
    let kept: Vec<_> = files().map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    ok(&["compact", &log], "");
    for (path, bytes) in kept {
        fs::write(path, bytes).unwrap();
    }
    let is_segment = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with("segment_") && name.ends_with(".jsonl")
    };
    let segment = files().find(is_segment).unwrap();
    (folder, log, segment)
}

#[test]
fn repair_takes_events_of_a_segment_from_its_batches() {
    let (_folder, log, segment) = restored();
    fs::remove_file(&segment).unwrap();
    let name = segment.file_name().unwrap().to_str().unwrap();
    let ran = run_with(&["repair", &log], b"");
    assert_eq!(ran.code, 4);
    assert!(ran.stdout.contains(&format!("{name}: gone, 0 events lost")), "{}", ran.stdout);
    assert!(ran.stderr.contains(" repairs it, with 0 events lost"), "{}", ran.stderr);
    check(&["repair", "--yes", &log], "", 0, &["is repaired: 0 events lost"]);
    assert_eq!(ok(&["read", &log], ""), "a\nb\nc\n");
}

#[test]
fn repair_of_an_older_manifest_makes_verify_and_compact_succeed() {
    let (_folder, log) = fresh();
    for event in ["a\n", "b\n"] {
        ok(&["append", &log], event);
        ok(&["compact", "--full", &log], "");
    }
    let first = PathBuf::from(&log).join("manifest_0000000000000000001.json");
    fs::write(&first, "{}").unwrap();
    check(&["verify", &log], "", 4, &["1 damaged object"]);
    let ran = run_with(&["repair", &log], b"");
    assert_eq!(ran.code, 4);
    assert!(ran.stdout.contains("replaced by a stand-in, nothing is lost"), "{}", ran.stdout);
    let done = json(&["repair", "--json", "--yes", &log]);
    assert_eq!((&done["steps"][0]["action"], &done["ok"]), (&json!("stand-in"), &json!(true)));
    check(&["verify", &log], "", 0, &["nothing is damaged"]);
    ok(&["append", &log], "c\n");
    ok(&["compact", "--full", &log], "");
    assert_eq!(ok(&["read", &log], ""), "a\nb\nc\n");
}

#[test]
fn repair_of_a_log_that_is_not_there_is_an_error() {
    let (_folder, log) = fresh();
    for command in [&["repair"][..], &["repair", "--yes"]] {
        check(&[command, &[&log]].concat(), "", 5, &["there is no log at"]);
        check(&[command, &["memory:log"]].concat(), "", 5, &["there is no log at memory:log"]);
    }
}

#[cfg(unix)]
#[test]
fn repair_names_unrepairable_damage_once_and_does_the_rest() {
    let (folder, log, _) = damaged();
    let segment = fs::read_dir(&log).unwrap().map(|file| file.unwrap().path());
    let segment = segment.filter(|path| path.to_str().unwrap().ends_with(".index")).min().unwrap();
    let moved = folder.path().join("moved");
    fs::rename(&segment, &moved).unwrap();
    std::os::unix::fs::symlink(&moved, &segment).unwrap();
    let name = segment.file_name().unwrap().to_str().unwrap();
    let ran = run_with(&["verify", &log], b"");
    assert_eq!((ran.code, ran.stdout.matches(name).count()), (4, 1), "{}", ran.stdout);
    let ran = run_with(&["repair", &log], b"");
    assert_eq!((ran.code, ran.stdout.matches(name).count()), (4, 1), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("left as it is: this entry may hold the data or point to it"),
        "{}",
        ran.stdout
    );
    let summary = format!("`stratalog repair --yes {log}` repairs 1 of them, with 10 events lost");
    assert!(ran.stderr.contains(&summary), "{}", ran.stderr);
    let ran = run_with(&["repair", "--yes", &log], b"");
    assert_eq!((ran.code, ran.stdout.matches(name).count()), (4, 1), "{}", ran.stdout);
    assert!(ran.stderr.contains("1 damaged object is left in"), "{}", ran.stderr);
    let ran = run_with(&["repair", &log], b"");
    assert!(ran.stderr.contains("none of these objects can be repaired"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("--yes"), "{}", ran.stderr);
    fs::remove_file(&segment).unwrap();
    fs::rename(&moved, &segment).unwrap();
    check(&["verify", &log], "", 0, &["nothing is damaged"]);
    let ran = run_with(&["read", &log], b"");
    assert_eq!((ran.code, ran.stdout), (0, numbered(0..40) + &numbered(50..60)));
}
