//! The command line, through the real binary, in temporary folders.

use std::collections::BTreeMap;
use std::env::consts::EXE_SUFFIX;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Nothing here takes that long; a hang fails instead of lasting.
const DEADLINE: Duration = Duration::from_secs(60);

/// The target folder of this test, which is `target/PROFILE/deps/cli-HASH`.
fn target() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(3).unwrap().to_owned()
}

/// The binary, built anew if it is not fresh.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--release", "--package", "stratalog", "--target-dir"])
            .arg(target())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        target().join("release").join(format!("stratalog{EXE_SUFFIX}"))
    })
}

/// A command without credentials or settings from outside, and with a cache shared by all tests.
fn stratalog<S: AsRef<OsStr>>(arguments: &[S]) -> Command {
    let mut command = Command::new(binary());
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if ["AWS_", "AZURE_", "GOOGLE_", "STRATALOG_"].iter().any(|prefix| name.starts_with(prefix))
        {
            command.env_remove(name);
        }
    }
    command.args(arguments).arg("--cache-dir").arg(target().join("test-cache"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a finished command left.
#[derive(Debug)]
struct Ran {
    /// The exit code, or 128 and the signal, as a shell says it.
    code: i32,
    stdout: String,
    stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        #[cfg(unix)]
        let signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
        #[cfg(not(unix))]
        let signal = None;
        Self {
            code: output.status.code().or(signal.map(|signal| 128 + signal)).unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

fn run_with<S: AsRef<OsStr>>(arguments: &[S], stdin: &[u8]) -> Ran {
    let mut child = stratalog(arguments).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    // A command that fails early does not read it.
    input.write_all(stdin).ok();
    drop(input);
    child.wait_with_output().unwrap().into()
}

/// Runs a command that must succeed, and returns its stdout.
fn ok<S: AsRef<OsStr> + std::fmt::Debug>(arguments: &[S], stdin: &str) -> String {
    let ran = run_with(arguments, stdin.as_bytes());
    assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.stderr);
    ran.stdout
}

/// Runs a command that must end with this code, and with stderr that contains all these words.
fn check(arguments: &[&str], stdin: &str, code: i32, words: &[&str]) {
    let ran = run_with(arguments, stdin.as_bytes());
    assert_eq!(ran.code, code, "{arguments:?}: {}", ran.stderr);
    for word in words {
        assert!(ran.stderr.contains(word), "{arguments:?}: no {word:?} in: {}", ran.stderr);
    }
    assert!(!ran.stderr.contains("panicked"), "{arguments:?}: {}", ran.stderr);
}

/// A fresh folder, and a log in it.
fn fresh() -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("log").to_str().unwrap().to_owned();
    (folder, log)
}

/// The batches in the folder of a log, by name, with their bytes.
fn batches(log: &str) -> BTreeMap<String, String> {
    let Ok(files) = fs::read_dir(log) else { return BTreeMap::new() };
    let named = files.map(|file| file.unwrap()).filter_map(|file| {
        let name = file.file_name().into_string().unwrap();
        // A name with `#` is a file under way.
        let is_batch = name.starts_with("batch_") && name.ends_with(".jsonl");
        is_batch.then(|| (name, fs::read_to_string(file.path()).unwrap()))
    });
    named.collect()
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < DEADLINE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

fn numbered(numbers: std::ops::Range<usize>) -> String {
    numbers.map(|n| format!("{{\"n\":{n}}}\n")).collect()
}

// What the commands print.

#[test]
fn a_session_appends_reads_compacts_and_counts() {
    let (_folder, log) = fresh();
    let (first, second) = (numbered(0..1000), numbered(1000..1010));
    let bytes = first.len() + second.len();
    let appended = ok(&["append", "--json", &log], &first);
    assert_eq!(appended, format!("{{\"events\":1000,\"batches\":1,\"bytes\":{}}}\n", first.len()));
    ok(&["append", &log], &second);
    assert_eq!(ok(&["read", &log], ""), format!("{first}{second}"));

    let stat = |log: &str| -> serde_json::Value {
        serde_json::from_str(&ok(&["stat", "--json", log], "")).unwrap()
    };
    let mut before = stat(&log);
    let times = [before["first_time"].take(), before["last_time"].take()];
    let expected = format!(
        r#"{{"events":1010,"batches":2,"segments":0,"bytes":{bytes},"objects":2,"generation":0,
            "uncounted_batches":0,"first_time":null,"last_time":null}}"#
    );
    assert_eq!(before, serde_json::from_str::<serde_json::Value>(&expected).unwrap());
    let times = times.map(|time| time.as_str().unwrap().to_owned());
    // 2025-01-31T12:00:00.000001Z
    assert!(times.iter().all(|time| time.len() == 27 && time.ends_with('Z')), "{times:?}");
    assert!(times[0] < times[1], "{times:?}");

    let compacted = ok(&["compact", "--json", &log], "");
    let segment = fs::read_dir(&log).unwrap().map(|file| file.unwrap().file_name()).find(|name| {
        let name = name.to_str().unwrap();
        name.starts_with("segment_") && name.ends_with(".jsonl")
    });
    let key = format!("log/{}", segment.unwrap().to_str().unwrap());
    let expected = format!("{{\"merged_files\":2,\"events\":1010,\"new_key\":\"{key}\"}}\n");
    assert_eq!(compacted, expected);
    assert_eq!(ok(&["read", &log], ""), format!("{first}{second}"));
    let after = format!(
        "{{\"events\":1010,\"batches\":0,\"segments\":1,\"bytes\":{bytes},\"objects\":3,\
         \"generation\":1,\"uncounted_batches\":0,\"first_time\":{:?},\"last_time\":{:?}}}\n",
        times[0], times[1]
    );
    assert_eq!(ok(&["stat", "--json", &log], ""), after);

    let nothing = "{\"merged_files\":0,\"events\":0,\"new_key\":null}\n";
    assert_eq!(ok(&["compact", "--json", &log], ""), nothing);
}

#[test]
fn summaries_for_people_leave_stdout_to_data() {
    let (_folder, log) = fresh();
    check(
        &["append", &log],
        &numbered(0..1234),
        0,
        &["1,234 events in 1 batch (12.17 KiB) appended"],
    );
    check(&["append", &log], "", 0, &["no events: nothing appended to"]);
    check(&["compact", &log], "", 0, &["nothing to compact: fewer than two batches"]);
    check(&["append", &log], "a\n", 0, &["1 event in 1 batch (2 B) appended"]);
    check(&["compact", &log], "", 0, &["2 batches (1,235 events) merged into log/segment_"]);
    for arguments in [["append", "-v"], ["compact", "-v"], ["append", "-q"], ["compact", "-q"]] {
        let ran = run_with(&[arguments[0], arguments[1], &log], b"b\n");
        assert_eq!(ran.stdout, "", "{arguments:?}");
        assert_eq!(ran.stderr.is_empty(), arguments[1] == "-q", "{arguments:?}: {}", ran.stderr);
    }
    let table = ok(&["stat", &log], "");
    assert!(table.contains("\nevents      1,237\n"), "{table}");
    assert!(ok(&["read", "-v", "--json", &log], "").ends_with("{\"n\":1233}\na\nb\nb\n"));
}

#[test]
fn old_batches_are_read_and_counted_as_uncounted() {
    let (_folder, log) = fresh();
    fs::create_dir(&log).unwrap();
    fs::write(Path::new(&log).join("batch_0001700000000000000.jsonl"), "old1\nold2").unwrap();
    ok(&["append", &log], "new\n");
    assert_eq!(ok(&["read", &log], ""), "old1\nold2\nnew\n");
    let table = ok(&["stat", &log], "");
    assert!(table.contains("1, and those of 1 batch whose names do not tell"), "{table}");
    assert!(table.contains("2023-11-14T22:13:20.000000Z"), "{table}");
}

#[test]
fn help_is_complete_and_completions_are_scripts() {
    let help = ok(&["--help"], "");
    for line in ["3    the store cannot", "4    damaged data", "130  interrupted", "STRATALOG_LOG"]
    {
        assert!(help.contains(line), "no {line:?} in: {help}");
    }
    let help = ok(&["append", "--help"], "");
    for part in ["[default: 1000000]", "[default: 4MiB]", "[default: 1s]", "[default: 1MiB]", "143"]
    {
        assert!(help.contains(part), "no {part:?} in: {help}");
    }
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(ok(&["completions", shell], "").contains("stratalog"), "{shell}");
    }
}

