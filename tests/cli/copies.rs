//! Copies to other stores, mirrors and their end.

use crate::binary::{check, fresh, ok, run_with};

/// Returns a folder, a log in it with two segments and live batches, and a name for its copy.
fn log_and_copy() -> (tempfile::TempDir, String, String) {
    let (folder, _) = fresh();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (log, copy) = (path("journal"), path("copy"));
    ok(&["append", "--flush-threshold", "2", &log], "a\nb\nc\n");
    ok(&["compact", "--full", &log], "");
    ok(&["read", "--position-name", "job", "--limit", "1", &log], "");
    ok(&["append", &log], "d\n");
    (folder, log, copy)
}

#[test]
fn copy_is_read_from_a_kept_position_and_is_a_mirror_until_promoted() {
    let (folder, log, copy) = log_and_copy();
    let kept = folder.path().join("kept");
    let kept = kept.to_str().unwrap();
    assert_eq!(ok(&["read", "--position-file", kept, "--limit", "2", &log], ""), "a\nb\n");
    let planned = ok(&["copy", "--dry-run", "--json", &log, &copy], "");
    assert!(planned.contains("\"objects\":5"), "{planned}");
    check(&["read", &copy], "", 5, &["there is no log"]);
    let copied = run_with(&["copy", &log, &copy], b"").stderr;
    assert!(copied.contains("5 objects") && copied.contains("copied to"), "{copied}");
    let again = run_with(&["copy", &log, &copy], b"").stderr;
    assert!(again.contains("nothing to copy"), "{again}");
    assert_eq!(ok(&["read", "--position-file", kept, "--limit", "1", &copy], ""), "c\n");
    assert_eq!(ok(&["read", "--position-name", "job", "--limit", "0", &copy], ""), "");
    for refused in [
        &["append", copy.as_str()][..],
        &["compact", &copy],
        &["trim", "--keep-events", "0", &copy],
        &["repair", "--yes", &copy],
        &["positions", "--forget", "job", &copy],
        &["read", "--position-name", "job", &copy],
    ] {
        check(refused, "event\n", 1, &["it is a mirror", "stratalog copy --promote"]);
    }
    let counted = ok(&["stat", &copy], "");
    assert!(counted.contains(&format!("mirror of            {log}")), "{counted}");
    let listed = ok(&["ls", "--json", folder.path().to_str().unwrap()], "");
    assert_eq!(listed.matches("\"mirror\":true").count(), 1, "{listed}");
    ok(&["verify", &copy], "");
    ok(&["append", &log], "e\n");
    ok(&["compact", "--full", &log], "");
    ok(&["trim", "--keep-events", "3", &log], "");
    ok(&["copy", &log, &copy], "");
    assert_eq!(ok(&["read", &copy], ""), "c\nd\ne\n");
    let promoted = ok(&["copy", "--promote", "--json", &copy], "");
    assert!(promoted.ends_with("\"promoted\":true}\n"), "{promoted}");
    let again = run_with(&["copy", "--promote", &copy], b"").stderr;
    assert!(again.contains("promoted before"), "{again}");
    ok(&["append", &copy], "f\n");
    ok(&["compact", "--full", &copy], "");
    assert_eq!(ok(&["read", "--position-name", "job", &copy], ""), "c\nd\ne\nf\n");
    check(&["copy", &log, &copy], "", 1, &["was promoted", "the source has generation"]);
    check(&["copy", "--promote", &log], "", 5, &["it is no mirror"]);
}

#[test]
fn target_with_another_history_is_refused_with_both() {
    let (_folder, log, copy) = log_and_copy();
    ok(&["append", &copy], "own\n");
    let words = ["no mirror", "the source has generation 1", "the target has no generation"];
    check(&["copy", &log, &copy], "", 1, &words);
    assert_eq!(ok(&["read", &copy], ""), "own\n");
    check(&["copy", &log, &log], "", 2, &["to itself"]);
    check(&["copy", &log, "ftp://host/log"], "", 5, &["ftp"]);
    check(&["copy", &format!("{log}/"), &copy], "", 2, &["end both with a slash"]);
    check(&["copy", &format!("{log}x"), &copy], "", 5, &["there is no log"]);
    check(&["copy", "--store-option", "a=b", &log, &copy], "", 2, &["--from-option"]);
    check(&["copy", "--to-option", "a=b", &log, &format!("{copy}y")], "", 2, &["--to-option"]);
    check(&["copy", "--promote", &log, &copy], "", 2, &["--promote"]);
}

#[test]
fn all_logs_of_a_root_are_copied() {
    let (folder, _) = fresh();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (from, to) = (path("from"), path("to"));
    ok(&["append", &format!("{from}/one")], "1\n");
    ok(&["append", &format!("{from}/team/two")], "2\n");
    let copied = ok(&["copy", "--json", &format!("{from}/"), &format!("{to}/")], "");
    assert_eq!(copied.lines().count(), 2, "{copied}");
    assert_eq!(ok(&["read", &format!("{to}/team/two")], ""), "2\n");
    ok(&["append", &format!("{from}/three")], "3\n");
    ok(&["copy", &format!("{from}/"), &format!("{to}/")], "");
    assert_eq!(ok(&["read", &format!("{to}/three")], ""), "3\n");
    check(&["copy", &format!("{to}x/"), &format!("{to}/")], "", 5, &["to"]);
}
