//! Runs the real binary.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use rig::tools::cache_folder;
use rig::waits::until;
use tempfile::TempDir;

/// Returns a command without credentials or settings from outside, and with a cache shared by all
/// tests.
pub(crate) fn stratalog<S: AsRef<OsStr>>(arguments: &[S]) -> Command {
    stratalog_caching_in(&cache_folder(), arguments)
}

/// Returns the same command with its own cache.
pub(crate) fn stratalog_caching_in<S: AsRef<OsStr>>(cache: &Path, arguments: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stratalog"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if ["AWS_", "AZURE_", "GOOGLE_", "STRATALOG_"].iter().any(|prefix| name.starts_with(prefix))
        {
            command.env_remove(name);
        }
    }
    // The zone of times that have none.
    command.env("TZ", "UTC");
    let others = ["component", "completions", "plugin", "wit"].map(OsStr::new);
    let compiles = |word: &S| !others.contains(&word.as_ref());
    if arguments.first().is_none_or(compiles) {
        // At the front: behind `--` it would belong to a plugin.
        command.arg("--cache-dir").arg(cache);
    }
    command.args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Returns the same command with this many KiB of address space.
#[cfg(target_os = "linux")]
pub(crate) fn within_address_space(kib: u32, command: &Command) -> Command {
    let mut limited = Command::new("sh");
    limited.args(["-c", &format!("ulimit -v {kib}; exec \"$0\" \"$@\"")]);
    limited.arg(command.get_program()).args(command.get_args());
    limited.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    limited
}

/// The result of a finished command.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit code, or 128 plus the signal, as a shell reports it.
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
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
            stderr: without_waits(&String::from_utf8(output.stderr).unwrap()),
        }
    }
}

/// Removes the messages about a slow compilation or folder: tests must not depend on a busy
/// machine.
fn without_waits(said: &str) -> String {
    let is_wait = |line: &str| {
        line.starts_with("compiling ") && line.ends_with(" …\n")
            || line.starts_with("waiting for /")
            || line.starts_with('/') && line.ends_with(" has answered\n")
    };
    said.split_inclusive('\n').filter(|line| !is_wait(line)).collect()
}

pub(crate) fn run_with<S: AsRef<OsStr>>(arguments: &[S], stdin: &[u8]) -> Ran {
    let mut child = stratalog(arguments).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    // A command that fails early does not read it.
    input.write_all(stdin).ok();
    drop(input);
    child.wait_with_output().unwrap().into()
}

/// Runs a command that must succeed; returns its stdout.
pub(crate) fn ok<S: AsRef<OsStr> + std::fmt::Debug>(arguments: &[S], stdin: &str) -> String {
    let ran = run_with(arguments, stdin.as_bytes());
    assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.stderr);
    ran.stdout
}

/// Runs a command that must end with this code, and with all these words on stderr.
pub(crate) fn check(arguments: &[&str], stdin: &str, code: i32, words: &[&str]) {
    let ran = run_with(arguments, stdin.as_bytes());
    assert_eq!(ran.code, code, "{arguments:?}: {}", ran.stderr);
    for word in words {
        assert!(ran.stderr.contains(word), "{arguments:?}: no {word:?} in: {}", ran.stderr);
    }
    assert!(!ran.stderr.contains("panicked"), "{arguments:?}: {}", ran.stderr);
}

/// Makes a new folder, and returns the path of a log in it.
pub(crate) fn fresh() -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("log").to_str().unwrap().to_owned();
    (folder, log)
}

/// Returns the batches in the folder of a log, by name, with their bytes.
pub(crate) fn batches(log: &str) -> BTreeMap<String, String> {
    let Ok(files) = fs::read_dir(log) else { return BTreeMap::new() };
    let named = files.map(|file| file.unwrap()).filter_map(|file| {
        let name = file.file_name().into_string().unwrap();
        // A name with `#` is an unfinished file.
        let is_batch = name.starts_with("batch_") && name.ends_with(".jsonl");
        is_batch.then(|| (name, fs::read_to_string(file.path()).unwrap()))
    });
    named.collect()
}

