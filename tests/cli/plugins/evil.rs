//! Hostile plugins, one process each: the end of each, its message, and the log that it leaves.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;
use std::time::Instant;

#[cfg(target_os = "linux")]
use crate::binary::within_address_space;
use crate::binary::{Ran, can_end, fresh, ok, run_with, signal, stratalog, stratalog_caching_in};
use rig::plugins;

use super::records;

mod compiling;

/// The required end of a plugin.
struct End<'a> {
    code: i32,
    stdout: &'a str,
    /// All of stderr, without the leading `error: PLUGIN ` and the final line feed; empty for
    /// nothing.
    error: &'a str,
}

fn arguments<'a>(
    plugin: &'a str,
    granted: &'a str,
    options: &[&'a str],
    words: &[&'a str],
) -> Vec<&'a str> {
    let mut all = vec!["run", plugin, "--log", granted];
    all.extend(options);
    all.push("--");
    all.extend(words);
    all
}

/// Runs a hazard on a log.
fn run(log: &str, options: &[&str], words: &[&str]) -> Ran {
    let plugin = plugins::rust("evil");
    let granted = format!("evil={log}");
    let (_folder, record) = fresh();
    let options = [options, &["--record", &record]].concat();
    let ran = run_with(&arguments(plugin.to_str().unwrap(), &granted, &options, words), b"");
    // A run that is refused has no record.
    let refusals = ["component_bytes_max", "error: cannot write the report "];
    if !refusals.iter().any(|refusal| ran.stderr.contains(refusal)) {
        records::check_complete(&record, &ran, words);
    }
    assert!(!ran.stderr.contains("panicked"), "{words:?}: {}", ran.stderr);
    ran
}

fn check_on(log: &str, options: &[&str], words: &[&str], end: &End<'_>) {
    let ran = run(log, options, words);
    let plugin = plugins::rust("evil");
    let error = match end.error {
        "" => String::new(),
        error => format!("error: {} {error}\n", plugin.display()),
    };
    assert_eq!(ran.stderr, error, "{words:?}");
    assert_eq!((ran.code, ran.stdout.as_str()), (end.code, end.stdout), "{words:?}");
}

/// Runs a hazard on a new log.
fn check(options: &[&str], words: &[&str], end: &End<'_>) {
    let (_folder, log) = fresh();
    check_on(&log, options, words, end);
}

/// The end of a plugin that reaches a limit of 32 MiB.
const MEMORY: &str =
    "was stopped: memory_bytes_max = 32 MiB is reached; raise it with --plugin-memory-max";

