//! Folders that are no log, and foreign files in a log's folder.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::binary::{Ran, check, fresh, json, numbered, ok, run_with, stratalog};
use crate::bucket;
use crate::commands::on_logs;

/// Returns the command line of each command that requires an existing log, without the log.
fn commands() -> Vec<Vec<String>> {
    let mut commands = on_logs();
    commands.retain(|command| command != &["append"] && command != &["doctor"]);
    for variant in ["compact --dry-run", "trim --keep-events 1", "trim --before 2026-01-31"] {
        commands.push(variant.split(' ').map(str::to_owned).collect());
    }
    commands
}

/// Runs a command on a log.
fn run_on(command: &[String], log: &str) -> Ran {
    let arguments: Vec<&str> = command.iter().map(String::as_str).chain([log]).collect();
    run_with(&arguments, b"")
}

fn names(folder: &str) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn log_that_is_not_there_is_an_error_on_every_store() {
    let (folder, log) = fresh();
    let base = folder.path().to_str().unwrap();
    let commands = commands();
    let on_all = |words: &[&str]| {
        for command in &commands {
            refused(&run_on(command, &log), command, words);
        }
    };
    let absent = format!("error: there is no log at {log}");
    on_all(&[&format!("{absent}\n")]);
    assert_eq!(names(base), [""; 0], "looking made something");
    fs::create_dir_all(format!("{log}/empty")).unwrap();
    fs::write(format!("{log}/notes.txt"), "no log").unwrap();
    on_all(&[&format!("{absent}\n")]);
    ok(&["append", &format!("{log}/team/errors")], "a\n");
    on_all(&[&format!("{absent}; a log below this name: {log}/team/errors\n")]);
    ok(&["append", &format!("{log}/audit")], "a\n");
    on_all(&[&format!("{absent}; logs below this name: {log}/audit, {log}/team/errors\n")]);
    for number in 0..20 {
        ok(&["append", &format!("{log}/many/{number:02}")], "a\n");
    }
    let all = format!(" and more: `stratalog ls {log}` lists all\n");
    on_all(&[&format!("{log}/audit, {log}/many/00, {log}/many/01"), &all]);

    for command in &commands {
        let said = "there is no log at memory:log: a log in memory ends with its command";
        refused(&run_on(command, "memory:log"), command, &[said]);
        let endpoint = format!("aws_endpoint={}", bucket::serve(|_| bucket::EMPTY));
        let options = [&endpoint, "allow_http=true", "aws_region=local"];
        let options = options.iter().flat_map(|option| ["--store-option", option]);
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let mut ran = stratalog(&words);
        ran.arg("s3://bucket/log").args(options);
        ran.env("AWS_ACCESS_KEY_ID", "key").env("AWS_SECRET_ACCESS_KEY", "hush");
        let ran = Ran::from(ran.output().unwrap());
        assert_eq!(ran.code, 5, "{command:?}: {}", ran.stderr);
        let said = "error: there is no log at s3://bucket/log\n";
        assert_eq!((ran.stderr.as_str(), ran.stdout.as_str()), (said, ""), "{command:?}");
    }
}

/// Checks that a command ended with exit code 5 and an error with these words.
#[track_caller]
fn refused(ran: &Ran, command: &[String], words: &[&str]) {
    assert_eq!((ran.code, ran.stdout.as_str()), (5, ""), "{command:?}: {}", ran.stderr);
    for word in words {
        assert!(ran.stderr.contains(word), "{command:?}: no {word:?} in: {}", ran.stderr);
    }
}

/// Puts another file in an object's place.
#[cfg(unix)]
fn plant(path: &Path, what: &str, outside: &Path) {
    use std::os::unix::fs::symlink;
    match what {
        "a symbolic link" => symlink(outside, path).unwrap(),
        "a dangling symbolic link" => symlink("/nowhere/at/all", path).unwrap(),
        "a folder" => fs::create_dir(path).unwrap(),
        "a named pipe" => {
            assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
        }
        _ => unreachable!("{what}"),
    }
}

