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
    let missing = run_with(&["positions", "--forget", "jop", &log], b"");
    let said = "there is no position jop of ";
    assert!(
        missing.stderr.contains(said) && missing.stderr.contains("it has job, other"),
        "{said}"
    );
    ok(&["positions", "--forget", "other", &log], "");
    assert!(run_with(&trim, b"").stderr.contains("position named job"));
    assert_eq!(ok(&named, ""), "d\n");
    let forgot = ok(&["positions", "--forget", "job", "--json", &log], "");
    assert_eq!(forgot, "{\"name\":\"job\",\"forgotten\":true}\n");
    assert_eq!(ok(&["positions", "--json", &log], ""), "{\"positions\":[]}\n");
    assert_eq!(ok(&named, ""), "d\n");
    ok(&["verify", &log], "");
}

/// Nothing shows which position a damaged one had: the message has the command that forgets it.
#[test]
fn damaged_position_is_reported_with_the_way_to_forget_it() {
    let (folder, log) = fresh();
    ok(&["append", &log], "a\n");
    ok(&["read", "--position-name", "job", &log], "");
    let object = "position_job_0000000000000000001.json";
    std::fs::write(folder.path().join("log").join(object), "{").unwrap();
    let way = "positions --forget job ";
    for command in
        [&["positions", &log][..], &["verify", &log], &["read", "--position-name", "job", &log]]
    {
        let ran = run_with(command, b"");
        let stderr = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(ran.code == 4 && stderr.contains(way), "{command:?}: {stderr}");
    }
    ok(&["positions", "--forget", "job", &log], "");
    for number in 0..16 {
        ok(&["append", &log], &format!("{number}\n"));
        ok(&["read", "--position-name", "job", &log], "");
    }
    ok(&["verify", &log], "");
}

/// A position names every writer whose batches were read before their compaction. People see their
/// number.
#[test]
fn positions_among_many_writers_are_listed_on_short_lines() {
    let (_folder, log) = fresh();
    for _ in 0..12 {
        ok(&["append", &log], "event\n");
    }
    ok(&["read", "--position-name", "job", &log], "");
    let listed = ok(&["positions", &log], "");
    assert!(listed.starts_with("job  0 and batches of 12 writers  1 commit, last "), "{listed}");
    let whole = ok(&["positions", "--json", &log], "");
    assert!(whole.len() > 12 * 40, "{whole}");
    ok(&["compact", &log], "");
    ok(&["append", &log], "event\n");
    ok(&["read", "--position-name", "job", &log], "");
    let listed = ok(&["positions", &log], "");
    assert!(listed.contains("@12 and batches of 1 writer  2 commits"), "{listed}");
}
