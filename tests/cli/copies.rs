//! Copies to other stores, mirrors and their end.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::Duration;

use rig::waits::until;

use crate::binary::{check, fresh, json, numbered, ok, run_with, stratalog};
#[cfg(unix)]
use crate::binary::{end_of, signal};

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
#[test]
fn refused_log_of_a_root_does_not_stop_the_others() {
    let (folder, _) = fresh();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (from, to) = (path("from"), path("to"));
    for name in ["a", "b", "c"] {
        ok(&["append", &format!("{from}/{name}")], "event\n");
    }
    ok(&["append", &format!("{to}/b")], "own\n");
    let roots = [format!("{from}/"), format!("{to}/")];
    let ran = run_with(&["copy", "--json", &roots[0], &roots[1]], b"");
    assert_eq!((ran.code, ran.stdout.lines().count()), (1, 2), "{ran:?}");
    assert!(ran.stderr.contains(&format!("error: cannot copy {from}/b to {to}/b: ")), "{ran:?}");
    assert_eq!(ok(&["read", &format!("{to}/c")], ""), "event\n");
    assert_eq!(ok(&["read", &format!("{to}/b")], ""), "own\n");
    let inside = format!("{from}/copies/");
    check(&["copy", &roots[0], &inside], "", 2, &["would be copied again"]);
}

#[test]
fn doctor_and_keep_know_mirrors() {
    let (folder, log, copy) = log_and_copy();
    ok(&["copy", &log, &copy], "");
    let examined = ok(&["doctor", &copy], "");
    let said = format!("\n{copy} is a mirror of {log}: only copies write it; `stratalog copy");
    assert!(examined.contains(&said), "{examined}");
    let report = json(&["doctor", "--json", "-q", &copy]);
    assert_eq!(
        (&report["mirror_of"], &report["was_mirror_of"]),
        (&log.as_str().into(), &().into())
    );
    let before = objects(&copy);
    let root = folder.path().to_str().unwrap();
    let policy = ["--compact-batches", "2", "--keep-events", "1", "--logs", "copy"];
    let kept = run_with(&[&["keep", "--once", "--json"], &policy[..], &[root]].concat(), b"");
    assert_eq!(kept.code, 0, "{}", kept.stderr);
    assert_eq!(objects(&copy), before);
    ok(&["copy", "--promote", &copy], "");
    let report = json(&["doctor", "--json", "-q", &copy]);
    assert_eq!(
        (&report["mirror_of"], &report["was_mirror_of"]),
        (&().into(), &log.as_str().into())
    );
    let examined = ok(&["doctor", &copy], "");
    assert!(examined.contains("until it was promoted: it is a log of its own"), "{examined}");
    assert!(json(&["doctor", "--json", "-q", &log])["was_mirror_of"].is_null());
}

/// Returns the objects that have events or say where they are, with their bytes.
fn objects(log: &str) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(log).unwrap().map(|file| file.unwrap());
    let named = files.filter_map(|file| {
        let name = file.file_name().into_string().unwrap();
        let is_own = ["batch_0", "manifest_", "segment_"].iter().any(|it| name.starts_with(it));
        (is_own && !name.contains('#')).then(|| (name, fs::read(file.path()).unwrap()))
    });
    named.collect()
}

/// Waits until a log has these events.
fn wait_for(log: &str, events: &str) {
    until("the copy to have the events", || run_with(&["read", log], b"").stdout == events);
}

#[cfg(unix)]
#[test]
fn follow_copies_what_is_new_until_a_signal_and_resumes() {
    let (_folder, log, copy) = log_and_copy();
    let arguments = ["copy", "-q", "--follow", "--pause", "100ms", &log, &copy];
    let mut events = "a\nb\nc\nd\n".to_owned();
    for run in 0..2 {
        let mut child = stratalog(&arguments).spawn().unwrap();
        for step in 0..4 {
            wait_for(&copy, &events);
            let event = format!("{run}.{step}\n");
            ok(&["append", &log], &event);
            events.push_str(&event);
            if step % 2 == 1 {
                ok(&["compact", "--full", &log], "");
            }
        }
        wait_for(&copy, &events);
        assert_eq!(child.try_wait().unwrap(), None, "it has ended");
        signal(&child, "TERM");
        assert_eq!(end_of(&mut child).code(), Some(143));
        ok(&["verify", &copy], "");
        // While nothing follows, the copy stays as it is.
        ok(&["append", &log], "between\n");
        assert_eq!(ok(&["read", &copy], ""), events);
        events.push_str("between\n");
    }
    ok(&["copy", &log, &copy], "");
    assert_eq!(objects(&copy), objects(&log));
}