#[cfg(unix)]
const INTRUDERS: [&str; 4] =
    ["a symbolic link", "a dangling symbolic link", "a folder", "a named pipe"];

#[cfg(unix)]
fn remove(path: &Path) {
    let removed = if path.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) };
    removed.unwrap();
}

#[cfg(unix)]
#[test]
fn entry_in_the_place_of_an_object_is_named_and_never_followed() {
    let (folder, log) = fresh();
    let outside = folder.path().join("outside");
    fs::write(&outside, "secret\n").unwrap();
    ok(&["append", &log], "one\n");
    ok(&["append", &log], "two\n");
    let next = Path::new(&log).join("manifest_0000000000000000001.json");
    let batch = Path::new(&log).join("batch_0001600000000000001.jsonl");
    let segment = Path::new(&log).join("segment_0000000000000000001_0000000a_0000.jsonl");
    let mut commands = commands();
    // One shows damage in a page, which it serves until it is ended. Another lists no such object.
    commands.retain(|command| command != &["view"] && command != &["positions"]);
    for place in [&next, &batch, &segment] {
        for what in INTRUDERS {
            plant(place, what, &outside);
            let before = names(&log);
            let name = place.file_name().unwrap().to_str().unwrap();
            let meant = what.strip_prefix("a dangling ").unwrap_or(what).trim_start_matches("a ");
            let concerned = commands.iter().filter(|command| {
                // Only commands that count segments or may delete some list them.
                *place != segment || !["read", "tail"].contains(&command[0].as_str())
            });
            for command in concerned {
                let ran = run_on(command, &log);
                let context = format!("{command:?} with {what} as {name}: {}", ran.stderr);
                assert_eq!(ran.code, 4, "{context}");
                let said = format!("{}{}", ran.stdout, ran.stderr);
                assert!(!said.contains("secret"), "{context}");
                for words in [name, "expected a regular file, found a ", meant, "; move it away"] {
                    assert!(said.contains(words), "no {words:?}: {context}{}", ran.stdout);
                }
                assert_eq!(names(&log), before, "{context}: something came or went");
            }
            remove(place);
        }
    }
    assert_eq!(fs::read_to_string(&outside).unwrap(), "secret\n");
    assert_eq!(ok(&["read", &log], ""), "one\ntwo\n");
    ok(&["compact", &log], "");
    assert_eq!(ok(&["read", &log], ""), "one\ntwo\n");
    ok(&["verify", &log], "");
}

#[cfg(unix)]
#[test]
fn verification_names_each_intruder_and_checks_the_rest() {
    let (folder, log) = fresh();
    let outside = folder.path().join("outside");
    fs::write(&outside, "secret\n").unwrap();
    for _ in 0..3 {
        ok(&["append", &log], &numbered(0..5));
    }
    ok(&["compact", &log], "");
    ok(&["append", &log], &numbered(5..10));
    let segment = names(&log).into_iter().find(|name| name.ends_with(".index")).unwrap();
    remove(&Path::new(&log).join(&segment));
    plant(&Path::new(&log).join(&segment), "a symbolic link", &outside);
    let batch = "batch_0001600000000000001.jsonl";
    plant(&Path::new(&log).join(batch), "a named pipe", &outside);
    let ran = run_with(&["verify", &log], b"");
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.stderr.contains("2 damaged objects"), "{}", ran.stderr);
    for name in [batch, &segment] {
        assert!(ran.stdout.contains(&format!("damaged: log/{name}: ")), "{}", ran.stdout);
    }
    // The segment cannot be checked without its index, but the last batch can.
    assert!(ran.stderr.contains("5 events"), "{}", ran.stderr);
}

