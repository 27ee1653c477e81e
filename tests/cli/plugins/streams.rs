//! Plugins whose streams have no reader or writer. Limits and signals end them as at any other
//! moment, and waiting is not computing.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rig::waits::until;

use crate::binary::{Ran, end_of, fresh, stratalog};
use rig::plugins;

fn plugin(log: &str, options: &[&str], words: &[&str]) -> Command {
    let plugin = plugins::rust("evil");
    let granted = format!("evil={log}");
    let mut all = vec!["run", plugin.to_str().unwrap(), "--log", &granted];
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

/// Waits until a stream of a command contains at least this many bytes.
#[cfg(unix)]
fn wait_for_bytes(child: &mut Child, stream: &impl std::os::fd::AsFd, bytes: u64) {
    until("a stream that fills", || {
        let held = rustix::io::ioctl_fionread(stream).unwrap();
        let ended = child.try_wait().unwrap();
        assert!(held >= bytes || ended.is_none(), "{held} bytes, {ended:?}");
        held >= bytes
    });
}

/// Waits until a command sleeps, with all of its threads.
#[cfg(target_os = "linux")]
fn wait_for_sleep(child: &Child) {
    let is_asleep = |task: std::io::Result<std::fs::DirEntry>| {
        // A thread may have ended by now.
        let stat = std::fs::read_to_string(task.unwrap().path().join("stat")).unwrap_or_default();
        let state = stat.rsplit(')').next().unwrap().trim_start();
        state.is_empty() || state.starts_with('S')
    };
    let tasks = format!("/proc/{}/task", child.id());
    until("the command to sleep", || std::fs::read_dir(&tasks).unwrap().all(is_asleep));
}

#[cfg(not(target_os = "linux"))]
fn wait_for_sleep(_: &Child) {}

/// The smallest number of bytes in a pipe whose writer is blocked.
#[cfg(unix)]
const FULL: u64 = 60_000;

/// Hazards that write or read without end.
const HAZARDS: [&str; 3] = ["write-lines", "complain", "read-without-end"];

#[test]
fn its_time_ends_a_plugin_that_waits_for_a_stream() {
    for hazard in HAZARDS {
        let (_folder, log) = fresh();
        let mut child = plugin(&log, &["--time-max", "1s"], &[hazard]).spawn().unwrap();
        assert_eq!(end_of(&mut child).code(), Some(6), "{hazard}");
    }
}

#[cfg(unix)]
#[test]
fn signal_ends_a_plugin_that_waits_for_a_stream() {
    for hazard in HAZARDS {
        for (name, code) in [("INT", 130), ("TERM", 143)] {
            let (_folder, log) = fresh();
            let mut child = plugin(&log, &[], &[hazard]).spawn().unwrap();
            let stdout = first_line(&mut child);
            match hazard {
                "write-lines" => wait_for_bytes(&mut child, stdout.get_ref(), FULL),
                "complain" => {
                    let stderr = child.stderr.take().unwrap();
                    wait_for_bytes(&mut child, &stderr, FULL);
                    child.stderr = Some(stderr);
                }
                _ => {}
            }
            wait_for_sleep(&child);
            crate::binary::signal(&child, name);
            assert_eq!(end_of(&mut child).code(), Some(code), "{hazard}, {name}");
            drop(stdout);
        }
    }
}

#[cfg(unix)]
#[test]
fn last_output_of_a_stopped_plugin_is_lost_and_counted() {
    // A busy machine may need longer until the plugin waits.
    for seconds in [1, 4, 16, 64] {
        let (_folder, log) = fresh();
        let time_max = format!("{seconds}s");
        let mut child = plugin(&log, &["--time-max", &time_max], &["write-lines"]).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        assert_eq!(end_of(&mut child).code(), Some(6));
        if rustix::io::ioctl_fionread(&stdout).unwrap() < FULL {
            continue;
        }
        drop(stdout);
        let ran = Ran::from(child.wait_with_output().unwrap());
        let lines: Vec<&str> = ran.stderr.lines().collect();
        let [lost, limit] = lines[..] else { panic!("{}", ran.stderr) };
        assert!(lost.starts_with("warning: the last ") && lost.contains(" bytes that "), "{lost}");
        assert!(lost.ends_with(" wrote are lost: no process read them"), "{lost}");
        let expected =
            format!("was stopped: time_max = {seconds}s is reached; raise it with --time-max");
        assert!(limit.starts_with("error: ") && limit.ends_with(&expected), "{limit}");
        return;
    }
    panic!("the plugin never came to wait");
}

/// Far more than the buffers of a pipe and the host.
const LINES: usize = 20_000;

fn assert_whole(output: &str) {
    let expected = (0..LINES).map(|number| format!("{number:099}"));
    assert!(output.lines().eq(expected), "{} bytes", output.len());
}

/// Returns the running time of a plugin and its computing time, from its report.
fn times(report: &str) -> [Duration; 2] {
    let report: serde_json::Value = serde_json::from_str(report).unwrap();
    let seconds = |name: &str| report.get(name).unwrap().as_f64().unwrap();
    ["time_seconds", "computed_seconds"].map(|name| Duration::from_secs_f64(seconds(name)))
}

#[cfg(unix)]
#[test]
fn plugin_waiting_for_its_reader_computes_and_loses_nothing() {
    let (folder, log) = fresh();
    let lines = LINES.to_string();
    let report = folder.path().join("report.json");
    let option = format!("--report={}", report.display());
    for hazard in ["write-lines", "complain"] {
        let mut child = plugin(&log, &[&option], &[hazard, &lines]).spawn().unwrap();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        match hazard {
            "write-lines" => wait_for_bytes(&mut child, &stdout, FULL),
            _ => wait_for_bytes(&mut child, &stderr, FULL),
        }
        (child.stdout, child.stderr) = (Some(stdout), Some(stderr));
        wait_for_sleep(&child);
        // The test needs time to pass; a busy machine only makes it longer.
        let waits = Instant::now();
        std::thread::sleep(Duration::from_secs(1));
        let waited = waits.elapsed();
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert_eq!(ran.code, 0, "{hazard}: {}", ran.stderr);
        match hazard {
            "write-lines" => {
                assert_whole(&ran.stdout);
                assert_eq!(ran.stderr, "");
            }
            _ => {
                assert_eq!(ran.stdout, "complaining\n");
                assert_whole(&ran.stderr);
            }
        }
        let [time, computed] = times(&std::fs::read_to_string(&report).unwrap());
        let idle = time.saturating_sub(computed);
        assert!(idle >= waited / 2, "{hazard}: {computed:?} of {time:?}, {waited:?} waited");
    }
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
    // A socket accepts little of the remaining output: the plugin waits for it.
    wait_for_bytes(&mut child, &ours, 10_000);
    wait_for_sleep(&child);
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

/// It would get `/dev/null`, and its output would be lost without an error.
#[cfg(target_os = "linux")]
#[test]
fn missing_stdout_is_refused_before_the_plugin_runs() {
    let (_folder, log) = fresh();
    let command = plugin(&log, &[], &["write-lines"]);
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$0\" \"$@\" >&-"]);
    shell.arg(command.get_program()).args(command.get_args());
    let ran = shell.output().unwrap();
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("cannot give stdout to a plugin: stdout is closed"), "{stderr}");
}

#[test]
fn closed_stdout_is_an_error_of_the_write() {
    let (_folder, log) = fresh();
    let mut child = plugin(&log, &[], &["write-lines"]).spawn().unwrap();
    drop(first_line(&mut child));
    assert_eq!(end_of(&mut child).code(), Some(0));
}
