//! Values of options: a bad value ends every command with exit code 2 and the option's name.

use std::collections::BTreeSet;

use crate::binary::{check, fresh, ok};
use crate::commands::{commands, help_of};

/// Bad values of options.
const BAD: [(&str, &[&str]); 66] = [
    ("--store-option", &["x", "", "=x"]),
    ("--from-option", &["x", "", "=x"]),
    ("--to-option", &["x", "", "=x"]),
    ("--pause", &["x", "0", "25h", ""]),
    ("--retry-max", &["x", "-1", "101", ""]),
    ("--timeout", &["x", "0", "5m", "5", ""]),
    ("--cache-dir", &[""]),
    ("--memory-max", &["x", "1M", "4G", ""]),
    ("--flush-threshold", &["x", "0", "1000001", ""]),
    ("--flush-bytes", &["x", "0", "33MiB", ""]),
    ("--flush-interval", &["x", "25h", "7", ""]),
    ("--creates-max", &["x", "0", "17", ""]),
    ("--event-bytes-max", &["x", "0", "17MiB", ""]),
    ("--compact-after", &["x", "0", "-1", ""]),
    ("--grace", &["x", "7", ""]),
    ("--from", &["x", "7d", "-1", "1,2", "18446744073709551616", ""]),
    ("--position-name", &["X", "", "a_b", "a/b"]),
    ("--forget", &["X", "", "a_b", "a/b"]),
    ("--limit", &["x", "-1", "18446744073709551616", ""]),
    ("--format", &["x", ""]),
    ("--since", &["x", "tomorrow", "20260131", ""]),
    ("--until", &["x", "1969-12-31", ""]),
    ("--lines", &["x", "+", "--1", "1k", ""]),
    ("--fan-in", &["x", "1", "65", ""]),
    ("--segment-bytes-max", &["x", "0", "5GiB", ""]),
    ("--before", &["x", "2026", "30", "1,2", "18446744073709551616", ""]),
    ("--before-position", &["x", "30d", "1,2", "7@", "18446744073709551616", ""]),
    ("--keep-events", &["x", "-1", ""]),
    ("--logs", &["", "[a"]),
    ("--compact-batches", &["x", "1", ""]),
    ("--compact-age", &["x", "7", "1M", ""]),
    ("--keep-age", &["x", "0", "1M", "999ms", ""]),
    ("--keep-bytes", &["x", "0", ""]),
    ("--trim-every", &["x", "7", ""]),
    ("--verify-every", &["x", "0", ""]),
    ("--every", &["x", "0", "5w", ""]),
    ("--jobs", &["x", "0", "65", ""]),
    ("--prices", &["x", "1", "1,x", "-1,0", "1,2,3,4", ""]),
    ("--metrics-listen", &["x", "9464", "127.0.0.1", "localhost:9464", "127.0.0.1:65536", ""]),
    ("--otlp-endpoint", &["x", "host:4318", "ftp://host", "http://me@host", "http://host?a", ""]),
    ("--log", &["x", "=LOG", "a b=LOG", "a=ftp://host/log", "a="]),
    ("--grant", &["x", "a=fly", "a=read"]),
    ("--quota", &["x", "=1K", "a=", "a=0", "a=1K,0", "a=1K,x", "a=1K"]),
    ("--env", &["STRATALOG_TEST_IS_NOT_SET"]),
    ("--dir", &["/no/such/folder", ""]),
    ("--record", &["", "ftp://host/log", "memory:x"]),
    ("--record-bytes-per-second", &["x", "0", "1023", "2TiB"]),
    ("--record-bytes-max", &["x", "0", "1023", "2TiB"]),
    ("--plugin-memory-max", &["x", "-1", ""]),
    ("--stack-max", &["x", "1K", "65MiB"]),
    ("--compute-max", &["x", "7"]),
    ("--time-max", &["x", "7"]),
    ("--fuel", &["x", "0"]),
    ("--calls-per-second", &["x", "-1"]),
    ("--bytes-per-second", &["x", "-1"]),
    ("--log-lines-per-second", &["x", "-1"]),
    ("--log-handles-max", &["x", "-1"]),
    ("--handles-max", &["x", "-1"]),
    ("--instances-max", &["x", "-1"]),
    ("--table-elements-max", &["x", "-1"]),
    ("--host-call-bytes-max", &["x", "-1"]),
    ("--component-bytes-max", &["x", "-1"]),
    ("--compile-time-max", &["x", "7"]),
    ("--store", &["x", "", "gcs"]),
    ("--language", &["x", "", "Rust"]),
    ("--port", &["x", "0", "65536", "-1", ""]),
];

/// Options that name a file: a bad file is bad input, as everywhere.
const FILES: [&str; 6] =
    ["--component", "--output", "--policy", "--position-file", "--report", "--state"];

/// Returns the options of a command that take a value, as its help lists them.
fn options(command: &str) -> BTreeSet<String> {
    let help = help_of(command);
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let options = lines.filter_map(|line| {
        let at = line.find("--")?;
        let (name, rest) = line.get(at..)?.split_once([' ', '[', '='])?;
        (rest.contains('<')).then(|| name.to_owned())
    });
    options.collect()
}

#[test]
fn every_bad_value_of_an_option_ends_with_2_and_names_it() {
    let (folder, log) = fresh();
    ok(&["append", &log], "event\n");
    let file = folder.path().join("file.wasm");
    std::fs::write(&file, "\0asm\x0d\0\x01\0").unwrap();
    let file = file.to_str().unwrap();
    let mut tried = BTreeSet::new();
    for command in commands() {
        for option in options(&command.name) {
            if FILES.contains(&option.as_str()) {
                continue;
            }
            let bad = BAD.iter().find(|(name, _)| *name == option);
            let (_, values) = bad.unwrap_or_else(|| panic!("no bad value of {option} is known"));
            tried.insert(option.clone());
            for value in *values {
                let typed = format!("{option}={}", value.replace("LOG", &log));
                let mut arguments = command.with(|operand| match operand {
                    "LOG" => &log,
                    "SHELL" => "bash",
                    _ => file,
                });
                let points = ["--before", "--before-position", "--keep-events"];
                if command.name == "trim" && !points.contains(&&*option) {
                    arguments.extend(["--keep-events", "1"]);
                }
                if command.name == "keep" && option != "--logs" {
                    arguments.extend(["--logs", "**"]);
                }
                arguments.push(&typed);
                check(&arguments, "", 2, &[&option]);
            }
        }
    }
    let known: BTreeSet<String> = BAD.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(tried, known, "an option is not there any more");
}