/// Waits for the end of a command whose output has no reader.
pub(crate) fn end_of(child: &mut Child) -> ExitStatus {
    let mut status = None;
    until("the end of the command", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    status.unwrap()
}

/// Returns true if a signal ends the processes of these tests; prints a message otherwise. Under
/// `nohup`, tests ignore SIGHUP, and so do all processes that they start.
#[cfg(unix)]
pub(crate) fn can_end(signal: &str) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let can_end = signal != "HUP" || ignored.is_none_or(|mask| mask & 1 == 0);
    if !can_end {
        skipped("SIGHUP", "it is ignored here");
    }
    can_end
}

/// Sends a signal to a command.
#[cfg(unix)]
pub(crate) fn signal(child: &Child, name: &str) {
    signal_process(child.id(), name);
}

/// Sends a signal twice, with nothing between.
#[cfg(unix)]
pub(crate) fn signal_twice(child: &Child, name: &str) {
    signal_process(child.id(), name);
    signal_process(child.id(), name);
}

/// Sends a signal to a process.
#[cfg(unix)]
pub(crate) fn signal_process(process: u32, name: &str) {
    use rustix::process::{Pid, Signal, kill_process};
    let signal = match name {
        "ALRM" => Signal::ALARM,
        "HUP" => Signal::HUP,
        "INT" => Signal::INT,
        "KILL" => Signal::KILL,
        "QUIT" => Signal::QUIT,
        "TERM" => Signal::TERM,
        "USR1" => Signal::USR1,
        "USR2" => Signal::USR2,
        "XCPU" => Signal::XCPU,
        other => unreachable!("no test sends SIG{other}"),
    };
    let process = Pid::from_raw(process.try_into().unwrap()).unwrap();
    kill_process(process, signal).unwrap();
}

/// Makes a command run as process 1, for which the system has no default signal handling. Fails
/// with the reason why this user cannot do that here.
#[cfg(target_os = "linux")]
pub(crate) fn as_process_1(command: &Command) -> Result<Command, String> {
    let within = |program: &OsStr| {
        let mut unshare = Command::new("unshare");
        unshare.args(["-r", "--pid", "--fork", "--kill-child"]).arg(program);
        unshare
    };
    let tried = within("true".as_ref()).output().map_err(|error| error.to_string())?;
    if !tried.status.success() {
        return Err(String::from_utf8_lossy(&tried.stderr).trim().to_owned());
    }
    let mut wrapped = within(command.get_program());
    wrapped.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(name, value),
            None => wrapped.env_remove(name),
        };
    }
    wrapped.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(wrapped)
}

/// Returns the only process that another one has started.
#[cfg(target_os = "linux")]
pub(crate) fn only_child_of(process: u32) -> u32 {
    let mut found = None;
    until("the process to start another", || {
        let children = format!("/proc/{process}/task/{process}/children");
        let children = fs::read_to_string(children).unwrap_or_default();
        found = children.split_whitespace().next().and_then(|child| child.parse().ok());
        found.is_some()
    });
    found.unwrap()
}

/// Prints a skipped test on standard error, past the harness, which hides the output of passing
/// tests.
#[cfg(unix)]
pub(crate) fn skipped(what: &str, reason: &str) {
    let mut stderr = std::io::stderr();
    writeln!(stderr, "SKIPPED {what}: {reason}").unwrap();
}

/// Waits for a line on the command's stderr that contains these words.
pub(crate) fn wait_for_line(stderr: &mut impl BufRead, words: &str) {
    let mut line = String::new();
    while !line.contains(words) {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "stderr ended without {words:?}");
    }
}

/// Runs a command that must succeed; returns the JSON on its stdout.
pub(crate) fn json(arguments: &[&str]) -> serde_json::Value {
    let stdout = ok(arguments, "");
    assert_eq!(stdout.lines().count(), 1, "{arguments:?}: {stdout}");
    serde_json::from_str(&stdout).unwrap()
}

pub(crate) fn numbered(numbers: std::ops::Range<usize>) -> String {
    numbers.map(|n| format!("{{\"n\":{n}}}\n")).collect()
}