// What is appended.

#[test]
fn lines_of_files_and_stdin_are_appended_as_they_are() {
    let (folder, log) = fresh();
    let file = folder.path().join("crlf.txt");
    fs::write(&file, "a\r\nno line feed at the end").unwrap();
    let file = file.to_str().unwrap();
    ok(&["append", &log, file, "-", file], " b \n\u{e4}\u{0}\u{7}\nlast");
    let once = "a\r\nno line feed at the end\n";
    assert_eq!(ok(&["read", &log], ""), format!("{once} b \n\u{e4}\u{0}\u{7}\nlast\n{once}"));
}

#[test]
fn large_input_is_cut_into_batches_and_keeps_its_order() {
    let (folder, log) = fresh();
    let events = numbered(0..200_000);
    let file = folder.path().join("events.jsonl");
    fs::write(&file, &events).unwrap();
    let arguments = ["append", "--json", "--flush-bytes", "64KiB", &log, file.to_str().unwrap()];
    let report: serde_json::Value = serde_json::from_str(&ok(&arguments, "")).unwrap();
    assert_eq!(report["events"], 200_000);
    assert!(report["batches"].as_u64().unwrap() > 1, "{report}");
    assert!(ok(&["read", &log], "") == events);
}

#[test]
fn an_invalid_line_stops_after_what_came_before_it() {
    let (folder, log) = fresh();
    let file = folder.path().join("bad.txt");
    let long = "x".repeat(2_000_000);
    let table = [
        ("a\n\nb\n", 2, "the line is empty"),
        ("\n", 1, "the line is empty"),
        ("a\nb\n123456789\nc\n", 3, "the line is longer than --event-bytes-max, 8 bytes"),
        (&format!("a\n{long}\nb\n"), 2, "the line is longer than --event-bytes-max, 8 bytes"),
        (&format!("a\n{long}"), 2, "the line is longer than --event-bytes-max, 8 bytes"),
    ];
    let mut stored = String::new();
    for (input, line, reason) in table {
        fs::write(&file, input).unwrap();
        for (name, from) in [(file.to_str().unwrap(), file.to_str().unwrap()), ("<stdin>", "-")] {
            let arguments = ["append", "--event-bytes-max", "8", &log, from];
            check(&arguments, input, 5, &[&format!("error: {name}:{line}: {reason}")]);
            stored.extend(input.split_inclusive('\n').take(line - 1));
        }
    }
    assert_eq!(ok(&["read", &log], ""), stored);
}

