//! Signals end every command in every wait, also as process 1.
//!
//! The awaited event does not come, so only an end by the signal has the signal's code. The limit
//! of one second is asserted where those times are set, when the product is compiled.

#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rig::waits::until;

use crate::binary::{
    Ran, can_end, end_of, fresh, numbered, ok, signal, signal_process, stratalog, wait_for_line,
};
#[cfg(target_os = "linux")]
use crate::binary::{as_process_1, only_child_of, skipped};
use crate::bucket::{self, Answer};
use crate::commands::on_logs;

const SIGNALS: [(&str, i32); 3] = [("INT", 130), ("TERM", 143), ("HUP", 129)];

/// Returns every command that waits for a store, without its log.
fn waiting_commands() -> Vec<Vec<String>> {
    let mut commands = on_logs();
    commands.push(["tail", "-f"].map(str::to_owned).into());
    commands
}

/// Returns a command on a bucket that never answers, and a flag that is set by its first request.
fn waiting(command: &[String]) -> (Command, Arc<AtomicBool>) {
    let asked = Arc::new(AtomicBool::new(false));
    let asking = asked.clone();
    let endpoint = bucket::serve(move |_| {
        asking.store(true, Ordering::SeqCst);
        Answer::Never
    });
    let endpoint = format!("aws_endpoint={endpoint}");
    let mut arguments: Vec<&str> = command.iter().map(String::as_str).collect();
    arguments.push("s3://bucket/log");
    for option in [&endpoint, "allow_http=true", "aws_region=local"] {
        arguments.extend(["--store-option", option]);
    }
    let mut command = stratalog(&arguments);
    command.env("AWS_ACCESS_KEY_ID", "key").env("AWS_SECRET_ACCESS_KEY", "hush");
    (command, asked)
}

/// Signals a waiting command, which must end with the signal's code.
fn is_ended_by(mut child: Child, process: u32, signal: &str, code: i32, context: &str) {
    signal_process(process, signal);
    end_of(&mut child);
    assert_eq!(Ran::from(child.wait_with_output().unwrap()).code, code, "{context}: {signal}");
}

#[test]
fn signal_ends_every_command_while_the_store_does_not_answer() {
    for command in waiting_commands() {
        for (name, code) in SIGNALS.into_iter().filter(|(name, _)| can_end(name)) {
            let context = format!("{command:?}: {name}");
            let (mut command, asked) = waiting(&command);
            let child = command.spawn().unwrap();
            until("a request", || asked.load(Ordering::SeqCst));
            let process = child.id();
            is_ended_by(child, process, name, code, &context);
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn signal_ends_every_command_as_process_1() {
    for command in waiting_commands() {
        for (name, code) in SIGNALS.into_iter().filter(|(name, _)| can_end(name)) {
            let context = format!("{command:?}: {name}");
            let (command, asked) = waiting(&command);
            let mut command = match as_process_1(&command) {
                Ok(command) => command,
                Err(reason) => return skipped("a command as process 1", &reason),
            };
            let child = command.spawn().unwrap();
            until("a request", || asked.load(Ordering::SeqCst));
            let process = only_child_of(child.id());
            is_ended_by(child, process, name, code, &context);
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn events_that_were_read_are_flushed_as_process_1() {
    for (name, code) in SIGNALS.into_iter().filter(|(name, _)| can_end(name)) {
        let (_folder, log) = fresh();
        let mut append = stratalog(&["append", "--flush-interval", "0", "--grace", "10m", &log]);
        append.env("STRATALOG_LOG", "stratalog=debug");
        let mut append = match as_process_1(&append) {
            Ok(append) => append,
            Err(reason) => return skipped("append as process 1", &reason),
        };
        let mut child = append.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(numbered(0..100).as_bytes()).unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        wait_for_line(&mut stderr, "took 100 events");
        signal_process(only_child_of(child.id()), name);
        wait_for_line(&mut stderr, "100 events in 1 batch");
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert_eq!(ok(&["read", &log], ""), numbered(0..100));
        drop(input);
    }
}

#[test]
fn hangup_is_ignored_where_it_was_so_at_the_start() {
    let (_folder, log) = fresh();
    let append = stratalog(&["append", "--flush-interval", "0", "--grace", "10m", &log]);
    // The way of `nohup`.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP; exec \"$0\" \"$@\""]);
    command.arg(append.get_program()).args(append.get_args());
    command.env("STRATALOG_LOG", "stratalog=debug");
    command.stdin(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    for events in 0..3 {
        input.write_all(b"event\n").unwrap();
        wait_for_line(&mut stderr, "took 1 event ");
        signal(&child, if events == 2 { "TERM" } else { "HUP" });
    }
    wait_for_line(&mut stderr, "3 events in 1 batch");
    assert_eq!(child.wait().unwrap().code(), Some(143));
    drop(input);
}

#[test]
fn reader_that_does_not_read_delays_nothing() {
    let (_folder, log) = fresh();
    // More than a pipe holds.
    ok(&["append", &log], &numbered(0..100_000));
    for arguments in [&["read"][..], &["tail", "-n", "90000"]] {
        let mut child = stratalog(&[arguments, &[&log]].concat()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut String::new()).unwrap();
        let process = child.id();
        is_ended_by(child, process, "TERM", 143, &format!("{arguments:?}"));
        drop(stdout);
    }
}

#[test]
fn messages_that_nobody_reads_hold_nothing_up() {
    let (folder, log) = fresh();
    let file = folder.path().join("long.txt");
    // It has far more messages than are read, so it waits for their reader to its end.
    std::fs::write(&file, "too long\n".repeat(100_000)).unwrap();
    let file = file.to_str().unwrap();
    let arguments = ["append", "-v", "--event-bytes-max", "1", "--skip-invalid", &log, file];
    let mut child = stratalog(&arguments).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    wait_for_line(&mut stderr, "left out");
    let process = child.id();
    is_ended_by(child, process, "TERM", 143, "append -v");
    drop(stderr);
}
