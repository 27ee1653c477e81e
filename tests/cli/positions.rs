//! Reading a part of a log, and resuming where the last read stopped.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::Stdio;

use crate::binary::{Ran, check, fresh, numbered, ok, run_with, stratalog};

/// Makes lines of 100 bytes, each an event with its number.
fn large(numbers: std::ops::Range<usize>) -> String {
    numbers.map(|n| format!("{n:099}\n")).collect()
}

/// Returns the number of the first event, and the number of events.
fn range(lines: &str) -> (usize, usize) {
    let numbers: Vec<usize> = lines.lines().map(|line| line.parse().unwrap()).collect();
    let first = numbers.first().copied().unwrap_or_default();
    assert!(numbers.iter().copied().eq(first..first + numbers.len()), "not in order");
    (first, numbers.len())
}

fn append(log: &str, events: &str) {
    ok(&["append", "-q", log], events);
}

#[test]
fn part_of_a_log_is_read() {
    let (_folder, log) = fresh();
    append(&log, &numbered(0..10));
    append(&log, &numbered(10..20));
    ok(&["compact", &log], "");
    append(&log, &numbered(20..30));
    let table: [(&[&str], _); 9] = [
        (&["--limit", "3"], 0..3),
        (&["--limit", "0"], 0..0),
        (&["--limit", "25"], 0..25),
        (&["--from", "0"], 0..30),
        (&["--from", "7", "--limit", "5"], 7..12),
        (&["--from", "20"], 20..30),
        (&["--since", "1h"], 0..30),
        (&["--until", "1h"], 0..0),
        (&["--since", "2000-01-01", "--until", "2100-01-01T00:00:00+01:00"], 0..30),
    ];
    for (options, expected) in table {
        let arguments: Vec<&str> = ["read", &log].iter().chain(options).copied().collect();
        assert_eq!(ok(&arguments, ""), numbered(expected), "{options:?}");
    }
}

#[test]
fn times_are_those_of_the_batches() {
    let (_folder, log) = fresh();
    fs::create_dir(&log).unwrap();
    // 2023-11-14T22:13:20Z, and a second later.
    for (name, line) in
        [("batch_0001700000000000000", "old\n"), ("batch_0001700000001000000", "new\n")]
    {
        fs::write(Path::new(&log).join(name).with_extension("jsonl"), line).unwrap();
    }
    let table: [(&[&str], _); 10] = [
        (&["--since", "1700000001"], "new\n"),
        (&["--since", "@1700000001"], "new\n"),
        (&["--since", "@1700000001.5"], ""),
        (&["--since", "2023-11-14 22:13:21"], "new\n"),
        (&["--until", "yesterday"], "old\nnew\n"),
        (&["--since", "2023-11-14T22:13:20Z"], "old\nnew\n"),
        (&["--since", "2023-11-14T22:13:20.000001Z"], "new\n"),
        (&["--until", "2023-11-14T23:13:21+01:00"], "old\n"),
        (&["--since", "2023-11-15"], ""),
        (&["--until", "2023-11-15"], "old\nnew\n"),
    ];
    for compacted in [false, true] {
        for (options, expected) in table {
            let arguments: Vec<&str> = ["read", &log].iter().chain(options).copied().collect();
            assert_eq!(ok(&arguments, ""), expected, "{options:?}, compacted: {compacted}");
        }
        ok(&["compact", &log], "");
    }
    // Two hours to the east.
    for (since, expected) in [("2023-11-15 00:13:21", "new\n"), ("2023-11-15", "old\nnew\n")] {
        let mut command = stratalog(&["read", &log, "--since", since]);
        let ran = Ran::from(command.env("TZ", "<+02>-2").output().unwrap());
        assert_eq!((ran.code, ran.stdout.as_str()), (0, expected), "{since}: {}", ran.stderr);
    }
}

