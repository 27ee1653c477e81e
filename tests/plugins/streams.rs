//! Plugins whose streams nobody reads or feeds: limits and signals end them as at any other moment,
//! and waiting is not computing.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use crate::binary::{Ran, fresh, stratalog, until};
use crate::built;

/// What writes and reads without end must be over by then after its limit or a signal.
const SOON: Duration = Duration::from_secs(2);

fn plugin(log: &str, options: &[&str], words: &[&str]) -> Command {
    let plugin = built::rust("evil");
    let lent = format!("evil={log}");
    let mut all = vec!["run", plugin.to_str().unwrap(), "--log", &lent];
    all.extend(options);
    all.push("--");
    all.extend(words);
    stratalog(&all)
}

/// Waits for the first line on stdout, and reads no more.
fn first_line(child: &mut Child) -> BufReader<ChildStdout> {
    let mut stdout = BufReader::with_capacity(1, child.stdout.take().unwrap());
    let mut line = String::new();
    assert!(stdout.read_line(&mut line).unwrap() > 0, "it ended early");
    stdout
}

/// Waits for the end, while nobody reads.
fn end_of(child: &mut Child) -> i32 {
    let mut code = None;
    until("the end of the command", || {
        code = child.try_wait().unwrap();
        code.is_some()
    });
    code.unwrap().code().unwrap()
}

/// What writes or reads for ever, by hazard.
const HAZARDS: [&str; 3] = ["write-lines", "complain", "read-without-end"];

#[test]
fn its_time_ends_a_plugin_that_waits_for_a_stream() {
    for hazard in HAZARDS {
        let (_folder, log) = fresh();
        let mut child = plugin(&log, &["--time-max", "1s"], &[hazard]).spawn().unwrap();
        let stdout = first_line(&mut child);
        let begun = Instant::now();
        assert_eq!(end_of(&mut child), 6, "{hazard}");
        assert!(begun.elapsed() < Duration::from_secs(1) + SOON, "{hazard}: {begun:?}");
        drop(stdout);
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_plugin_that_waits_for_a_stream() {
    for hazard in HAZARDS {
        for (name, code) in [("INT", 130), ("TERM", 143)] {
            let (_folder, log) = fresh();
            let mut child = plugin(&log, &[], &[hazard]).spawn().unwrap();
            let stdout = first_line(&mut child);
            // It fills the pipe and waits by then; if not, it is ended all the same.
            std::thread::sleep(Duration::from_millis(200));
            let signalled = Instant::now();
            crate::binary::signal(&child, name);
            assert_eq!(end_of(&mut child), code, "{hazard}, {name}");
            assert!(signalled.elapsed() < SOON, "{hazard}, {name}: {signalled:?}");
            drop(stdout);
        }
    }
}

#[test]
fn what_a_stopped_plugin_wrote_last_is_lost_and_counted() {
    let (_folder, log) = fresh();
    let mut child = plugin(&log, &["--time-max", "1s"], &["write-lines"]).spawn().unwrap();
    let stdout = first_line(&mut child);
    assert_eq!(end_of(&mut child), 6);
    drop(stdout);
    let ran = Ran::from(child.wait_with_output().unwrap());
    let lines: Vec<&str> = ran.stderr.lines().collect();
    let [lost, limit] = lines[..] else { panic!("{}", ran.stderr) };
    assert!(lost.starts_with("warning: the last ") && lost.contains(" bytes that "), "{lost}");
    assert!(lost.ends_with(" wrote are lost: nobody read them"), "{lost}");
    let expected = "was stopped: time_max = 1s is reached: --time-max raises it";
    assert!(limit.starts_with("error: ") && limit.ends_with(expected), "{limit}");
}

/// Far more than a pipe and the host hold.
const LINES: usize = 20_000;

fn assert_whole(output: &str) {
    let expected = (0..LINES).map(|number| format!("{number:099}"));
    assert!(output.lines().eq(expected), "{} bytes", output.len());
}

#[test]
fn a_plugin_that_waits_for_its_reader_computes_nothing_and_loses_nothing() {
    let (_folder, log) = fresh();
    let lines = LINES.to_string();
    let options = ["--compute-max", "1s"];
    let mut child = plugin(&log, &options, &["write-lines", &lines]).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(3));
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_whole(&ran.stdout);
    // On stderr, too.
    child = plugin(&log, &options, &["complain", &lines]).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(3));
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "complaining\n"));
    assert_whole(&ran.stderr);
}

#[cfg(unix)]
#[test]
fn streams_that_do_not_block_are_waited_for() {
    use std::io::Write as _;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    let (_folder, log) = fresh();
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    let lines = LINES.to_string();
    let mut command = plugin(&log, &[], &["write-lines", &lines]);
    let mut child = command.stdout(Stdio::from(OwnedFd::from(theirs))).spawn().unwrap();
    drop(command);
    std::thread::sleep(Duration::from_millis(500));
    let mut output = String::new();
    ours.read_to_string(&mut output).unwrap();
    assert_whole(&output);
    assert_eq!(child.wait().unwrap().code(), Some(0));

    let (mut ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    let mut command = plugin(&log, &[], &["read-without-end"]);
    let mut child = command.stdin(Stdio::from(OwnedFd::from(theirs))).spawn().unwrap();
    drop(command);
    let stdout = first_line(&mut child);
    ours.write_all(&[b'x'; 100_000]).unwrap();
    drop(ours);
    let said: Vec<String> = stdout.lines().map(Result::unwrap).collect();
    assert_eq!(said, ["100000 bytes read: true"]);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_closed_stdout_is_an_error_of_the_write() {
    let (_folder, log) = fresh();
    let mut child = plugin(&log, &[], &["write-lines"]).spawn().unwrap();
    drop(first_line(&mut child));
    assert_eq!(end_of(&mut child), 0);
}
