//! Failures: their exit codes and messages.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use crate::binary::{Ran, batches, check, fresh, numbered, ok, run_with, stratalog};

#[test]
fn wrong_locations_and_options_name_the_thing() {
    let (folder, log) = fresh();
    ok(&["append", &log], "a\n");
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (file, missing) = (path("file"), path("missing"));
    fs::write(&file, "a\n").unwrap();
    let up = path("missing/../x/log");
    let below_file = format!("{file}/x/log");
    let s3 = "s3://bucket/log";
    let (huge, most) = ("99999999999999999999", "0 to 18,446,744,073,709,551,615");
    let table: Vec<(Vec<&str>, i32, Vec<&str>)> = vec![
        (vec!["append", "ftp://host/log"], 5, vec!["\"ftp\" is not known", "s3://BUCKET/NAME"]),
        (vec!["append", "s3:///log"], 5, vec!["names no usable bucket"]),
        (vec!["append", "s3://bucket"], 5, vec!["names no log"]),
        (vec!["append", "s3://bucket/../log"], 5, vec!["`..` segment"]),
        (vec!["append", "s3://me:secret@bucket/log"], 5, vec!["user or a password"]),
        (vec!["append", &up], 5, vec!["`..` segment"]),
        (vec!["append", ""], 5, vec!["the location is empty"]),
        (
            vec!["append", s3],
            3,
            vec!["cannot open s3://bucket: no credentials", "AWS_ACCESS_KEY_ID"],
        ),
        (vec!["append", &below_file], 3, vec!["a part of the path is not a folder"]),
        (vec!["append", &log, &missing], 5, vec!["cannot open", "missing: No such file"]),
        (vec!["append", &log, "/"], 5, vec!["cannot append: / is not a file of lines"]),
        (vec!["read", &missing], 5, vec!["there is no log at", "missing"]),
        (vec!["compact", &missing], 5, vec!["there is no log at"]),
        (vec!["stat", &file], 5, vec!["is a file, and a log is a folder"]),
        (vec!["append", &file], 5, vec!["is a file, and a log is a folder"]),
        (vec!["read", "memory:log"], 5, vec!["a log in memory ends with its command"]),
        (vec!["append", "--store-option", "secret", s3], 2, vec!["--store-option", "KEY=VALUE"]),
        (vec!["append", "--store-option", "retry_max=x", s3], 2, vec!["\"retry_max\"", "0 to 100"]),
        (
            vec!["append", "--store-option", "aws_regoin=x", s3],
            2,
            vec!["--store-option: ", "\"aws_regoin\"", "aws_region"],
        ),
        (
            vec!["append", "--store-option", "aws_region=x", &log],
            2,
            vec!["this store takes no options"],
        ),
        (vec!["append", "--flush-threshold", "0", &log], 2, vec!["--flush-threshold", "1,000,000"]),
        (vec!["append", "--flush-bytes", "0", &log], 2, vec!["--flush-bytes", "1 to 32MiB"]),
        (
            vec!["append", "--compact-after", "0", &log],
            2,
            vec!["--compact-after", "1 to 4,294,967,295"],
        ),
        (vec!["append", "--event-bytes-max", "17MiB", &log], 2, vec!["--event-bytes-max", "16MiB"]),
        (vec!["append", "--flush-interval", "25h", &log], 2, vec!["--flush-interval", "24h"]),
        (vec!["append", "--memory-max", "1M", &log], 2, vec!["--memory-max", "4MiB to 4095MiB"]),
        (vec!["append", "--retry-max", "101", &log], 2, vec!["--retry-max", "0 to 100"]),
        (
            vec!["compact", "--segment-bytes-max", "5G", &log],
            2,
            vec!["--segment-bytes-max", "4GiB"],
        ),
        (vec!["read", "--since", "20260131", &log], 2, vec!["--since", "2026-01-31", "1h30m"]),
        (vec!["run", &file, "--log", "a"], 2, vec!["--log a: write --log LABEL=LOG"]),
        (vec!["run", &file, "--log", "a b=memory:x"], 2, vec!["--log: \"a b\" is not a label"]),
        (vec!["run", &file, "--handles-max", huge], 2, vec!["--handles-max", most]),
        (vec!["run", &file, "--fuel", "0"], 2, vec!["--fuel", "from 1 to 18,446"]),
        (vec!["read", "--limit", huge, &log], 2, vec!["--limit", most]),
        (vec!["trim", "--keep-events", huge, &log], 2, vec!["--keep-events", most]),
        (vec!["tail", "-n", huge, &log], 2, vec!["--lines", "up to 18,446"]),
        (vec!["run", &file, "--grant", "a=fly"], 2, vec!["--grant a=fly"]),
        (vec!["run", &file, "--grant", "a=read"], 2, vec!["no --log a=LOG"]),
        (vec!["append", "--flush-bytes", "4X", &log], 2, vec!["--flush-bytes", "as in 64KiB"]),
        (vec!["append", "--flush-interval", "2", &log], 2, vec!["--flush-interval", "as in 500ms"]),
        (vec!["stat", "--component", &missing, &log], 5, vec!["cannot read the component"]),
        (vec!["stat", "--no-cache", "--cache-dir=x", &log], 2, vec!["--cache-dir"]),
        (vec!["--cache-dir=x", "stat", "--no-cache", &log], 2, vec!["--cache-dir"]),
        (vec!["follow", &log], 2, vec!["unrecognized subcommand"]),
        (vec!["append"], 2, vec!["<LOG>"]),
    ];
    for (arguments, code, words) in table {
        check(&arguments, "b\n", code, &words);
    }
    assert_eq!(ok(&["read", &log], ""), "a\n");
}