#[cfg(unix)]
#[test]
fn foreign_names_in_a_logs_folder_do_not_matter() {
    let (folder, log) = fresh();
    let outside = folder.path().join("outside");
    fs::write(&outside, "secret\n").unwrap();
    ok(&["append", &log], "one\n");
    for (what, number) in INTRUDERS.iter().zip(1..) {
        // Names that resemble those of objects.
        for name in ["notes", "batch_", "manifest_1.json", "segment_x.jsonl"] {
            plant(&Path::new(&log).join(format!("{name}{number}")), what, &outside);
        }
    }
    ok(&["append", &log], "two\n");
    assert_eq!(ok(&["read", &log], ""), "one\ntwo\n");
    ok(&["compact", &log], "");
    ok(&["trim", "--keep-events", "1", &log], "");
    assert_eq!(ok(&["read", &log], ""), "two\n");
    ok(&["verify", &log], "");
    ok(&["stat", &log], "");
    assert_eq!(names(&log).iter().filter(|name| !name.contains("0000")).count(), 16);
    assert_eq!(fs::read_to_string(&outside).unwrap(), "secret\n");
}

#[cfg(unix)]
#[test]
fn log_that_is_a_link_is_refused_and_a_link_above_it_is_not() {
    let (folder, log) = fresh();
    ok(&["append", &log], "one\n");
    let link = folder.path().join("link").to_str().unwrap().to_owned();
    std::os::unix::fs::symlink(&log, &link).unwrap();
    let words =
        ["is a symbolic link, which is not followed; name the folder that the link leads to"];
    for command in commands() {
        refused(&run_on(&command, &link), &command, &words);
    }
    check(&["append", &link], "two\n", 5, &words);
    let root = folder.path().join("root").to_str().unwrap().to_owned();
    std::os::unix::fs::symlink(folder.path(), &root).unwrap();
    assert_eq!(ok(&["read", &format!("{root}/log")], ""), "one\n");
}

#[test]
fn files_of_killed_writes_are_counted_and_listed() {
    let (_folder, log) = fresh();
    ok(&["append", &log], "one\n");
    let old = "batch_0001700000000000000_00000001_1_0000000000000000.jsonl#1";
    let new = "segment_0000000000000000001_0000000a_0000.jsonl#12";
    let aside = "set-aside_0123456789abcdef_manifest_0000000000000000001.json#3";
    let foreign = ["batch_notes#1", "notes#1", "manifest_0000000000000000001.json#x"];
    for name in [old, new, aside].iter().chain(&foreign) {
        fs::write(Path::new(&log).join(name), "12345").unwrap();
    }
    let hours_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(7_200);
    let file = fs::File::options().write(true).open(Path::new(&log).join(old)).unwrap();
    file.set_modified(hours_ago).unwrap();
    let stats = json(&["stat", "--json", &log]);
    assert_eq!((&stats["unfinished_objects"], &stats["unfinished_bytes"]), (&3.into(), &15.into()));
    assert_eq!((&stats["objects"], &stats["garbage_objects"]), (&1.into(), &0.into()));
    assert!(ok(&["stat", &log], "").contains("unfinished           3 files, 15 B\n"));
    let verified = json(&["verify", "--json", &log]);
    assert_eq!(verified["ok"], true);
    let garbage = verified["garbage"].as_array().unwrap();
    for (name, garbage) in [old, new, aside].iter().zip(garbage) {
        assert_eq!(garbage["object"], format!("log/{name}"));
        assert_eq!(
            (&garbage["bytes"], &garbage["reason"]),
            (&5.into(), &"unfinished-write".into())
        );
    }
    assert_eq!(garbage.len(), 3);
    let said = run_with(&["verify", &log], b"").stderr;
    assert!(
        said.contains("nothing is damaged; a later write removes 3 unfinished files (15 B)"),
        "{said}"
    );
    ok(&["append", &log], "two\n");
    assert_eq!(json(&["stat", "--json", &log])["unfinished_objects"], 2);
}
