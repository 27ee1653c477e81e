//! Appends that end before their input does: by a failing store, a signal, a kill.

use std::collections::BTreeMap;
use std::io::{BufReader, Write as _};
use std::net::TcpListener;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rig::waits::until;

use crate::binary::{
    Ran, batches, can_end, fresh, numbered, ok, signal, signal_twice, stratalog, wait_for_line,
};
use crate::bucket::{self, Answer};

/// Serves an S3 bucket: listings are empty, and creates get the given answer.
fn bucket(put: Answer) -> String {
    bucket::serve(move |request| if request.starts_with("GET ") { bucket::EMPTY } else { put })
}

fn append_to_bucket(endpoint: &str) -> Command {
    let endpoint = format!("aws_endpoint={endpoint}");
    let options = [&endpoint, "allow_http=true", "aws_region=local"];
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
fn store_that_refuses_or_is_not_there_leaves_the_events_unwritten() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let table = [
        (format!("http://{nobody}"), vec!["error: cannot append to s3://bucket/log", "list"]),
        (
            bucket(Answer::Status("403 Forbidden")),
            vec!["the store does not have the last 2 of 2 events", "credentials"],
        ),
        (
            bucket(Answer::Status("500 Oops")),
            vec!["the store may not have the last 2 of 2 events", "batch_"],
        ),
    ];
    for (endpoint, words) in table {
        let mut command = append_to_bucket(&endpoint);
        let ran = finish(command.args(["--retry-max", "0"]).spawn().unwrap(), b"a\nb\n");
        assert_eq!(ran.code, 3, "{}", ran.stderr);
        for word in words {
            assert!(ran.stderr.contains(word), "no {word:?} in: {}", ran.stderr);
        }
        assert_eq!(ran.stdout, "");
        assert!(!ran.stderr.contains("hush"), "{}", ran.stderr);
    }
}

/// Signals that end a command in good order, and the exit codes for them.
#[cfg(unix)]
const SIGNALS: [(&str, i32); 8] = [
    ("INT", 130),
    ("TERM", 143),
    ("HUP", 129),
    ("QUIT", 131),
    ("ALRM", 142),
    ("USR1", 138),
    ("USR2", 140),
    ("XCPU", 152),
];

#[cfg(unix)]
#[test]
fn signal_flushes_events_that_were_read() {
    for (name, code) in SIGNALS.into_iter().filter(|(name, _)| can_end(name)) {
        let (_folder, log) = fresh();
        let mut child =
            stratalog(&["append", "--json", "--flush-interval", "0", "--grace", "10m", &log])
                .env("STRATALOG_LOG", "stratalog=debug")
                .spawn()
                .unwrap();
        // Small enough to arrive in one piece.
        let mut input = child.stdin.take().unwrap();
        input.write_all(format!("{}incomplete", numbered(0..100)).as_bytes()).unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        wait_for_line(&mut stderr, "took 100 events");
        assert_eq!(batches(&log).len(), 0);
        // A closing terminal signals twice, and so does `timeout`.
        signal_twice(&child, name);
        wait_for_line(&mut stderr, "<stdin>:101: discarded an incomplete last line (10 bytes)");
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert_eq!(ran.code, code);
        assert_eq!(ran.stdout, "{\"events\":100,\"batches\":1,\"bytes\":890,\"blank_lines\":0}\n");
        assert_eq!(ok(&["read", &log], ""), numbered(0..100));
        drop(input);
    }
}

#[cfg(unix)]
#[test]
fn signal_before_the_store_answers_is_reported_as_any_other_end() {
    let asked = Arc::new(AtomicU32::new(0));
    let asking = asked.clone();
    let endpoint = bucket::serve(move |_| {
        asking.fetch_add(1, Ordering::SeqCst);
        Answer::Never
    });
    for (option, stdout, stderr) in [
        ("--binary", "", "no events: nothing appended to s3://bucket/log\n"),
        ("--json", "{\"events\":0,\"batches\":0,\"bytes\":0,\"blank_lines\":0}\n", ""),
    ] {
        let before = asked.load(Ordering::SeqCst);
        let child = append_to_bucket(&endpoint).arg(option).spawn().unwrap();
        until("a request", || asked.load(Ordering::SeqCst) > before);
        signal(&child, "TERM");
        let ran = Ran::from(child.wait_with_output().unwrap());
        let said = (ran.code, ran.stdout.as_str(), ran.stderr.as_str());
        assert_eq!(said, (143, stdout, stderr), "{option}");
    }
}

