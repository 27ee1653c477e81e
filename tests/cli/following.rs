//! The last events, and future ones.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rig::waits::until;

use crate::binary::{Ran, check, fresh, numbered, ok, signal, stratalog, wait_for_line};
use crate::bucket::{self, Answer};

/// Starts a command that follows a log; returns it and its printed lines.
fn follow(mut command: Command) -> (Child, impl FnMut() -> String) {
    let mut child = command.spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let next = move || {
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        line
    };
    (child, next)
}

#[test]
fn last_events_are_printed() {
    let (_folder, log) = fresh();
    ok(&["append", &log], &numbered(0..20));
    for _ in 0..2 {
        assert_eq!(ok(&["tail", &log], ""), numbered(10..20));
        assert_eq!(ok(&["tail", "-n", "3", &log], ""), numbered(17..20));
        assert_eq!(ok(&["tail", "--lines", "20", &log], ""), numbered(0..20));
        assert_eq!(ok(&["tail", "-n", "1000000", &log], ""), numbered(0..20));
        ok(&["append", &log], "");
        ok(&["compact", "--full", &log], "");
    }
    // In the same form as the tail of files.
    for arguments in [&["tail", "-3"][..], &["tail", "-n", "-3"], &["tail", "-n3"]] {
        assert_eq!(ok(&[arguments, &[&log]].concat(), ""), numbered(17..20), "{arguments:?}");
    }
    assert_eq!(ok(&["--retry-max", "3", "tail", &log, "-3"], ""), numbered(17..20));
    assert_eq!(ok(&["tail", "-n", "0", &log], ""), "");
    // A part of a segment, and all of the batches behind it.
    ok(&["append", &log], &numbered(20..22));
    ok(&["append", &log], &numbered(22..24));
    assert_eq!(ok(&["tail", "-n", "6", &log], ""), numbered(18..24));
}

#[test]
fn events_from_a_number_on_are_those_that_are_left() {
    let (_folder, log) = fresh();
    ok(&["append", "--flush-threshold", "4", &log], &numbered(0..10));
    let from = |number: &str| ok(&["tail", "-n", number, &log], "");
    for _ in 0..2 {
        assert_eq!(from("+0"), numbered(0..10));
        assert_eq!(from("+1"), numbered(0..10));
        assert_eq!(from("+3"), numbered(2..10));
        assert_eq!(from("+9"), numbered(8..10));
        assert_eq!(from("+11"), "");
        ok(&["compact", "--full", &log], "");
    }
    ok(&["trim", "--before-position", "5", &log], "");
    assert_eq!(from("+3"), numbered(7..10));
}

#[cfg(unix)]
#[test]
fn tail_from_a_number_on_starts_at_that_event() {
    let (_folder, log) = fresh();
    ok(&["append", &log], &numbered(0..2));
    let (child, mut next) = follow(stratalog(&["tail", "-f", "-n", "+4", &log]));
    ok(&["append", &log], &numbered(2..6));
    assert_eq!(next() + &next() + &next(), numbered(3..6));
    signal(&child, "INT");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
}

#[test]
fn tail_of_no_log_or_by_a_bad_number_is_refused() {
    let (_folder, log) = fresh();
    check(&["tail", &log], "", 5, &["there is no log at"]);
    ok(&["append", &log], "a\n");
    check(&["tail", "-n", "0", &format!("{log}-missing")], "", 5, &["there is no log at"]);
    for number in ["x", "1k", "+", "--1", ""] {
        check(&["tail", "-n", number, &log], "", 2, &["--lines", "or +5 to begin at the fifth"]);
    }
    check(&["read", "-5", &log], "", 2, &["-5"]);
}

#[cfg(unix)]
#[test]
fn followed_log_shows_events_that_others_flush() {
    let (_folder, log) = fresh();
    ok(&["append", &log], &numbered(0..5));
    let (child, mut next) = follow(stratalog(&["tail", "-f", "-n", "2", &log]));
    assert_eq!(next() + &next(), numbered(3..5));
    for n in 5..15 {
        ok(&["append", &log], &numbered(n..n + 1));
        assert_eq!(next(), numbered(n..n + 1));
        if n % 4 == 0 {
            ok(&["compact", &log], "");
        }
    }
    signal(&child, "INT");
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.stderr.as_str()), (130, ""));
}

#[cfg(unix)]
#[test]
fn signal_ends_it_quietly_even_while_nobody_reads() {
    let (_folder, log) = fresh();
    // More than a pipe holds, so it is stuck in a write.
    ok(&["append", &log], &numbered(0..100_000));
    let (child, mut next) = follow(stratalog(&["tail", "-f", "-n", "90000", &log]));
    assert_eq!(next(), numbered(10_000..10_001));
    signal(&child, "TERM");
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.stderr.as_str()), (143, ""));
}

#[test]
fn tail_since_a_time_prints_from_there_on() {
    let (_folder, log) = fresh();
    ok(&["append", &log], &numbered(0..5));
    assert_eq!(ok(&["tail", "--since", "1h", &log], ""), numbered(0..5));
    assert_eq!(ok(&["tail", "--since", "2100-01-01", &log], ""), "");
    check(&["tail", "--since", "1h", "-n", "3", &log], "", 2, &["--since", "--lines"]);
}