#[test]
fn plugin_over_a_limit_is_stopped_with_its_name() {
    let table: [(&[&str], &[&str], &str); 17] = [
        (
            &["--compute-max", "300ms"],
            &["endless-loop"],
            "was stopped: compute_max = 300ms is reached; raise it with --compute-max",
        ),
        (
            &["--compute-max", "300ms"],
            &["endless-clock"],
            "was stopped: compute_max = 300ms is reached; raise it with --compute-max",
        ),
        (
            &["--compute-max", "300ms"],
            &["endless-ticks"],
            "was stopped: compute_max = 300ms is reached; raise it with --compute-max",
        ),
        (
            &["--time-max", "300ms"],
            &["endless-loop"],
            "was stopped: time_max = 300ms is reached; raise it with --time-max",
        ),
        (
            &["--fuel", "1000000"],
            &["endless-loop"],
            "was stopped: fuel = 1,000,000 is reached; raise it with --fuel",
        ),
        (&["--plugin-memory-max", "32MiB"], &["memory-bomb"], MEMORY),
        (&["--plugin-memory-max", "32MiB"], &["host-bytes-hoard"], MEMORY),
        (&["--plugin-memory-max", "32MiB"], &["host-bytes-crumbs"], MEMORY),
        (
            &["--plugin-memory-max", "128MiB"],
            &["host-bytes-reads"],
            "was stopped: memory_bytes_max = 128 MiB is reached; raise it with --plugin-memory-max",
        ),
        (&["--plugin-memory-max", "32MiB"], &["host-bytes-uploads"], MEMORY),
        (&["--plugin-memory-max", "32MiB"], &["host-bytes-listings", "1000000"], MEMORY),
        (
            &[],
            &["host-bytes-slices"],
            "was stopped: handles_max = 1,000 is reached; raise it with --handles-max",
        ),
        (
            &["--stack-max", "64KiB"],
            &["stack-overflow"],
            "was stopped: stack_bytes_max = 64 KiB is reached; raise it with --stack-max",
        ),
        (
            &[],
            &["huge-event", "1024"],
            "was stopped: memory_bytes_max = 256 MiB is reached; raise it with --plugin-memory-max",
        ),
        (
            &[],
            &["huge-event", "100"],
            "was stopped: host_call_bytes_max = 64 MiB is reached; raise it with --host-call-bytes-max",
        ),
        (
            &["--host-call-bytes-max", "4MiB"],
            &["huge-lines", "8"],
            "was stopped: host_call_bytes_max = 4 MiB is reached; raise it with --host-call-bytes-max",
        ),
        (
            &["--component-bytes-max", "1000"],
            &["endless-loop"],
            "has 0 bytes, more than component_bytes_max = 1,000 bytes; raise it with --component-bytes-max",
        ),
    ];
    for (options, words, error) in table {
        if options.first() == Some(&"--component-bytes-max") {
            let plugin = plugins::rust("evil");
            let bytes = plugin.metadata().unwrap().len();
            let ran = run(&fresh().1, options, words);
            let error = error.replace(" 0 ", &format!(" {bytes} "));
            let expected = format!("error: the plugin {} {error}\n", plugin.display());
            assert_eq!(ran.stderr.replace(',', ""), expected.replace(',', ""));
            assert_eq!((ran.code, ran.stdout.as_str()), (6, ""));
            continue;
        }
        check(options, words, &End { code: 6, stdout: "", error });
    }
}

#[test]
fn call_that_a_log_refuses_is_an_error_of_the_call() {
    let table: [(&[&str], &[&str], &str); 8] = [
        (
            &["--log-handles-max", "3"],
            &["log-flood"],
            "3 logs held: limit-reached: too many logs and readers are open: log_handles_max = 3 is \
             reached; raise it with --log-handles-max\none given back, one more: ok\n",
        ),
        (
            &["--log-handles-max", "3"],
            &["reader-flood"],
            "3 readers held: limit-reached: too many logs and readers are open: log_handles_max = 3 \
             is reached; raise it with --log-handles-max\none given back, one more: ok\n",
        ),
        (
            &[],
            &["huge-event", "48"],
            "append: invalid-event: line 0: EventFault::TooLong(TooLong { bytes: 50331648, \
             bytes-max: 1048576 })\nappend: ok\nflush: ok\n",
        ),
        (
            &[],
            &["huge-lines", "48"],
            "append-lines: invalid-input: cannot append 48 MiB of lines in one call: \
             buffer_bytes_max = 16777216; append fewer per call\nappend: ok\nflush: ok\n",
        ),
        (
            &["--bytes-per-second", "1KiB"],
            &["huge-lines", "1"],
            "append-lines: ok\nappend: limit-reached: log.append on the log evil: bytes_per_second = \
             1 KiB is reached; raise it with --bytes-per-second\nflush: ok\n",
        ),
        (&[], &["tiny-appends", "1000000"], "1000000 appended\nflush: ok\n"),
        (&[], &["read-flood", "100"], "read: no-log: evil\n"),
        (
            &[],
            &["calls-after-close"],
            "append: ok\nclose: ok\nappend: closed\nappend-lines: closed\nflush: closed\n\
             read-all: closed\ncompact: denied: log.compact on the log evil needs the right to \
             compact; granted: append,read\nfile-count: closed\nclose: closed\ntick: false\n\
             pending: 0 bytes\n",
        ),
    ];
    for (options, words, stdout) in table {
        check(options, words, &End { code: 0, stdout, error: "" });
    }
}

#[test]
fn calls_over_the_rate_are_refused_and_those_before_are_kept() {
    let (_folder, log) = fresh();
    let ran = run(&log, &["--calls-per-second", "100"], &["tiny-appends", "1000000"]);
    let (count, rest) = ran.stdout.split_once(' ').unwrap();
    let refused = "appended: limit-reached: log.append on the log evil: calls_per_second = 100 \
                   is reached; raise it with --calls-per-second\n";
    assert!(rest.starts_with(refused), "{}", ran.stdout);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let kept = ok(&["read", &log], "").lines().count();
    assert_eq!(kept, count.parse::<usize>().unwrap());
    assert!(kept >= 50, "{kept}");
}