#[test]
fn position_file_lets_the_next_read_resume() {
    let (folder, log) = fresh();
    let file = folder.path().join("position");
    let position = file.to_str().unwrap();
    append(&log, &numbered(0..10));
    let read = ["read", "--position-file", position, &log];
    assert_eq!(ok(&read, ""), numbered(0..10));
    assert_eq!(ok(&read, ""), "");
    append(&log, &numbered(10..20));
    assert_eq!(ok(&[&read[..], &["--limit", "3"]].concat(), ""), numbered(10..13));
    // The log is compacted between the reads, by halves.
    ok(&["compact", &log], "");
    append(&log, &numbered(20..25));
    append(&log, &numbered(25..30));
    assert_eq!(ok(&[&read[..], &["--limit", "3"]].concat(), ""), numbered(13..16));
    assert_eq!(ok(&read, ""), numbered(16..30));
    ok(&["compact", &log], "");
    assert_eq!(ok(&read, ""), "");
    // The position follows the identity of the log.
    assert!(fs::read_to_string(&file).unwrap().ends_with("@30\n"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "the log and the file");
    // The text of the file is also a position for --from.
    append(&log, &numbered(30..31));
    assert_eq!(ok(&["read", "--from", "30", &log], ""), numbered(30..31));
    // Events that --since leaves out count as read.
    assert_eq!(ok(&[&read[..], &["--since", "2100-01-01"]].concat(), ""), "");
    assert_eq!(ok(&read, ""), "");
}

#[test]
fn events_that_were_trimmed_before_they_were_read_are_counted() {
    let (folder, log) = fresh();
    let file = folder.path().join("position");
    let read = ["read", "--position-file", file.to_str().unwrap(), &log];
    append(&log, &numbered(0..10));
    assert_eq!(ok(&[&read[..], &["--limit", "4"]].concat(), ""), numbered(0..4));
    append(&log, &numbered(10..20));
    ok(&["compact", &log], "");
    ok(&["trim", "--before-position", "15", &log], "");
    let ran = run_with(&read, b"");
    assert_eq!((ran.code, ran.stdout.as_str()), (0, numbered(15..20).as_str()));
    assert_eq!(ran.stderr, "warning: 11 events were trimmed or lost before being read\n");
    check(&read, "", 0, &[]);
    // A reader from the beginning has missed nothing.
    let ran = run_with(&["read", &log], b"");
    assert_eq!((ran.stdout, ran.stderr.as_str()), (numbered(15..20), ""));
}

#[cfg(unix)]
#[test]
fn killed_read_repeats_at_most_a_page_and_skips_nothing() {
    let (folder, log) = fresh();
    let file = folder.path().join("position");
    let file = file.to_str().unwrap();
    let per_batch = 5_000;
    // A page ends with the chunk that brings it to 1 MiB, and a chunk has up to 2 MiB.
    let page_max = (3 << 20) / 100;
    let mut stored = 0;
    // All events before this number have reached the reader of the pipe.
    let mut seen = 0;
    for round in 0..12_usize {
        for _ in 0..5 {
            append(&log, &large(stored..stored + per_batch));
            stored += per_batch;
        }
        if round % 4 == 3 {
            ok(&["compact", &log], "");
        }
        let mut child = stratalog(&["read", "--position-file", file, &log]).spawn().unwrap();
        let mut pipe = child.stdout.take().unwrap();
        // The pipe is small, so this likely stops in the middle of a page.
        let mut bytes = vec![0; 1 + (round * 977_777) % 2_500_000];
        pipe.read_exact(&mut bytes).ok();
        child.kill().unwrap();
        child.wait().unwrap();
        let mut rest = Vec::new();
        pipe.read_to_end(&mut rest).unwrap();
        bytes.extend(rest);
        // A cut line does not count.
        let whole = bytes.len() / 100 * 100;
        let (first, events) = range(std::str::from_utf8(&bytes[..whole]).unwrap());
        assert!(events > 0, "round {round}: nothing was read");
        assert!(first <= seen, "round {round}: {seen} to {first} were skipped");
        assert!(seen - first <= page_max, "round {round}: {first} to {seen} were repeated");
        seen = first + events;
    }
    let (first, events) = range(&ok(&["read", "--position-file", file, &log], ""));
    assert!(first <= seen && seen - first <= page_max, "{first}, {seen}");
    assert_eq!(first + events, stored);
    assert_eq!(ok(&["read", "--position-file", file, &log], ""), "");
}

/// Starts a read that is stuck in the middle of its output; returns it and its pipe.
fn stuck(read: &[&str]) -> (std::process::Child, BufReader<std::process::ChildStdout>) {
    let mut child = stratalog(read).spawn().unwrap();
    let mut pipe = BufReader::new(child.stdout.take().unwrap());
    pipe.read_line(&mut String::new()).unwrap();
    (child, pipe)
}

#[test]
fn second_reader_with_the_same_position_file_is_refused() {
    let (folder, log) = fresh();
    let file = folder.path().join("position");
    let position = file.to_str().unwrap();
    // Far more than a pipe holds.
    append(&log, &large(0..50_000));
    let read = ["read", "--position-file", position, &log];
    let refused = [position, "another reader uses the file", "its own file"];
    // Any end of the first one releases its lock.
    let (mut child, pipe) = stuck(&read);
    check(&read, "", 1, &refused);
    check(&read, "", 1, &refused);
    child.kill().unwrap();
    child.wait().unwrap();
    drop(pipe);
    let (child, pipe) = stuck(&read);
    check(&read, "", 1, &refused);
    drop(pipe);
    assert_eq!(Ran::from(child.wait_with_output().unwrap()).code, 0);
    assert_eq!(range(&ok(&read, "")), (0, 50_000));
    assert_eq!(ok(&read, ""), "");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "the log and the file");
}

