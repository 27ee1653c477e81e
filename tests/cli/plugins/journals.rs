//! The same job in three languages: the output is the same, byte for byte.

use std::path::{Path, PathBuf};

use super::languages::denied;
use crate::binary::{Ran, fresh, ok, run_with};
use rig::{plugins, tools};

/// Builds the journals of the three languages that this machine supports.
fn journals() -> Vec<(&'static str, PathBuf)> {
    let rust = Some(plugins::rust("journal-rust"));
    let python = tools::require_or_skip("the journal in Python", plugins::journal_python());
    let javascript =
        tools::require_or_skip("the journal in JavaScript", plugins::journal_javascript());
    let journals = [("Rust", rust), ("Python", python), ("JavaScript", javascript)];
    journals.into_iter().filter_map(|(name, file)| Some((name, file?))).collect()
}

fn run(journal: &Path, options: &[&str], input: &[u8]) -> Ran {
    let mut arguments = vec!["run", journal.to_str().unwrap()];
    arguments.extend(options);
    run_with(&arguments, input)
}

/// Makes a line of an access log; the time, the host and the sizes do not matter here.
fn line(request: &str, status: &str) -> String {
    format!(
        "192.0.2.7 - - [22/Nov/2026:20:38:30 +0100] \"{request}\" {status} 512 \"-\" \"curl/8.5\"\n"
    )
}

/// Returns lines that can be parsed and lines that cannot, at the edges of both.
fn access_log() -> Vec<u8> {
    let mut log = Vec::new();
    let mut add = |text: &str| log.extend_from_slice(text.as_bytes());
    add(&line("GET / HTTP/1.1", "200"));
    add(&line("GET /pay?card=1 HTTP/1.1", "502"));
    add(&line("POST /pay HTTP/2", "502"));
    add(&line("POST /pay HTTP/2.0", "503"));
    add(&line("GET /\\\"quoted\\\"\\\\ HTTP/1.1", "500"));
    // Sorted by character: the second one is larger, though its first half in UTF-16 is smaller.
    add(&line("GET /\u{ff5e} HTTP/1.1", "500"));
    add(&line("GET /\u{1f600} HTTP/1.1", "500"));
    add(&line("GET /\u{2028} HTTP/1.1", "500"));
    add("2001:db8::1 - zoë [29/Feb/2028:23:59:60 -0930] \"PUT /a HTTP/1.0\" 599 - \"\" \"\"\r\n");
    add(&line("GET /404 HTTP/1.1", "404"));
    // From here on, the lines cannot be parsed.
    add(&line("GET / HTTP/1.1", "600"));
    add(&line("-", "500"));
    add(&line("get / HTTP/1.1", "500"));
    add(&line("GET /\u{1b}[2J HTTP/1.1", "500"));
    add(&line("GET /\u{9b}2J HTTP/1.1", "500"));
    add(&line("GET / HTTP/1.1", "\u{0665}00"));
    add(&line("GET / HTTP/1.1", "500").replace("Nov", "Foo"));
    add(&line("GET / HTTP/1.1", "500").replace("22/", "32/"));
    add(&line("GET / HTTP/1.1", "500").replace("\"-\" ", ""));
    add(&line("GET / HTTP/1.1", "500").replace(" - - ", " - \u{a0} - "));
    add("\n");
    add("\r\r\n");
    // One byte over the limit, and one exactly at the limit.
    let filled = |bytes: usize| {
        let frame = line("GET / HTTP/1.1", "500").len() - 1;
        line(&format!("GET /{} HTTP/1.1", "x".repeat(bytes - frame)), "200")
    };
    add(&filled(64 * 1024 + 1));
    add(&filled(200 * 1024));
    add(&filled(64 * 1024));
    let latin1 = line("GET /X HTTP/1.1", "500");
    log.extend(latin1.bytes().map(|byte| if byte == b'X' { 0xe9 } else { byte }));
    // The last line has no LF.
    log.extend_from_slice(line("GET /last HTTP/1.1", "500").trim_end().as_bytes());
    log
}

const SUMMARY: &str = "\
lines read: 27
lines not understood: 15
errors journalled: 9
errors in the log: 11
3 times 502 \"/pay\"
1 times 500 \"/\\\\\\\"quoted\\\\\\\"\\\\\\\\\"
1 times 599 \"/a\"
1 times 500 \"/last\"
1 times 500 \"/old\"
1 times 503 \"/pay\"
1 times 500 \"/\u{2028}\"
1 times 500 \"/\u{ff5e}\"
1 times 500 \"/\u{1f600}\"
events of others in the log: 3
";

