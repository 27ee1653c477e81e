//! The logs below a root.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};

use crate::binary::{check, fresh, numbered, ok, run_with, stratalog};

/// Returns what `ls --json` prints, line by line.
fn listed(arguments: &[&str]) -> Vec<serde_json::Value> {
    let printed = ok(&[&["ls", "--json"], arguments].concat(), "");
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn ls_prints_each_log_below_the_root_with_what_its_names_tell() {
    let (folder, _) = fresh();
    let root = folder.path().to_str().unwrap();
    let log = |name: &str| format!("{root}/{name}");
    ok(&["append", &log("app/web")], &numbered(0..10));
    ok(&["append", &log("app/web")], &numbered(10..15));
    for _ in 0..2 {
        ok(&["append", &log("app")], &numbered(0..3));
    }
    ok(&["compact", &log("app")], "");
    ok(&["append", &log("app")], &numbered(3..5));
    fs::write(log("app/notes.txt"), "foreign").unwrap();
    fs::create_dir(log("no-log")).unwrap();
    let found = listed(&[root]);
    let names: Vec<_> = found.iter().map(|log| log["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["app/web", "app"]);
    assert_eq!(found[0]["log"], log("app/web"));
    let number = |log: usize, field: &str| found[log][field].as_u64();
    assert_eq!((number(0, "events"), number(0, "batches")), (Some(15), Some(2)));
    assert_eq!((number(0, "segments"), number(0, "generation")), (Some(0), Some(0)));
    let stat = |name: &str| -> serde_json::Value {
        serde_json::from_str(&ok(&["stat", "--json", &log(name)], "")).unwrap()
    };
    for field in ["events", "bytes", "objects"] {
        assert_eq!(found[0][field], stat("app/web")[field], "{field}");
    }
    assert_eq!(found[0]["first_batch_time"], stat("app/web")["first_time"]);
    assert_eq!(found[0]["last_batch_time"], stat("app/web")["last_time"]);
    // The names of a compacted log do not tell how many events its segments have.
    assert!(found[1]["events"].is_null(), "{}", found[1]);
    assert_eq!((number(1, "batch_events"), number(1, "segments")), (Some(2), Some(1)));
    assert_eq!((number(1, "generation"), number(1, "foreign_objects")), (Some(1), Some(1)));
    for field in ["bytes", "objects"] {
        assert_eq!(found[1][field], stat("app")[field], "{field}");
    }

    let lines = ok(&["ls", root], "");
    let fields: Vec<Vec<&str>> = lines.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(fields[0][..2], [&*log("app/web"), "15"]);
    assert_eq!(fields[1][..2], [&*log("app"), "-"]);
    assert!(fields.iter().all(|fields| fields.len() == 6), "{lines}");
    assert_eq!(fields[0][5], found[0]["last_batch_time"]);

    // The log `app` has another one in its folder.
    let shallow = listed(&["--shallow", root]);
    assert_eq!(shallow, [serde_json::json!({ "log": log("app"), "name": "app" })]);
    assert_eq!(ok(&["ls", "--shallow", root], ""), format!("{}\n", log("app")));
    check(&["ls", &log("app")], "", 0, &["is itself a log, too", "stratalog stat"]);
}

#[test]
fn ls_without_a_log_names_the_root_and_the_action() {
    let (folder, log) = fresh();
    let root = folder.path().to_str().unwrap();
    for shallow in [&["ls"][..], &["ls", "--shallow"], &["ls", "--json"]] {
        let with = |root: &str, parts: &[&str]| {
            let arguments = [shallow, &[root]].concat();
            check(&arguments, "", 5, parts);
        };
        with(root, &["there is no log below", root, "stratalog append"]);
        with(&format!("{root}/absent"), &["there is no folder", "absent", "name a folder"]);
        with("memory:", &["there is no log below memory:"]);
        with("s4://bucket", &["s4"]);
        with("", &[]);
    }
    ok(&["append", &log], "a\n");
    for shallow in [&["ls"][..], &["ls", "--shallow"]] {
        let arguments = [shallow, &[log.as_str()]].concat();
        check(&arguments, "", 5, &["there is no log below", "itself a log", "stratalog stat"]);
    }
    let file = format!("{root}/file");
    fs::write(&file, "x").unwrap();
    check(&["ls", &file], "", 5, &["is a file; name a folder"]);
}

#[cfg(unix)]
#[test]
fn ls_reports_entries_under_the_name_of_an_object_that_are_none() {
    let (_folder, log) = fresh();
    ok(&["append", &log], "a\n");
    let root = log.strip_suffix("/log").unwrap();
    let place = format!("{log}/batch_0001700000000000000.jsonl");
    std::os::unix::fs::symlink("/etc/hostname", &place).unwrap();
    std::os::unix::fs::symlink(&log, format!("{root}/link")).unwrap();
    let ran = run_with(&["ls", "--json", root], b"");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("1 entry under the name of an object"), "{}", ran.stderr);
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("\"misplaced_entries\":1"), "{}", ran.stdout);
}

#[test]
fn ls_prints_while_it_lists_and_may_be_killed() {
    let (folder, _) = fresh();
    let root = folder.path().to_str().unwrap();
    for number in 0..4_000 {
        let log = format!("{root}/a-name-that-makes-the-lines-longer-{number:05}");
        fs::create_dir(&log).unwrap();
        fs::write(format!("{log}/batch_0001700000000000000.jsonl"), "old\n").unwrap();
    }
    let whole = ok(&["ls", "--json", root], "");
    assert_eq!(whole.lines().count(), 4_000);
    assert!(whole.lines().is_sorted());
    let mut child = stratalog(&["ls", "--json", root]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut begun = String::new();
    lines.read_line(&mut begun).unwrap();
    // The rest does not fit into the pipe.
    assert!(child.try_wait().unwrap().is_none(), "nothing was printed before the end");
    child.kill().unwrap();
    child.wait().unwrap();
    lines.read_to_string(&mut begun).unwrap();
    assert!(whole.starts_with(&begun) && begun.len() < whole.len());
}