#[test]
fn readers_in_a_race_for_a_position_file_yield_each_event_once() {
    let (folder, log) = fresh();
    let file = folder.path().join("position");
    let read = ["read", "--limit", "10", "--position-file", file.to_str().unwrap(), &log];
    append(&log, &numbered(0..100));
    let readers = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let mut events = String::new();
                    for _ in 0..10 {
                        let ran = run_with(&read, b"");
                        assert!([0, 1].contains(&ran.code), "{}", ran.stderr);
                        let refused = ran.stderr.contains("another reader uses the file");
                        assert_eq!(ran.code == 1, refused, "{}", ran.stderr);
                        events.push_str(&ran.stdout);
                    }
                    events
                })
            })
            .collect();
        readers.into_iter().map(|reader| reader.join().unwrap()).collect::<String>()
    });
    let mut lines: Vec<&str> = readers.lines().collect();
    let rest = ok(&["read", "--position-file", file.to_str().unwrap(), &log], "");
    lines.extend(rest.lines());
    let number = |line: &&str| line[5..line.len() - 1].parse::<usize>().unwrap();
    lines.sort_by_key(number);
    let all = numbered(0..100);
    assert_eq!(lines, all.lines().collect::<Vec<_>>());
}

#[cfg(unix)]
#[test]
fn links_mode_and_owner_of_a_position_file_are_kept() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};

    let (folder, log) = fresh();
    append(&log, &numbered(0..10));
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("real")).unwrap();
    symlink("real/position", at("link")).unwrap();
    let read = ["read", "--limit", "2", "--position-file", at("link").to_str().unwrap(), &log]
        .map(str::to_owned);
    assert_eq!(ok(&read, ""), numbered(0..2));
    assert!(at("link").symlink_metadata().unwrap().is_symlink());
    fs::set_permissions(at("real/position"), fs::Permissions::from_mode(0o604)).unwrap();
    // Only root may change the owner of a file.
    let is_root = rustix::process::geteuid().is_root();
    let owner = if is_root { (12_345, 54_321) } else { (at("link").metadata().unwrap().uid(), 0) };
    if is_root {
        chown(at("real/position"), Some(owner.0), Some(owner.1)).unwrap();
    }
    assert_eq!(ok(&read, ""), numbered(2..4));
    let metadata = at("real/position").symlink_metadata().unwrap();
    assert_eq!(metadata.mode() & 0o7777, 0o604);
    assert_eq!(metadata.uid(), owner.0);
    assert!(!is_root || metadata.gid() == owner.1);
    assert!(at("link").symlink_metadata().unwrap().is_symlink());
    assert_eq!(fs::read_dir(at("real")).unwrap().count(), 1);

    // A planted link next to it is not followed.
    fs::write(at("victim"), "precious").unwrap();
    for name in ["position.new", ".position.stratalog-new", ".position.stratalog-lock"] {
        let planted = at("real").join(name);
        symlink(at("victim"), &planted).unwrap();
        let ran = run_with(&read, b"");
        assert!([0, 5].contains(&ran.code), "{name}: {}", ran.stderr);
        assert_eq!(fs::read_to_string(at("victim")).unwrap(), "precious", "{name}");
        fs::remove_file(&planted).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn files_that_other_commands_write_keep_links_and_mode() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let folder = tempfile::TempDir::new().unwrap();
    let (file, link) = (folder.path().join("log.wasm"), folder.path().join("link"));
    fs::write(&file, "old").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o604)).unwrap();
    symlink(&file, &link).unwrap();
    // A process that has the old file open continues to read the old bytes.
    let old = folder.path().join("old.wasm");
    fs::hard_link(&file, &old).unwrap();
    ok(&["component", "export", link.to_str().unwrap()], "");
    assert_eq!(fs::read_to_string(&old).unwrap(), "old");
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert!(fs::read(&file).unwrap().starts_with(b"\0asm"));
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o7777, 0o604);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    // A pipe cannot be replaced.
    let output = stratalog(&["component", "export", "/dev/stdout"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stdout, fs::read(&file).unwrap());
    for path in [folder.path(), &folder.path().join("no/such/folder")] {
        let path = path.to_str().unwrap();
        check(&["component", "export", path], "", 5, &["cannot write", path]);
    }
}

