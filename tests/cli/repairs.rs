//! Logs with damaged objects: reading past the damage, and repairing it.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use crate::binary::{batches, check, fresh, json, numbered, ok, run_with};

/// A log of two segments of 20 events and two live batches of 10, the first of them damaged.
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
    assert!(
        ran.stderr.contains("10 events of 1 damaged object could not be read"),
        "{}",
        ran.stderr
    );
}

#[test]
fn repair_changes_nothing_until_it_is_told_to() {
    let (_folder, log, batch) = damaged();
    let name = batch.file_name().unwrap().to_str().unwrap();
    let before: Vec<_> = fs::read_dir(&log).unwrap().map(|file| file.unwrap().path()).collect();
    let ran = run_with(&["repair", &log], b"");
    assert_eq!(ran.code, 4);
    assert!(ran.stdout.contains(&format!("{name}: set aside, 10 events lost")), "{}", ran.stdout);
    assert!(ran.stderr.contains("--yes"), "{}", ran.stderr);
    let after: Vec<_> = fs::read_dir(&log).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(before.len(), after.len());

    let done = json(&["repair", "--json", "--yes", &log]);
    assert_eq!((&done["repaired"], &done["ok"]), (&json!(true), &json!(true)), "{done}");
    assert_eq!(
        (&done["events_lost"], &done["steps"][0]["action"]),
        (&json!(10), &json!("set-aside"))
    );
    check(&["verify", &log], "", 0, &["nothing is damaged"]);
    let ran = run_with(&["read", &log], b"");
    assert_eq!((ran.code, ran.stdout), (0, numbered(0..40) + &numbered(50..60)));
    assert!(ran.stderr.contains("10 events were trimmed or lost"), "{}", ran.stderr);
    ok(&["compact", "--full", &log], "");
    check(&["repair", &log], "", 0, &["nothing to repair"]);
}
