//! Keeping the logs below a root.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::thread;
use std::time::Duration;

#[cfg(unix)]
use crate::binary::signal;
use crate::binary::{check, fresh, numbered, ok, run_with, stratalog};

/// Makes logs of some batches of one event each below a new root.
fn root_of(logs: &[(&str, usize)]) -> (tempfile::TempDir, String) {
    let (folder, _) = fresh();
    let root = folder.path().join("logs").to_str().unwrap().to_owned();
    for (name, batches) in logs {
        append(&root, name, *batches);
    }
    (folder, root)
}

fn append(root: &str, name: &str, batches: usize) {
    let events = numbered(0..batches);
    ok(&["append", "--flush-threshold", "1", &format!("{root}/{name}")], &events);
}

/// Returns what `keep --json` prints, by the names of the logs.
fn kept(arguments: &[&str]) -> Vec<serde_json::Value> {
    let printed = ok(&[&["keep", "--json", "--once"], arguments].concat(), "");
    let mut all: Vec<serde_json::Value> =
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    all.sort_by_key(|log| log["name"].as_str().unwrap().to_owned());
    all
}

#[test]
fn keep_does_what_the_file_of_policies_says() {
    let (folder, root) = root_of(&[("app/web", 6), ("audit", 6), ("other", 6)]);
    let file = folder.path().join("keep.toml");
    let file = file.to_str().unwrap();
    let text = "[[policy]]\nlogs = [\"app/*\"]\ncompact_batches = 5\nverify_every = \"1s\"\n\
                [[policy]]\nlogs = [\"audit\"]\nkeep_events = 2\n";
    fs::write(file, text).unwrap();
    for is_planned in [true, false] {
        let dry_run: &[&str] = if is_planned { &["--dry-run"] } else { &[] };
        let all = kept(&[dry_run, &["--policy", file, &root]].concat());
        let names: Vec<_> = all.iter().map(|log| log["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["app/web", "audit", "other"]);
        assert_eq!(all[0]["log"], format!("{root}/app/web"));
        assert_eq!((&all[0]["merged_batches"], &all[0]["verified"]), (&6.into(), &true.into()));
        assert_eq!((&all[1]["trimmed_events"], &all[1]["kept"]), (&4.into(), &true.into()));
        assert_eq!((&all[2]["kept"], &all[2]["merged_batches"]), (&false.into(), &().into()));
        assert!(all.iter().all(|log| log["dry_run"] == is_planned), "{all:?}");
        assert!(all.iter().all(|log| log["dollars_per_month"].is_number()), "{all:?}");
    }
    let count = |name: &str| ok(&["read", &format!("{root}/{name}")], "").lines().count();
    assert_eq!((count("app/web"), count("audit"), count("other")), (6, 2, 6));
    let ran = run_with(&["keep", "--once", "--prices", "0,0", "--policy", file, &root], b"");
    assert_eq!(ran.stdout, "app/web: verified 48 B\n");
    let summary =
        format!("3 logs below {root}: 1 worked on, 1 without a policy; about $0 a month\n");
    assert_eq!(ran.stderr, summary);
}

#[test]
fn dry_run_says_what_each_log_needs_and_costs() {
    let (_folder, root) = root_of(&[("few", 1), ("many", 4)]);
    let arguments = ["keep", "--dry-run", "--compact-batches", "3", "--logs", "**", &root];
    let with_prices = [&arguments[..], &["--prices", "1000000000,0"]].concat();
    let ran = run_with(&with_prices, b"");
    let mut lines: Vec<&str> = ran.stdout.lines().collect();
    lines.sort_unstable();
    let [few, many] = lines.as_slice() else { panic!("{ran:?}") };
    assert!(few.starts_with("few: nothing to do; about $"), "{few}");
    // 4 events of 8 bytes.
    assert_eq!(*many, "many: would merge 4 batches (32 B); about $29.80 a month");
    assert!(ran.stderr.starts_with("2 logs below "), "{}", ran.stderr);
    assert_eq!(ok(&["ls", &root], "").lines().count(), 2);
}

#[test]
fn keep_refuses_what_cannot_be_meant() {
    let (folder, root) = root_of(&[("log", 1)]);
    let file = folder.path().join("keep.toml");
    fs::write(&file, "[[policy]]\nlogs = [\"a\"]\nkeep_days = 3\n").unwrap();
    let file = file.to_str().unwrap();
    let refused = |arguments: &[&str], code, words: &[&str]| {
        check(&[&["keep", "--once"], arguments].concat(), "", code, words);
    };
    refused(&[&root], 2, &["--policy <FILE>"]);
    refused(&["--policy", file, "--logs", "a", &root], 2, &["cannot be used with"]);
    refused(&["--policy", file, "--keep-age", "1d", &root], 2, &["cannot be used with"]);
    refused(&["--keep-age", "1d", &root], 2, &["--logs"]);
    refused(&["--logs", "[a", &root], 2, &["--logs", "\"[a\" is not valid"]);
    refused(&["--logs", "a", "--keep-unread", &root], 2, &["--keep-unread has no effect"]);
    refused(&["--logs", "a", &root, &root], 2, &["is given twice"]);
    refused(&["--policy", file, &root], 5, &["keep.toml", "line 3", "keep_days", "keep_age"]);
    refused(&["--policy", "/no/such/file", &root], 5, &["/no/such/file"]);
    refused(&["--policy", &root, &root], 5, &["it is a folder"]);
    refused(&["--logs", "**", "/no/such/folder"], 5, &["there is no folder /no/such/folder"]);
    refused(&["--logs", "**", "memory:x"], 5, &["memory"]);
}

#[test]
fn damaged_log_does_not_keep_the_others_from_being_kept() {
    let (_folder, root) = root_of(&[("bad", 3), ("good", 3)]);
    let mut batches: Vec<_> =
        fs::read_dir(format!("{root}/bad")).unwrap().map(|file| file.unwrap().path()).collect();
    batches.sort();
    fs::write(&batches[1], "other\n").unwrap();
    let arguments = ["keep", "--once", "--compact-batches", "2", "--logs", "**", &root];
    let ran = run_with(&arguments, b"");
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert_eq!(ran.stdout, "good: merged 3 batches (24 B)\n");
    assert!(ran.stderr.contains(&format!("error: cannot keep {root}/bad: ")), "{}", ran.stderr);
    assert!(ran.stderr.contains("1 failed"), "{}", ran.stderr);
}

/// Keepers that are killed at many moments, next to a writer and each other.
#[test]
fn killed_keepers_lose_no_event() {
    let (_folder, root) = root_of(&[("a", 1), ("b", 1)]);
    let logs = ["a", "b"].map(|name| format!("{root}/{name}"));
    let arguments =
        ["keep", "-q", "--every", "1s", "--compact-batches", "2", "--logs", "**", &root];
    let steady = stratalog(&arguments).spawn().unwrap();
    for number in 0..30 {
        let mut child = stratalog(&arguments).spawn().unwrap();
        for log in &logs {
            ok(&["append", "-q", log], &format!("{{\"more\":{number}}}\n"));
        }
        // At another moment of a sweep each time.
        thread::sleep(Duration::from_millis(number * 7 % 60));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let mut steady = steady;
    assert_eq!(steady.try_wait().unwrap(), None, "it has ended");
    steady.kill().unwrap();
    steady.wait().unwrap();
    ok(&arguments[..].iter().copied().chain(["--once"]).collect::<Vec<_>>(), "");
    for log in &logs {
        let read = ok(&["read", log], "");
        let expected: Vec<String> =
            (0..30).map(|number| format!("{{\"more\":{number}}}")).collect();
        assert_eq!(read.lines().skip(1).collect::<Vec<_>>(), expected);
        ok(&["verify", log], "");
    }
}

#[cfg(unix)]
#[test]
fn signal_ends_a_keeper_between_sweeps() {
    let (_folder, root) = root_of(&[("a", 2)]);
    let arguments = ["keep", "--compact-batches", "2", "--logs", "**", &root];
    let mut child = stratalog(&arguments).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let is_summary = |line: &str| line.starts_with("1 log below ");
    assert!(said.any(|line| is_summary(&line.unwrap())));
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(143));
}