#[test]
fn only_a_label_opens_a_log() {
    let (folder, log) = fresh();
    let ran = run(&log, &[], &["bad-names"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(ran.stdout.lines().count(), 19, "{}", ran.stdout);
    for line in ran.stdout.lines() {
        let (name, reason) = line.strip_prefix("open ").unwrap().split_once(": denied: ").unwrap();
        // The typed name is shortened in the message, and has no terminal sequences.
        let shown = name.trim_end_matches('"').to_owned();
        let expected = format!("no log is granted under the label {shown}");
        assert!(reason.starts_with(&expected), "{line}");
        assert!(reason.ends_with("\"; granted: evil"), "{line}");
        assert!(line.len() < 200, "{line}");
        assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
    }
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

#[test]
fn messages_cannot_drive_the_terminal() {
    let (_folder, log) = fresh();
    let ran = run(&log, &[], &["escape-sequences"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "15 messages\n"));
    assert_eq!(ran.stderr.lines().count(), 15, "{}", ran.stderr);
    for line in ran.stderr.lines() {
        assert!(line.starts_with("error: "), "{line:?}");
        assert!(line.contains('\u{fffd}'), "{line:?}");
        let drives = |c: char| {
            c.is_control() || "\u{202e}\u{2067}\u{2028}\u{200e}\u{feff}\u{e0041}".contains(c)
        };
        assert!(!line.chars().any(drives), "{line:?}");
    }
}

#[test]
fn messages_over_the_limit_are_dropped_and_counted() {
    let (_folder, log) = fresh();
    let begun = Instant::now();
    let ran = run(&log, &["--log-lines-per-second", "10"], &["message-flood", "100000"]);
    // The limit of a second at the beginning, and the amount for the time since then.
    let passed_max = 10 * (2 + usize::try_from(begun.elapsed().as_secs()).unwrap());
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "100000 messages\n"));
    let (said, dropped): (Vec<&str>, Vec<&str>) =
        ran.stderr.lines().partition(|line| line.starts_with("error: flood: "));
    assert!((10..=passed_max).contains(&said.len()), "{passed_max}: {}", ran.stderr);
    let mut sum = said.len();
    for line in dropped {
        let count = line.strip_prefix("warning: ").unwrap().split(' ').next().unwrap();
        sum += count.replace(',', "").parse::<usize>().unwrap();
        let limit = "messages were dropped: log_lines_per_second = 10 is reached; raise \
                     it with --log-lines-per-second";
        let line = line.replace("1 message was", "1 messages were");
        assert!(line.ends_with(limit), "{line}");
    }
    assert_eq!(sum, 100_000);
    let ran = run(&log, &[], &["huge-message", "4"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "1 message\n"));
    assert!(ran.stderr.lines().count() == 1 && ran.stderr.len() < 1100, "{}", ran.stderr.len());
}

#[test]
fn events_of_a_plugin_are_flushed_by_any_end() {
    let said = "append: ok\nflush: ok\nappend: ok\n";
    let trap = "trapped: wasm trap: wasm `unreachable` instruction executed";
    for (hazard, code, error) in [
        ("trap-after-append", 6, trap),
        ("exit-without-close", 0, ""),
        ("return-without-close", 0, ""),
    ] {
        let (_folder, log) = fresh();
        check_on(&log, &[], &[hazard], &End { code, stdout: said, error });
        assert_eq!(ok(&["read", &log], ""), "flushed\nnot flushed\n", "{hazard}");
    }
}

#[test]
fn plugin_ends_with_its_own_code_or_with_words() {
    let said = "append: ok\nflush: ok\nappend: ok\n";
    let (_folder, log) = fresh();
    check_on(&log, &[], &["exit-with-code", "42"], &End { code: 42, stdout: said, error: "" });
    assert_eq!(ok(&["read", &log], ""), "flushed\nnot flushed\n");
    // Its language has no way yet to exit with another code than this.
    check(&[], &["exit-of-language"], &End { code: 1, stdout: "", error: "" });
    let error = "ended with an error and printed nothing: its `run` returned an error, which has \
                 no text. Have the plugin catch its errors and print them to stderr";
    check(&[], &["fail-silently"], &End { code: 1, stdout: "", error });
    let ran = run(&log, &[], &["fail-with-words"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, "there was no header\n"));
    let ran = run(&log, &["--report"], &["fail-with-words"]);
    assert!(ran.stderr.contains("{\"end\":\"failed\",\"exit_code\":1,"), "{}", ran.stderr);
}

#[test]
fn report_replaces_its_file_as_a_whole() {
    let (folder, log) = fresh();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("report"), "old").unwrap();
    // A process that has the old report open keeps it.
    std::fs::hard_link(at("report"), at("old")).unwrap();
    let option = format!("--report={}", at("report").display());
    let ran = run(&log, &[&option], &["exit-with-code", "42"]);
    assert_eq!(ran.code, 42, "{}", ran.stderr);
    let report = std::fs::read_to_string(at("report")).unwrap();
    assert!(report.starts_with("{\"end\":\"exited\",\"exit_code\":42,"), "{report}");
    assert_eq!(std::fs::read_to_string(at("old")).unwrap(), "old");
    // A report that cannot be written is named before the plugin runs.
    for missing in ["no/such/folder", ""] {
        let option = format!("--report={}", at(missing).display());
        let ran = run(&log, &[&option], &["exit-with-code", "42"]);
        assert!(ran.stderr.starts_with("error: cannot write the report "), "{}", ran.stderr);
        assert_eq!((ran.code, ran.stdout.as_str()), (5, ""));
    }
}