#[cfg(unix)]
#[test]
fn second_signal_does_not_wait_for_a_store_that_hangs() {
    let mut child = append_to_bucket(&bucket(Answer::Never))
        .args(["--grace", "1h"])
        .env("STRATALOG_LOG", "stratalog=debug")
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"event\n").unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    wait_for_line(&mut stderr, "took 1 event ");
    signal(&child, "TERM");
    wait_for_line(&mut stderr, "ending: waiting up to 3600 s for the store");
    // An additional hangup is no request to lose events.
    signal(&child, "HUP");
    until("the other signal is its own", || {
        signal(&child, "INT");
        child.try_wait().unwrap().is_some()
    });
    wait_for_line(&mut stderr, "error: ended without waiting for the store");
    assert_eq!(Ran::from(child.wait_with_output().unwrap()).code, 130);
    drop(input);
}

/// A create that succeeds.
const CREATED: Answer = Answer::Status("200 OK\r\nETag: \"1\"");

#[cfg(unix)]
#[test]
fn signal_while_the_store_hangs_reports_unconfirmed_events() {
    let table = [("INT", 130, 1), ("INT", 130, 700_000), ("TERM", 143, 1), ("HUP", 129, 700_000)];
    for (name, code, pending) in table.into_iter().filter(|(name, ..)| can_end(name)) {
        let creates = AtomicU32::new(0);
        let endpoint = bucket::serve(move |request| match request.starts_with("GET ") {
            true => bucket::EMPTY,
            false if creates.fetch_add(1, Ordering::SeqCst) == 0 => CREATED,
            false => Answer::Never,
        });
        let mut command = append_to_bucket(&endpoint);
        command.args(["--flush-threshold", "2"]).env("STRATALOG_LOG", "stratalog=debug");
        let mut child = command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(numbered(0..2).as_bytes()).unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        wait_for_line(&mut stderr, "took 2 events");
        // A large number, so that the signal comes while the log accepts no more.
        let feeding = std::thread::spawn(move || {
            let _ = input.write_all(numbered(2..2 + pending).as_bytes());
            input
        });
        wait_for_line(&mut stderr, "took ");
        signal(&child, name);
        wait_for_line(&mut stderr, "error: ended without waiting for the store: the last ");
        assert_eq!(child.wait().unwrap().code(), Some(code));
        drop(feeding.join());
    }
}

#[cfg(unix)]
#[test]
fn interrupted_append_counts_confirmed_events() {
    let creates = AtomicU32::new(0);
    let endpoint = bucket::serve(move |request| match request.starts_with("GET ") {
        true => bucket::EMPTY,
        false if creates.fetch_add(1, Ordering::SeqCst) < 2 => CREATED,
        false => Answer::Never,
    });
    let mut command = append_to_bucket(&endpoint);
    command.args(["--flush-threshold", "2"]).env("STRATALOG_LOG", "stratalog=debug");
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(numbered(0..5).as_bytes()).unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    wait_for_line(&mut stderr, "took 1 event ");
    signal(&child, "INT");
    wait_for_line(&mut stderr, "the last 1 of 5 events read");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    drop(input);
}

#[cfg(unix)]
#[test]
fn longer_grace_lets_a_slow_store_confirm_events() {
    let (release, released) = std::sync::mpsc::channel();
    let released = std::sync::Mutex::new(released);
    let endpoint = bucket::serve(move |request| match request.starts_with("GET ") {
        true => bucket::EMPTY,
        false => {
            released.lock().unwrap().recv().unwrap();
            CREATED
        }
    });
    let mut command = append_to_bucket(&endpoint);
    command.args(["--grace", "10m"]).env("STRATALOG_LOG", "stratalog=debug");
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"event\n").unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    wait_for_line(&mut stderr, "took 1 event ");
    signal(&child, "TERM");
    wait_for_line(&mut stderr, "ending: waiting up to 600 s for the store");
    release.send(()).unwrap();
    wait_for_line(&mut stderr, "1 event in 1 batch");
    assert_eq!(child.wait().unwrap().code(), Some(143));
    drop(input);
}