/// The earlier events of the log: two errors of this job, and three foreign events.
const BEFORE: &str = r#"{"path":"/pay","status":502}
{"path":"/old","status":500}
{"path":"/fine","status":200}
no JSON
[]
"#;

const EVENTS: &str = r#"{"time":"2026-11-22T20:38:30+01:00","host":"192.0.2.7","method":"GET","path":"/pay","status":502}
{"time":"2026-11-22T20:38:30+01:00","host":"192.0.2.7","method":"POST","path":"/pay","status":502}
{"time":"2026-11-22T20:38:30+01:00","host":"192.0.2.7","method":"POST","path":"/pay","status":503}
{"time":"2026-11-22T20:38:30+01:00","host":"192.0.2.7","method":"GET","path":"/\\\"quoted\\\"\\\\","status":500}
{"time":"2026-11-22T20:38:30+01:00","host":"192.0.2.7","method":"GET","path":"/~","status":500}
{"time":"2026-11-22T20:38:30+01:00","host":"192.0.2.7","method":"GET","path":"/😀","status":500}
{"time":"2026-11-22T20:38:30+01:00","host":"192.0.2.7","method":"GET","path":"/U+2028","status":500}
{"time":"2028-02-29T23:59:60-09:30","host":"2001:db8::1","method":"PUT","path":"/a","status":599}
{"time":"2026-11-22T20:38:30+01:00","host":"192.0.2.7","method":"GET","path":"/last","status":500}
"#;

#[test]
fn all_languages_journal_and_print_the_same() {
    let input = access_log();
    for (language, journal) in journals() {
        let (_folder, log) = fresh();
        ok(&["append", &log], BEFORE);
        let ran = run(&journal, &["--log", &format!("errors={log}")], &input);
        assert_eq!(ran.stderr, "", "{language}");
        assert_eq!((ran.stdout.as_str(), ran.code), (SUMMARY, 0), "{language}");
        let events = EVENTS.replace("U+2028", "\u{2028}").replace("/~", "/\u{ff5e}");
        let logged = ok(&["read", &log], "");
        assert_eq!(logged.strip_prefix(BEFORE), Some(events.as_str()), "{language}");
    }
}

#[test]
fn empty_input_leaves_an_empty_log() {
    for (language, journal) in journals() {
        let (folder, log) = fresh();
        let ran = run(&journal, &["--log", &format!("errors={log}")], b"");
        let summary = "lines read: 0\nlines not understood: 0\nerrors journalled: 0\nerrors in \
                       the log: 0\n";
        assert_eq!((ran.stdout.as_str(), ran.code), (summary, 0), "{language}: {}", ran.stderr);
        assert_eq!(folder.path().read_dir().unwrap().count(), 0, "{language}");
    }
}

#[test]
fn denied_log_is_an_error_that_names_the_granted_ones() {
    let input = access_log();
    for (language, journal) in journals() {
        let (_folder, log) = fresh();
        ok(&["append", &log], BEFORE);
        let errors = format!("errors={log}");
        let other = format!("other={log}");
        for (options, reason) in [
            (
                vec!["--log", errors.as_str(), "--grant", "errors=read"],
                "cannot open the log errors: denied: log.open on the log errors needs the right \
                 to append; granted: read",
            ),
            (
                vec!["--log", errors.as_str(), "--grant", "errors=append"],
                "cannot read the log errors: denied: log.read-all on the log errors needs the \
                 right to read; granted: append",
            ),
            (
                vec!["--log", other.as_str()],
                "cannot open the log errors: denied: no log is granted under the label \
                 \"errors\"; granted: other",
            ),
        ] {
            let ran = run(&journal, &options, &input);
            let said = format!("error: {reason}\n{}", denied(&journal));
            assert_eq!(ran.stderr, said, "{language}");
            assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{language}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn store_that_takes_nothing_is_an_error_that_names_the_batch() {
    let input = access_log();
    for (language, journal) in journals() {
        let ran = run(&journal, &["--log", "errors=/proc/stratalog/log"], &input);
        // The host may print a message of its own after "error: ".
        let front = "cannot flush the log errors: write-failed: errors/batch_";
        let back = ".jsonl (not-written, 9 events pending): the store of the log errors did not \
                    confirm a write: see the host's messages";
        let said = ran
            .stderr
            .lines()
            .find(|line| line.strip_prefix("error: ").unwrap_or(line).starts_with(front));
        let said = said.unwrap_or_else(|| panic!("{language}: {}", ran.stderr));
        assert!(said.ends_with(back), "{language}: {said}");
        // The host reports the same of events that it could not flush, with its own code for a
        // store.
        assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{language}: {}", ran.stderr);
    }
}