#[test]
fn invalid_lines_are_left_out_and_counted_if_that_is_asked_for() {
    let (folder, log) = fresh();
    let long = "x".repeat(2_000_000);
    let input = format!("a\n\n\nb\n{long}\n12345678\n123456789\n{long}\nc\n{long}");
    let arguments = ["append", "--json", "--skip-invalid", "--event-bytes-max", "8", &log];
    let report = "{\"events\":4,\"batches\":1,\"bytes\":15,\"skipped\":6}\n";
    assert_eq!(ok(&arguments, &input), report);
    assert_eq!(ok(&["read", &log], ""), "a\nb\n12345678\nc\n");
    check(&["append", "--skip-invalid", &log], "a\n\n", 0, &["; 1 invalid line left out"]);
    // Each file has lines of its own, and -v names them.
    let file = folder.path().join("bad.txt");
    fs::write(&file, format!("a\n{long}\n\n")).unwrap();
    let file = file.to_str().unwrap();
    let arguments = ["append", "-v", "--skip-invalid", "--event-bytes-max", "8", &log, file, file];
    let ran = run_with(&arguments, b"");
    for line in [2, 3] {
        let named = ran.stderr.matches(&format!("info: left out {file}:{line}: ")).count();
        assert_eq!(named, 2, "{}", ran.stderr);
    }
}