#[test]
fn store_that_hangs_is_reported_and_abandoned() {
    // The timeout is so late that the message comes first, even on a busy machine.
    let mut command = append_to_bucket(&bucket(Answer::Never));
    let mut child = command.args(["--timeout", "4m"]).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"a\nb\n").unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    wait_for_line(&mut stderr, "waiting for s3://bucket: create \"log/batch_");
    child.kill().unwrap();
    child.wait().unwrap();

    // Nothing else ends the command: the server does not close the connection.
    for quiet in [&[][..], &["--quiet"]] {
        let mut command = append_to_bucket(&bucket(Answer::Never));
        command.args(["--timeout", "3s"]).args(quiet);
        let ran = finish(command.spawn().unwrap(), b"a\nb\n");
        assert_eq!(ran.code, 3, "{}", ran.stderr);
        for words in
            ["the store may not have the last 2 of 2 events", "not done within 3s, in 1 attempt"]
        {
            assert!(ran.stderr.contains(words), "no {words:?} in: {}", ran.stderr);
        }
        assert!(quiet.is_empty() || !ran.stderr.contains("waiting"), "{}", ran.stderr);
    }
}

#[test]
fn requests_are_repeated_as_often_as_asked_for() {
    for (options, expected) in [(&["--retry-max", "2"][..], 3), (&["--retry-max", "0"][..], 1)] {
        let requests = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&requests);
        let endpoint = bucket::serve(move |request| match request.starts_with("GET ") {
            true => bucket::EMPTY,
            false => {
                counter.fetch_add(1, Ordering::SeqCst);
                Answer::Status("503 Slow Down")
            }
        });
        let ran = finish(append_to_bucket(&endpoint).args(options).spawn().unwrap(), b"a\n");
        assert_eq!(ran.code, 3, "{}", ran.stderr);
        assert!(ran.stderr.contains("the store may not have the last"), "{}", ran.stderr);
        assert_eq!(requests.load(Ordering::SeqCst), expected, "{}", ran.stderr);
    }
}

/// The lines of one writer's batches up to the first that is missing.
#[cfg(unix)]
fn without_gap(batches: BTreeMap<String, String>) -> String {
    let is_next = |(at, (name, _)): &(usize, (String, String))| {
        name.split('_').nth(3) == Some(at.to_string().as_str())
    };
    batches.into_iter().enumerate().take_while(is_next).map(|(_, (_, lines))| lines).collect()
}

#[cfg(unix)]
#[test]
fn killed_append_leaves_whole_batches_and_all_that_were_flushed() {
    for round in 0..30 {
        let (_folder, log) = fresh();
        let (lines_min, batches_min) = (round * 997, round % 6);
        let mut child = stratalog(&["append", "--flush-interval", "5ms", &log]).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut fed = String::new();
        let mut lines = 0;
        // The last line is likely cut.
        until("batches", || {
            let some = numbered(lines..lines + 83);
            lines += 83;
            input.write_all(some.as_bytes()).unwrap();
            fed.push_str(&some);
            lines > lines_min && batches(&log).len() >= batches_min
        });
        input.write_all(b"{\"cut\":").unwrap();
        let flushed = without_gap(batches(&log));
        child.kill().unwrap();
        child.wait().unwrap();

        let context = format!("round {round}, {lines} lines fed");
        // Before its first batch there is no log.
        let read = match batches(&log).is_empty() {
            true => String::new(),
            false => ok(&["read", &log], ""),
        };
        assert!(read.is_empty() || read.ends_with('\n'), "{context}: a cut event");
        assert!(fed.starts_with(&read), "{context}: not what was fed");
        assert!(read.starts_with(&flushed), "{context}: a flushed batch is lost");
        // The remains of the killed process do not disturb the next.
        ok(&["append", &log], "next\n");
        ok(&["compact", &log], "");
        assert_eq!(ok(&["read", &log], ""), format!("{read}next\n"), "{context}");
    }
}