#[test]
fn closed_pipe_does_not_move_the_position() {
    let (folder, log) = fresh();
    let file = folder.path().join("position");
    let read = ["read", "--position-file", file.to_str().unwrap(), &log];
    // Far more than a pipe holds.
    append(&log, &large(0..50_000));
    for _ in 0..2 {
        let mut child = stratalog(&read).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        assert!(child.wait().unwrap().success());
        assert_eq!(first, large(0..1));
    }
    assert_eq!(range(&ok(&read, "")), (0, 50_000));
}

#[test]
fn events_in_a_file_have_their_position() {
    let (folder, log) = fresh();
    let file = folder.path().join("position");
    let out = folder.path().join("out");
    for part in [0..10, 10..20] {
        append(&log, &numbered(part));
        let out = fs::OpenOptions::new().create(true).append(true).open(&out).unwrap();
        let read = ["read", "--position-file", file.to_str().unwrap(), &log];
        assert!(stratalog(&read).stdout(out).stdin(Stdio::null()).status().unwrap().success());
    }
    assert_eq!(fs::read_to_string(&out).unwrap(), numbered(0..20));
}

#[test]
fn position_file_that_is_none_is_named() {
    let (folder, log) = fresh();
    append(&log, &numbered(0..10));
    let file = folder.path().join("position");
    let position = file.to_str().unwrap();
    for (bytes, why) in [
        (&b"yesterday\n"[..], "invalid position \"yesterday\"; "),
        (b"", "the file is empty"),
        (b"\n", "the file is empty"),
        (b"\xff\xff", "the file is not text"),
        (b"1,2\n", "invalid position"),
        (b"1\n2\n", "invalid position"),
    ] {
        fs::write(&file, bytes).unwrap();
        let ran = run_with(&["read", "--position-file", position, &log], b"");
        assert_eq!((ran.code, ran.stdout.as_str()), (5, ""), "{}", ran.stderr);
        let action = "; restore the file, or remove it to read from the beginning\n";
        let said = &ran.stderr;
        assert!(said.contains(position) && said.contains(why) && said.ends_with(action), "{said}");
        assert!(!said.contains("pass a value"), "{said}");
        assert_eq!(fs::read(&file).unwrap(), bytes, "it is left as it was");
    }
    let missing = folder.path().join("no/such/folder");
    for path in [folder.path(), &missing] {
        let path = path.to_str().unwrap();
        let ran = run_with(&["read", "--position-file", path, &log], b"");
        assert_eq!((ran.code, ran.stdout.as_str()), (5, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains(path), "{}", ran.stderr);
    }
}

#[test]
fn options_of_read_that_cannot_be_are_named() {
    let (_folder, log) = fresh();
    append(&log, &numbered(0..10));
    let table: [(&[&str], i32, &[&str]); 10] = [
        (&["--from", "7d"], 2, &["'7d' for '--from", "position", "--since"]),
        (&["--from", ""], 2, &["position"]),
        (&["--from", "-1"], 2, &["'-1' for '--from", "position"]),
        (&["--limit", "ten"], 2, &["'ten' for '--limit", "a number from 0"]),
        (&["--limit", "many"], 2, &["--limit"]),
        (&["--since", "tomorrow"], 2, &["--since", "as in 2026-01-31", "7d"]),
        (&["--until", "20260131"], 2, &["--until", "as in 2026-01-31"]),
        (&["--since", "1900-01-01"], 2, &["before 1970"]),
        (&["--position-file", "p", "--from", "1"], 2, &["--position-file", "--from"]),
        (&["--position-file", "p", "--until", "1h"], 2, &["--position-file", "--until"]),
    ];
    for (options, code, words) in table {
        let arguments: Vec<&str> = ["read", &log].iter().chain(options).copied().collect();
        check(&arguments, "", code, words);
    }
}