#[test]
fn bytes_that_the_host_does_not_hold_are_a_trap() {
    let (_folder, log) = fresh();
    let error = "trapped: offset 11 is outside 10 host bytes";
    check_on(&log, &[], &["host-bytes-beyond"], &End { code: 6, stdout: "", error });
}

#[test]
fn reader_gets_the_number_of_events_trimmed_under_it() {
    let (_folder, log) = fresh();
    for event in ["a\n", "b\n", "c\n"] {
        ok(&["append", &log], event);
    }
    let all = ["--grant", "evil=append,read,compact,trim"];
    let stdout = "compact: ok\ntrim: 2 events\nnext: 1 events, 0 missed\nnext: none\n";
    check_on(&log, &all, &["read-after-trim"], &End { code: 0, stdout, error: "" });
    assert_eq!(ok(&["read", &log], ""), "c\n");
}

#[cfg(unix)]
#[test]
fn events_reported_durable_survive_a_kill() {
    for (kill, code) in [
        ("KILL", 137),
        ("TERM", 143),
        ("INT", 130),
        ("HUP", 129),
        ("QUIT", 131),
        ("USR1", 138),
        ("XCPU", 152),
    ]
    .into_iter()
    .filter(|(name, _)| can_end(name))
    {
        let (_folder, log) = fresh();
        let plugin = plugins::rust("evil");
        let granted = format!("evil={log}");
        let words = ["append-until-stopped"];
        // The grace is as long as a busy machine needs for the last flush.
        let options = ["--grace", "10m", "--quiet"];
        let arguments = arguments(plugin.to_str().unwrap(), &granted, &options, &words);
        let mut child = stratalog(&arguments).stdin(Stdio::null()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while line != "20\n" {
            line.clear();
            assert!(stdout.read_line(&mut line).unwrap() > 0, "{kill}: it ended early");
        }
        signal(&child, kill);
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.stderr.as_str()), (code, ""), "{kill}");
        let acknowledged =
            rest.lines().filter_map(|line| line.parse::<usize>().ok()).next_back().unwrap_or(20);
        let events = ok(&["read", &log], "");
        let numbers: Vec<String> =
            (0..events.lines().count()).map(|n| format!("{{\"number\":{n}}}")).collect();
        assert_eq!(events.lines().collect::<Vec<_>>(), numbers, "{kill}");
        assert!(numbers.len() > acknowledged, "{kill}: {} > {acknowledged}", numbers.len());
        ok(&["verify", &log], "");
    }
}
