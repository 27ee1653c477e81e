//! Streams that are not ready, and files that may not grow.

#![cfg(unix)]

use std::fs;
use std::io::{BufReader, PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::process::{Command, Stdio};

use rig::waits::until;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use crate::binary::{Ran, fresh, numbered, ok, stratalog, wait_for_line};

/// Makes a pipe whose ends do not block: an end that is not ready answers EAGAIN.
fn pipe_that_does_not_block() -> (PipeReader, PipeWriter) {
    let (reader, writer) = pipe().unwrap();
    let set = |flags| flags | OFlags::NONBLOCK;
    fcntl_setfl(&reader, set(fcntl_getfl(&reader).unwrap())).unwrap();
    fcntl_setfl(&writer, set(fcntl_getfl(&writer).unwrap())).unwrap();
    (reader, writer)
}

/// Reads the whole output of such a pipe.
fn read_slowly(mut reader: PipeReader) -> String {
    let mut all = Vec::new();
    let mut some = vec![0; 10_000];
    loop {
        match reader.read(&mut some) {
            Ok(0) => return String::from_utf8(all).unwrap(),
            Ok(length) => all.extend_from_slice(some.get(..length).unwrap()),
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
                std::thread::yield_now();
            }
        }
    }
}

#[test]
fn input_that_is_not_ready_is_waited_for() {
    let (_folder, log) = fresh();
    let (reader, mut writer) = pipe_that_does_not_block();
    let mut child = stratalog(&["append", &log])
        .env("STRATALOG_LOG", "stratalog=debug")
        .stdin(reader)
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    for _ in 0..3 {
        writer.write_all(b"event\n").unwrap();
        // The command continues to read while the test waits and finds nothing.
        wait_for_line(&mut stderr, "took 1 event ");
    }
    drop(writer);
    assert_eq!(Ran::from(child.wait_with_output().unwrap()).code, 0);
    assert_eq!(ok(&["read", &log], ""), "event\n".repeat(3));
}

#[test]
fn output_that_is_not_ready_is_waited_for() {
    let (_folder, log) = fresh();
    // Many times what a pipe holds.
    ok(&["append", &log], &numbered(0..300_000));
    for (arguments, expected) in [
        (&["read"][..], numbered(0..300_000)),
        (&["tail", "-n", "200000"], numbered(100_000..300_000)),
    ] {
        let (reader, writer) = pipe_that_does_not_block();
        let child = stratalog(&[arguments, &[&log]].concat()).stdout(writer).spawn().unwrap();
        assert!(read_slowly(reader) == expected, "{arguments:?}");
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{arguments:?}");
    }
}

#[test]
fn messages_are_whole_where_stderr_is_not_ready() {
    let (folder, log) = fresh();
    let file = folder.path().join("long.txt");
    fs::write(&file, "too long\n".repeat(20_000)).unwrap();
    let file = file.to_str().unwrap();
    let arguments = ["append", "-v", "--event-bytes-max", "1", "--skip-invalid", &log, file];
    let (reader, writer) = pipe_that_does_not_block();
    let child = stratalog(&arguments).stderr(writer).spawn().unwrap();
    let stderr = read_slowly(reader);
    assert_eq!(Ran::from(child.wait_with_output().unwrap()).code, 0);
    let named = stderr.lines().filter(|line| line.contains(": left out ")).count();
    assert_eq!(named, 20_000);
    assert!(stderr.ends_with("; 20,000 invalid lines left out\n"), "{stderr}");
}

#[cfg(target_os = "linux")]
#[test]
fn help_is_whole_where_stdout_is_not_ready() {
    let expected = ok(&["append", "--help"], "");
    let (reader, mut writer) = pipe_that_does_not_block();
    // Fills the pipe completely.
    let mut filled = 0;
    while let Ok(length) = writer.write(&[b'x'; 1024]) {
        filled += length;
    }
    let child = stratalog(&["append", "--help"]).stdout(writer).spawn().unwrap();
    // Nothing is read before it waits, or has failed.
    until("the command to sleep or end", || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        let state = stat.rsplit(')').next().unwrap().trim_start();
        state.starts_with(['S', 'Z'])
    });
    let stdout = read_slowly(reader);
    assert_eq!(Ran::from(child.wait_with_output().unwrap()).code, 0);
    assert!(stdout[filled..] == expected);
}

/// Runs a command with a limit on the size of files, in blocks of 512 or 1,024 bytes. Its stdout
/// goes to a file.
fn with_small_files(blocks: u32, command: &Command, stdout: &std::path::Path) -> Ran {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit -f {blocks}; exec \"$0\" \"$@\"")]);
    shell.arg(command.get_program()).args(command.get_args());
    shell.stdin(Stdio::null()).stdout(fs::File::create(stdout).unwrap()).stderr(Stdio::piped());
    shell.spawn().unwrap().wait_with_output().unwrap().into()
}

#[test]
fn file_behind_stdout_that_may_not_grow_is_an_error() {
    let (folder, log) = fresh();
    let (out, position) = (folder.path().join("out"), folder.path().join("position"));
    // More than 8 MiB: the memory of a component that is not mapped counts as a file.
    let events = "x".repeat(1_000) + "\n";
    ok(&["append", "--flush-threshold", "1000", &log], &events.repeat(12_000));
    let read = ["read", "--position-file", position.to_str().unwrap(), &log];
    let ran = with_small_files(8_192, &stratalog(&read), &out);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("cannot write to stdout: File too large"), "{}", ran.stderr);
    // The next read resumes after the last page that was written whole.
    let written = fs::read_to_string(&out).unwrap();
    let rest = ok(&read, "");
    let whole = written.len() - written.len() % events.len();
    assert!(whole + rest.len() >= 12_000 * events.len(), "{whole} and {}", rest.len());
    assert!(rest.len() < 12_000 * events.len(), "nothing was kept");
}