#[test]
fn many_invalid_lines_cost_no_more_than_their_bytes() {
    let (_folder, log) = fresh();
    let arguments = ["append", "--json", "--skip-invalid", &log];
    let report = ok(&arguments, &format!("{}a\n", "\n".repeat(2_000_000)));
    assert_eq!(report, "{\"events\":1,\"batches\":1,\"bytes\":2,\"skipped\":2000000}\n");
}

#[test]
fn a_slow_pipe_gets_its_events_to_the_log() {
    let (_folder, log) = fresh();
    let mut child = stratalog(&["append", "--flush-interval", "20ms", &log]).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    for n in 1..=3 {
        input.write_all(b"event\n").unwrap();
        until("a batch", || batches(&log).len() == n);
    }
    drop(input);
    assert_eq!(Ran::from(child.wait_with_output().unwrap()).code, 0);
}

// What goes wrong.

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
    let table: Vec<(Vec<&str>, i32, Vec<&str>)> = vec![
        (vec!["append", "ftp://host/log"], 5, vec!["\"ftp\" is not known", "s3://BUCKET/NAME"]),
        (vec!["append", "s3:///log"], 5, vec!["names no usable bucket"]),
        (vec!["append", "s3://bucket"], 5, vec!["names no log"]),
        (vec!["append", "s3://bucket/../log"], 5, vec!["`..` segment"]),
        (vec!["append", "s3://me:secret@bucket/log"], 5, vec!["user or a password"]),
        (vec!["append", &up], 5, vec!["`..` segment"]),
        (vec!["append", ""], 5, vec!["the location is empty"]),
        (vec!["append", s3], 3, vec!["no credentials for s3://bucket", "AWS_ACCESS_KEY_ID"]),
        (vec!["append", &below_file], 3, vec!["Not a directory"]),
        (vec!["append", &log, &missing], 5, vec!["cannot open", "missing: No such file"]),
        (vec!["append", &log, "/"], 5, vec!["cannot open /", "directory"]),
        (vec!["read", &missing], 5, vec!["there is no log at", "missing"]),
        (vec!["compact", &missing], 5, vec!["there is no log at"]),
        (vec!["stat", &file], 5, vec!["is a file"]),
        (vec!["read", "memory:log"], 5, vec!["a log in memory ends with its command"]),
        (vec!["append", "--store-option", "secret", s3], 5, vec!["store option 1", "key=value"]),
        (vec!["append", "--store-option", "retry_max=x", s3], 5, vec!["\"retry_max\"", "0 to 100"]),
        (
            vec!["append", "--store-option", "aws_regoin=x", s3],
            5,
            vec!["\"aws_regoin\"", "aws_region"],
        ),
        (vec!["append", "--store-option", "aws_region=x", &log], 5, vec!["takes none"]),
        (vec!["append", "--flush-threshold", "0", &log], 5, vec!["flush_threshold = 0", "1000000"]),
        (vec!["append", "--event-bytes-max", "17MiB", &log], 5, vec!["17825792", "16777216"]),
        (vec!["append", "--flush-interval", "25h", &log], 5, vec!["out of range"]),
        (vec!["append", "--flush-bytes", "4MB", &log], 2, vec!["--flush-bytes", "as in 64KiB"]),
        (vec!["append", "--flush-interval", "2", &log], 2, vec!["--flush-interval", "as in 500ms"]),
        (vec!["stat", "--component", &missing, &log], 5, vec!["cannot read the component"]),
        (vec!["stat", "--no-cache", &log], 2, vec!["--cache-dir"]),
        (vec!["follow", &log], 2, vec!["unrecognized subcommand"]),
        (vec!["append"], 2, vec!["<LOG>"]),
    ];
    for (arguments, code, words) in table {
        check(&arguments, "b\n", code, &words);
    }
    assert_eq!(ok(&["read", &log], ""), "a\n");
}