#[test]
fn component_that_is_cut_off_is_named_as_such() {
    let (folder, log) = fresh();
    ok(&["append", &log], "a\n");
    let file = folder.path().join("component.wasm");
    ok(&["component", "export", file.to_str().unwrap()], "");
    let whole = fs::read(&file).unwrap();
    for bytes in [100, whole.len() / 2, whole.len() - 1] {
        fs::write(&file, &whole[..bytes]).unwrap();
        for command in [
            &["stat", "--component", file.to_str().unwrap(), &log][..],
            &["run", file.to_str().unwrap()],
        ] {
            let ran = run_with(command, b"");
            assert_eq!(ran.code, 5, "{}", ran.stderr);
            let said = ran.stderr.replace(',', "");
            let words = format!("is cut off after {bytes} bytes; copy or build");
            assert!(said.contains(&words), "{said}");
        }
    }
}

#[test]
fn errors_are_one_line_and_hold_no_secret() {
    let (_folder, log) = fresh();
    for arguments in [
        ["append", "--store-option=aws_secret_access_key=hush", "s3://bucket/log"],
        ["append", "-q", "https://user:hush@example.com/log"],
    ] {
        let ran = run_with(&arguments, b"a\n");
        assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
        assert!(!ran.stderr.contains("still open"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("hush"), "{}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
    // A wrong command line gets several lines, as its parser prints them.
    let ran = run_with(&["append", "--store-option=hush", &log], b"a\n");
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(!ran.stderr.contains("hush"), "{}", ran.stderr);
    let ran = run_with(&["append", "--store-option=a=b", "--store-option=hush", &log], b"a\n");
    assert!(ran.stderr.contains("(number 2)") && !ran.stderr.contains("hush"), "{}", ran.stderr);
}

#[test]
fn help_is_a_word_too() {
    for (arguments, word) in [
        (&["help"][..], "Usage: stratalog [OPTIONS] <COMMAND>"),
        (&["help", "read"], "--position-file <FILE>"),
        (&["help", "component", "export"], "`-` is stdout"),
        (&["component", "help", "inspect"], "the imports, the exports"),
    ] {
        let text = ok(arguments, "");
        assert!(text.contains(word), "{arguments:?}: no {word:?} in: {text}");
    }
    assert_eq!(ok(&["help", "tail"], ""), ok(&["tail", "--help"], ""));
}

#[test]
fn component_that_is_none_is_refused() {
    let (folder, log) = fresh();
    ok(&["append", &log], "a\n");
    let file = folder.path().join("other.wasm");
    let empty_component: &[u8] = b"\0asm\x0d\0\x01\0";
    let empty_module: &[u8] = b"\0asm\x01\0\0\0";
    let table = [
        (empty_component, "not a component of the world stratalog:log/log-component"),
        (empty_module, "not a WebAssembly component"),
        (b"no wasm", "not a WebAssembly component"),
    ];
    for (bytes, reason) in table {
        fs::write(&file, bytes).unwrap();
        let file = file.to_str().unwrap();
        check(&["stat", "--component", file, &log], "", 5, &["other.wasm", reason]);
    }
}

#[test]
fn damaged_object_is_named_after_the_events_before_it() {
    let (_folder, log) = fresh();
    ok(&["append", &log], "first\n");
    ok(&["append", &log], "second\n");
    let damaged = batches(&log).into_keys().next_back().unwrap();
    fs::write(Path::new(&log).join(&damaged), "secoNd\n").unwrap();
    for command in ["read", "compact"] {
        let ran = run_with(&[command, &log], b"");
        assert_eq!(ran.code, 4, "{command}: {}", ran.stderr);
        for word in ["error: cannot ", &damaged, "is damaged: expected ", "found "] {
            assert!(ran.stderr.contains(word), "no {word:?} in: {}", ran.stderr);
        }
        assert_eq!(ran.stdout, if command == "read" { "first\n" } else { "" });
    }
    assert_eq!(batches(&log).len(), 2);
}

#[test]
fn closed_pipe_ends_a_read_quietly() {
    let (_folder, log) = fresh();
    ok(&["append", &log], &numbered(0..500_000));
    let mut child = stratalog(&["read", &log]).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!((first.as_str(), ran.code, ran.stderr.as_str()), ("{\"n\":0}\n", 0, ""));
}

#[cfg(target_os = "linux")]
#[test]
fn full_disk_behind_stdout_is_a_failure() {
    let (_folder, log) = fresh();
    ok(&["append", &log], "a\n");
    for command in ["read", "stat"] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = stratalog(&[command, &log]).stdout(full).output().unwrap();
        let ran = Ran::from(output);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert!(ran.stderr.contains("cannot write to stdout: No space left"), "{}", ran.stderr);
    }
}

/// Nobody makes the change again because its report is missing.
#[cfg(target_os = "linux")]
#[test]
fn change_whose_report_cannot_be_written_is_reported_as_made() {
    let (folder, log) = fresh();
    let events = folder.path().join("events").display().to_string();
    fs::write(&events, "a\nb\n").unwrap();
    for (command, done) in [
        (&["append", "--json", &log, &events][..], "the events are stored: 2 events"),
        (&["compact", "--json", &log], "the log is compacted"),
        (&["trim", "--json", "--keep-events", "1", &log], "the log is trimmed"),
    ] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ran = Ran::from(stratalog(command).stdout(full).output().unwrap());
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert!(ran.stderr.contains(done), "{command:?}: {}", ran.stderr);
    }
    assert_eq!(ok(&["read", &log], ""), "b\n");
}

#[cfg(target_os = "linux")]
#[test]
fn folder_that_cannot_be_made_leaves_the_events_unwritten() {
    let words = ["the store does not have the last 3 of 3 events", "/proc/stratalog"];
    check(&["append", "/proc/stratalog/log"], "a\nb\nc\n", 3, &words);
}

/// The number of missing events counts those that wait in the log, those that it refused, and those
/// that were read meanwhile.
#[cfg(target_os = "linux")]
#[test]
fn store_that_takes_nothing_has_none_of_the_events() {
    let line = format!("{{\"text\":\"{}\"}}\n", "x".repeat(150));
    for (events, options) in [(1, &[][..]), (200_000, &[]), (200_000, &["--creates-max", "1"])] {
        let input = line.repeat(events);
        let arguments = [&["append", "/proc/stratalog/log"], options].concat();
        let ran = run_with(&arguments, input.as_bytes());
        let (_, said) = ran.stderr.split_once("the store does not have the last ").unwrap();
        let (missing, rest) = said.split_once(" of ").unwrap();
        let (all, _) = rest.split_once(" event").unwrap();
        assert_eq!(missing, all, "{}", ran.stderr);
        assert!(!ran.stderr.contains("still open"), "{}", ran.stderr);
    }
}
