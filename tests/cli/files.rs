//! The files of a log, for other tools: cat, and DuckDB from PyPI.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{env, fs, thread};

use rig::tools::python::Python;
use serde_json::Value;

use crate::binary::{check, end_of, fresh, ok, skipped, stratalog};

const DUCKDB: &str = "duckdb==2.0.1\n";

/// Prints the number of events, and the numbers in them, in order. A list that is out of date is
/// replaced, and nothing else may fail.
const COUNT: &str = "\
import subprocess, sys, duckdb
rounds, command = int(sys.argv[1]), sys.argv[2:]
replaced = 0
for round in range(rounds):
    while True:
        listed = subprocess.run(command, stdout=subprocess.PIPE)
        assert listed.returncode == 0
        try:
            rows = duckdb.sql(listed.stdout.decode()).fetchall()
            break
        except duckdb.IOException as error:
            assert 'No files found' in str(error) or 'No such file' in str(error), error
            replaced += 1
    numbers = [row[0] for row in rows]
    assert numbers == list(range(len(numbers))), (round, len(numbers), numbers[:5], numbers[-5:])
    print(len(numbers), replaced, flush=True)
";

fn duckdb() -> Option<Python> {
    Python::with("duckdb", DUCKDB).inspect_err(|reason| skipped("DuckDB", reason)).ok()
}

fn append(log: &str, numbers: std::ops::Range<usize>) {
    let lines: String = numbers.map(|n| format!("{{\"n\":{n}}}\n")).collect();
    ok(&["append", "--flush-threshold", "10", log], &lines);
}

fn listed(log: &str, options: &[&str]) -> Vec<Value> {
    let lines = ok(&[&["files", "--format", "json", log], options].concat(), "");
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The events of the listed ranges.
fn content(files: &[Value]) -> String {
    let mut events = String::new();
    for file in files {
        let bytes = fs::read(file["path"].as_str().unwrap()).unwrap();
        let number = |name: &str| usize::try_from(file[name].as_u64().unwrap()).unwrap();
        let range = number("offset")..number("offset") + number("bytes");
        assert_eq!(bytes.len(), number("size"));
        let text = std::str::from_utf8(&bytes[range]).unwrap();
        assert_eq!(text.lines().count(), number("events"));
        events += text;
    }
    events
}

#[test]
fn paths_and_ranges_have_the_events_that_read_prints() {
    let (_folder, log) = fresh();
    append(&log, 0..95);
    ok(&["compact", &log], "");
    append(&log, 95..120);
    let paths = ok(&["files", &log], "");
    let events: String = paths.lines().map(|path| fs::read_to_string(path).unwrap()).collect();
    assert_eq!(events, ok(&["read", &log], ""));
    assert_eq!(paths.lines().count(), 4);
    for kept in ["73", "40", "25", "11", "0"] {
        ok(&["trim", "--lazy", "--keep-events", kept, &log], "");
        let files = listed(&log, &[]);
        assert_eq!(content(&files), ok(&["read", &log], ""), "{kept}");
        // Live batches have no positions.
        let first = files.first().and_then(|file| file["position"].as_u64());
        assert!(first.is_none_or(|first| first == 120 - kept.parse::<u64>().unwrap()), "{first:?}");
    }
    append(&log, 120..140);
    let time = listed(&log, &[])[1]["first_time"].as_str().unwrap().to_owned();
    let since = content(&listed(&log, &["--since", &time]));
    assert_eq!(since, ok(&["read", "--since", &time, &log], ""));
    assert_eq!(since.lines().count(), 10);
    let until = content(&listed(&log, &["--until", &time]));
    assert_eq!(until, ok(&["read", "--until", &time, &log], ""));
}

#[test]
fn paths_of_an_object_with_other_events_are_refused() {
    let (_folder, log) = fresh();
    append(&log, 0..40);
    ok(&["compact", &log], "");
    append(&log, 40..50);
    ok(&["trim", "--lazy", "--keep-events", "30", &log], "");
    let words =
        ["cannot list paths: only the bytes from 170 to 350 of", "--format json and duckdb"];
    check(&["files", &log], "", 5, &words);
    check(&["files", "--since", "1m", "--until", "1h", &log], "", 2, &["no event is between"]);
    check(&["files", &format!("{log}x")], "", 5, &["there is no log at"]);
}

#[test]
fn duckdb_reads_the_events_of_a_log_under_any_name() {
    let Some(python) = duckdb() else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("it's a [1]*? log");
    let log = log.to_str().unwrap();
    append(log, 0..35);
    ok(&["compact", log], "");
    append(log, 35..60);
    let rows = |log: &str| {
        let statement = ok(&["files", "--format", "duckdb", log], "");
        let script = "import duckdb, sys\nprint(duckdb.sql(sys.argv[1]).fetchall())";
        let ran = python.command().args(["-c", script, &statement]).output().unwrap();
        assert!(ran.status.success(), "{statement}{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    };
    let expected = |rows: std::ops::Range<usize>| {
        let rows: Vec<_> = rows.map(|n| format!("({n},)")).collect();
        format!("[{}]\n", rows.join(", "))
    };
    assert_eq!(rows(log), expected(0..60));
    ok(&["trim", "--lazy", "--keep-events", "43", log], "");
    assert_eq!(rows(log), expected(17..60));
    ok(&["trim", "--keep-events", "0", log], "");
    assert_eq!(rows(log), "[]\n");
    // Events of other fields and types are events, too.
    ok(&["append", log], "{\"n\":\"text\"}\n{\"other\":[1,{}]}\n");
    assert_eq!(rows(log).matches("),").count() + 1, 2);
}

/// `STRATALOG_FILES_ROUNDS` sets the number of rounds; 200 by default.
#[test]
fn duckdb_counts_every_event_once_while_the_log_is_compacted() {
    let Some(python) = duckdb() else { return };
    let (_folder, log) = fresh();
    let rounds = env::var("STRATALOG_FILES_ROUNDS").unwrap_or_else(|_| "200".to_owned());
    append(&log, 0..10);
    let appending = ["append", "--flush-threshold", "5", "--compact-after", "4", "--quiet", &log];
    let mut writer = stratalog(&appending).stdin(Stdio::piped()).spawn().unwrap();
    let (mut stdin, is_over) = (writer.stdin.take().unwrap(), AtomicBool::new(false));
    let listing = stratalog(&["files", "--format", "duckdb", &log]);
    let counted = thread::scope(|scope| {
        scope.spawn(|| {
            for n in (10..).take_while(|_| !is_over.load(Ordering::Relaxed)) {
                writeln!(stdin, "{{\"n\":{n}}}").unwrap();
                if n % 20 == 0 {
                    thread::sleep(Duration::from_millis(10));
                }
            }
            drop(stdin);
        });
        let mut counting = python.command();
        counting.args(["-c", COUNT, &rounds]).arg(listing.get_program());
        let counting = counting.args(listing.get_args()).output();
        is_over.store(true, Ordering::Relaxed);
        counting.unwrap()
    });
    assert!(end_of(&mut writer).success());
    let [stdout, stderr] = [counted.stdout, counted.stderr].map(|t| String::from_utf8(t).unwrap());
    assert!(counted.status.success(), "{stdout}{stderr}");
    let counts: Vec<u64> =
        stdout.lines().map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect();
    assert_eq!(counts.len().to_string(), rounds);
    assert!(counts.is_sorted() && counts.first() < counts.last(), "{stdout}");
    assert!(Path::new(&log).read_dir().unwrap().count() < counts.len() * 10);
    ok(&["verify", &log], "");
}
