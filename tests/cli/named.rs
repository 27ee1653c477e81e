//! Positions that are kept in the log, under names.

use crate::binary::{fresh, ok, run_with};

/// A position kept in the log: each event is printed once, and a forgotten name has no position.
#[test]
fn read_by_name_prints_each_event_once() {
    let (_folder, log) = fresh();
    let named = ["read", "--position-name", "job", &log];
    ok(&["append", "--flush-threshold", "2", &log], "a\nb\nc\n");
    assert_eq!(ok(&named, ""), "a\nb\nc\n");
    assert_eq!(ok(&named, ""), "");
    ok(&["append", &log], "d\n");
    ok(&["compact", "--full", &log], "");
    assert_eq!(ok(&["read", "--position-name", "other", "--limit", "1", &log], ""), "a\n");
    let listed = ok(&["positions", &log], "");
    let lines: Vec<_> = listed.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with("job  "), "{listed}");
    assert!(lines[1].starts_with("other  "), "{listed}");
    // Nothing is trimmed that a name has not passed.
    let trim = ["trim", "--keep-unread", "--keep-events", "0", &log];
    let trimmed = run_with(&trim, b"").stderr;
    assert!(trimmed.contains("stay for the position named other"), "{trimmed}");
    ok(&["positions", "--forget", "other", &log], "");
    assert!(run_with(&trim, b"").stderr.contains("position named job"));
    assert_eq!(ok(&named, ""), "d\n");
    let forgot = ok(&["positions", "--forget", "job", "--json", &log], "");
    assert_eq!(forgot, "{\"name\":\"job\",\"forgotten\":true}\n");
    assert_eq!(ok(&["positions", "--json", &log], ""), "{\"positions\":[]}\n");
    assert_eq!(ok(&named, ""), "d\n");
    ok(&["verify", &log], "");
}