#[test]
fn errors_are_one_line_and_hold_no_secret() {
    let (_folder, log) = fresh();
    for arguments in [
        ["append", "--store-option=aws_secret_access_key=hush", "s3://bucket/log"],
        ["append", "--store-option=hush", &log],
        ["append", "-q", "https://user:hush@example.com/log"],
    ] {
        let ran = run_with(&arguments, b"a\n");
        assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        assert!(!ran.stderr.contains("hush"), "{}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
}

#[test]
fn a_component_that_is_none_is_refused() {
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
fn a_damaged_object_is_named_after_what_stands_before_it() {
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
fn a_closed_pipe_ends_a_read_quietly() {
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
fn a_full_disk_behind_stdout_is_a_failure() {
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

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_made_leaves_the_events_unwritten() {
    let words = ["not written: the last 3 of 3 events", "/proc/stratalog"];
    check(&["append", "/proc/stratalog/log"], "a\nb\nc\n", 3, &words);
}

// A store on the network that misbehaves.

/// Answers listings of an S3 bucket as empty, and creates by `put`: a status line, or never.
fn bucket(put: Option<&'static str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            thread::spawn(move || answer(connection.unwrap(), put));
        }
    });
    format!("http://{address}")
}

fn answer(mut connection: TcpStream, put: Option<&'static str>) {
    let mut requests = BufReader::new(connection.try_clone().unwrap());
    let mut line = String::new();
    while requests.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
        let is_list = line.starts_with("GET ");
        let mut body_bytes = 0;
        while line.trim() != "" {
            line.clear();
            requests.read_line(&mut line).unwrap();
            if let Some(length) = line.to_lowercase().strip_prefix("content-length:") {
                body_bytes = length.trim().parse().unwrap();
            }
        }
        line.clear();
        std::io::copy(&mut (&mut requests).take(body_bytes), &mut std::io::sink()).unwrap();
        let (status, body) = match put {
            _ if is_list => ("200 OK", "<ListBucketResult><Name>b</Name></ListBucketResult>"),
            Some(status) => (status, ""),
            // Keeps the connection open and says nothing.
            None => loop {
                thread::park();
            },
        };
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", body.len());
        if connection.write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}

fn append_to_bucket(endpoint: &str) -> Command {
    let endpoint = format!("aws_endpoint={endpoint}");
    let options = [&endpoint, "allow_http=true", "aws_region=local", "retry_max=0"];
    let mut arguments = vec!["append", "--flush-interval", "0", "s3://bucket/log"];
    arguments.extend(options.iter().flat_map(|option| ["--store-option", option]));
    let mut command = stratalog(&arguments);
    command.env("AWS_ACCESS_KEY_ID", "key").env("AWS_SECRET_ACCESS_KEY", "hush");
    command
}

fn finish(mut child: Child, stdin: &[u8]) -> Ran {
    child.stdin.take().unwrap().write_all(stdin).ok();
    child.wait_with_output().unwrap().into()
}

#[test]
fn a_store_that_refuses_or_is_not_there_leaves_the_events_unwritten() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let table = [
        (format!("http://{nobody}"), vec!["error: cannot append to s3://bucket/log", "list"]),
        (bucket(Some("403 Forbidden")), vec!["not written: the last 2 of 2 events", "credentials"]),
        (bucket(Some("500 Oops")), vec!["perhaps not written: the last 2 of 2 events", "batch_"]),
    ];
    for (endpoint, words) in table {
        let ran = finish(append_to_bucket(&endpoint).spawn().unwrap(), b"a\nb\n");
        assert_eq!(ran.code, 3, "{}", ran.stderr);
        for word in words {
            assert!(ran.stderr.contains(word), "no {word:?} in: {}", ran.stderr);
        }
        assert_eq!(ran.stdout, "");
        assert!(!ran.stderr.contains("hush"), "{}", ran.stderr);
    }
}

// Signals.

#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    let kill = format!("kill -{name} {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

/// Waits for a line on the command's stderr that contains these words.
fn wait_for_line(stderr: &mut impl std::io::BufRead, words: &str) {
    let mut line = String::new();
    while !line.contains(words) {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "stderr ended without {words:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_signal_flushes_what_was_read() {
    for (name, code) in [("TERM", 143), ("INT", 130)] {
        let (_folder, log) = fresh();
        let mut child = stratalog(&["append", "--json", "--flush-interval", "0", &log])
            .env("STRATALOG_LOG", "stratalog=debug")
            .spawn()
            .unwrap();
        // Small enough to arrive as one.
        let mut input = child.stdin.take().unwrap();
        input.write_all(format!("{}incomplete", numbered(0..100)).as_bytes()).unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        wait_for_line(&mut stderr, "took 100 events");
        assert_eq!(batches(&log).len(), 0);
        signal(&child, name);
        wait_for_line(&mut stderr, "<stdin>:101: left out 10 bytes of a line without its end");
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert_eq!(ran.code, code);
        assert_eq!(ran.stdout, "{\"events\":100,\"batches\":1,\"bytes\":890}\n");
        assert_eq!(ok(&["read", &log], ""), numbered(0..100));
        drop(input);
    }
}

#[cfg(unix)]
#[test]
fn a_second_signal_does_not_wait_for_a_store_that_hangs() {
    let mut child =
        append_to_bucket(&bucket(None)).env("STRATALOG_LOG", "stratalog=debug").spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"event\n").unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    wait_for_line(&mut stderr, "took 1 events");
    signal(&child, "TERM");
    wait_for_line(&mut stderr, "another signal ends at once");
    signal(&child, "INT");
    wait_for_line(&mut stderr, "error: ended without waiting for the store");
    assert_eq!(Ran::from(child.wait_with_output().unwrap()).code, 130);
    drop(input);
}

#[cfg(unix)]
#[test]
fn a_killed_append_leaves_whole_batches_and_all_that_were_flushed() {
    for round in 0..30 {
        let (_folder, log) = fresh();
        let (lines_min, batches_min) = (round * 997, round % 6);
        let mut child = stratalog(&["append", "--flush-interval", "5ms", &log]).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut fed = String::new();
        let mut lines = 0;
        // The last line is cut, as likely as not.
        until("batches", || {
            let some = numbered(lines..lines + 83);
            lines += 83;
            input.write_all(some.as_bytes()).unwrap();
            fed.push_str(&some);
            lines > lines_min && batches(&log).len() >= batches_min
        });
        input.write_all(b"{\"cut\":").unwrap();
        let flushed: String = batches(&log).into_values().collect();
        child.kill().unwrap();
        child.wait().unwrap();

        let context = format!("round {round}, {lines} lines fed");
        fs::create_dir_all(&log).unwrap();
        let read = ok(&["read", &log], "");
        assert!(read.is_empty() || read.ends_with('\n'), "{context}: a cut event");
        assert!(fed.starts_with(&read), "{context}: not what was fed");
        assert!(read.starts_with(&flushed), "{context}: a flushed batch is lost");
        // What the killed one left does not disturb the next.
        ok(&["append", &log], "next\n");
        ok(&["compact", &log], "");
        assert_eq!(ok(&["read", &log], ""), format!("{read}next\n"), "{context}");
    }
}