#[cfg(unix)]
#[test]
fn follow_of_a_root_finds_new_logs() {
    let (folder, _) = fresh();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (from, to) = (path("from"), path("to"));
    ok(&["append", &format!("{from}/one")], "1\n");
    ok(&["append", &format!("{to}/two")], "own\n");
    let roots = [format!("{from}/"), format!("{to}/")];
    let arguments = ["copy", "--follow", "--pause", "100ms", &roots[0], &roots[1]];
    let mut child = stratalog(&arguments).spawn().unwrap();
    wait_for(&format!("{to}/one"), "1\n");
    ok(&["append", &format!("{from}/two")], "2\n");
    ok(&["append", &format!("{from}/three")], "3\n");
    wait_for(&format!("{to}/three"), "3\n");
    ok(&["append", &format!("{from}/three")], "4\n");
    wait_for(&format!("{to}/three"), "3\n4\n");
    signal(&child, "INT");
    assert_eq!(end_of(&mut child).code(), Some(130));
    let said = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
    assert_eq!(said.matches("error: cannot copy").count(), 1, "{said}");
}

/// Checks that every event was seen at most once, and each ten, of one writer, in order and without
/// a gap.
fn check_seen(seen: &str, all: &str) {
    let number: BTreeMap<&str, usize> = all.lines().zip(0..).collect();
    let mut next: BTreeMap<usize, usize> = BTreeMap::new();
    for event in seen.lines() {
        let number = number[event];
        let next = next.entry(number / 10).or_default();
        assert_eq!(number % 10, *next, "{event}");
        *next += 1;
    }
}

/// Copies that are killed at many moments, next to a reader of the mirror that keeps its position.
#[test]
fn killed_copies_lose_no_event_and_repeat_none() {
    let (folder, log) = fresh();
    let copy = format!("{log}.copy");
    let kept = folder.path().join("kept");
    let read = ["read", "--position-file", kept.to_str().unwrap(), &copy];
    let arguments = ["copy", "-q", &log, &copy];
    let (mut seen, mut all, mut kills) = (String::new(), String::new(), 0);
    for number in 0..60 {
        let events = numbered(number * 10..number * 10 + 10);
        ok(&["append", "-q", "--flush-threshold", "1", &log], &events);
        all.push_str(&events);
        if number % 7 == 3 {
            ok(&["compact", "-q", &log], "");
        }
        let mut child = stratalog(&arguments).spawn().unwrap();
        // At another moment of the copy each time.
        thread::sleep(Duration::from_millis(u64::try_from(number).unwrap() * 11 % 70));
        child.kill().unwrap();
        kills += u32::from(!child.wait().unwrap().success());
        // There may be no log yet.
        let ran = run_with(&read, b"");
        assert!([0, 5].contains(&ran.code), "{}", ran.stderr);
        seen.push_str(&ran.stdout);
        check_seen(&seen, &all);
        if ran.code == 0 {
            ok(&["verify", &copy], "");
        }
        if number % 20 == 19 {
            ok(&arguments, "");
            seen.push_str(&ok(&read, ""));
            assert_eq!(seen.len(), all.len());
            ok(&["trim", "--keep-events", "15", &log], "");
        }
    }
    ok(&arguments, "");
    seen.push_str(&ok(&read, ""));
    check_seen(&seen, &all);
    assert_eq!(seen.len(), all.len());
    assert_eq!(ok(&["read", &copy], ""), ok(&["read", &log], ""));
    assert_eq!(objects(&copy), objects(&log));
    assert!(kills >= 10, "{kills}");
}