/// A follower that is killed repeats at most its last page; one that is stopped repeats nothing.
#[cfg(unix)]
#[test]
fn follower_with_a_position_continues_where_it_ended() {
    let (folder, log) = fresh();
    let file = folder.path().join("position").display().to_string();
    let mut appended = 0;
    for kept in [["--position-file", &file], ["--position-name", "job"]] {
        // Where the next one begins: at the latest there, and at the earliest.
        let (mut at_most, mut at_least) = (0, 0);
        for round in 0..20 {
            ok(&["append", &log], &numbered(appended..appended + 2));
            appended += 2;
            let command = [&["read", "-f"], &kept[..], &[&log]].concat();
            let (mut child, mut next) = follow(stratalog(&command));
            let newest = numbered(appended - 1..appended);
            let mut printed = String::new();
            while !printed.ends_with(&newest) {
                let line = next();
                assert!(!line.is_empty(), "{printed}");
                printed += &line;
            }
            let first =
                printed.lines().next().and_then(|line| line[5..line.len() - 1].parse().ok());
            let first: usize = first.unwrap();
            assert!((at_least..=at_most).contains(&first), "{first}: {at_least} to {at_most}");
            assert_eq!(printed, numbered(first..appended));
            if round % 3 == 0 {
                ok(&["compact", "--full", &log], "");
            }
            let is_stopped = round % 2 == 0;
            signal(&child, if is_stopped { "TERM" } else { "KILL" });
            child.wait().unwrap();
            at_most = appended;
            at_least = if is_stopped { appended } else { first };
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn closed_pipe_ends_a_tail_without_new_events() {
    let (_folder, log) = fresh();
    ok(&["append", &log], &numbered(0..5));
    let (child, mut next) = follow(stratalog(&["tail", "-f", "-n", "1", &log]));
    assert_eq!(next(), numbered(4..5));
    drop(next);
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

#[cfg(unix)]
#[test]
fn tail_of_zero_lines_shows_future_events_only() {
    let (_folder, log) = fresh();
    ok(&["append", &log], &numbered(0..5));
    let (mut child, mut next) = follow(stratalog(&["tail", "-f", "-n", "0", &log]));
    // The command has begun after its first load, which nothing reports: events flushed before
    // count as stored. The test therefore flushes until an event comes.
    let mut flushed = 5;
    let lines = std::thread::scope(|scope| {
        let line = scope.spawn(&mut next);
        until("an event", || {
            ok(&["append", &log], &numbered(flushed..flushed + 1));
            flushed += 1;
            line.is_finished()
        });
        line.join().unwrap()
    });
    let shown: usize = lines.trim_start_matches("{\"n\":").trim_end_matches("}\n").parse().unwrap();
    assert!((5..flushed).contains(&shown), "{lines}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[cfg(unix)]
#[test]
fn log_that_is_not_there_yet_is_waited_for() {
    let (_folder, log) = fresh();
    let (mut child, mut next) = follow(stratalog(&["tail", "-f", &log]));
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    wait_for_line(
        &mut stderr,
        &format!("there is no log at {log} yet: waiting for the first events"),
    );
    ok(&["append", &log], &numbered(0..2));
    assert_eq!(next() + &next(), numbered(0..2));
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut stderr, &mut rest).unwrap();
    assert_eq!(rest, "", "it is said once");
}

#[cfg(unix)]
#[test]
fn absent_store_is_reported_once_and_retried() {
    let lists = Arc::new(AtomicUsize::new(0));
    let counted = lists.clone();
    let endpoint = bucket::serve(move |_| match counted.fetch_add(1, Ordering::SeqCst) {
        0..3 => Answer::Status("503 Slow Down"),
        _ => bucket::EMPTY,
    });
    let endpoint = format!("aws_endpoint={endpoint}");
    let options = [&endpoint, "allow_http=true", "aws_region=local", "retry_max=0"];
    let mut arguments = vec!["tail", "-f", "s3://bucket/log"];
    arguments.extend(options.iter().flat_map(|option| ["--store-option", option]));
    let mut command = stratalog(&arguments);
    command.env("AWS_ACCESS_KEY_ID", "key").env("AWS_SECRET_ACCESS_KEY", "hush");
    let mut child = command.spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    wait_for_line(&mut stderr, "cannot read s3://bucket/log, retrying: ");
    until("looks that succeed", || lists.load(Ordering::SeqCst) > 6);
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(143));
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut stderr, &mut rest).unwrap();
    assert!(!rest.contains("cannot read"), "{rest}");

    // An error that waiting does not cure ends the command.
    let endpoint = bucket::serve(|_| Answer::Status("403 Forbidden"));
    let endpoint = format!("aws_endpoint={endpoint}");
    let mut arguments = vec!["tail", "-f", "s3://bucket/log", "--store-option", &endpoint];
    arguments.extend(options[1..].iter().flat_map(|option| ["--store-option", option]));
    let mut command = stratalog(&arguments);
    command.env("AWS_ACCESS_KEY_ID", "key").env("AWS_SECRET_ACCESS_KEY", "hush");
    let ran = Ran::from(command.output().unwrap());
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("error: cannot read s3://bucket/log: "), "{}", ran.stderr);
}
