//! Processes, and the processor time that they use.

use std::fs;
use std::io::{self, Write};
use std::mem::MaybeUninit;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Ticks of `/proc` in a second. The kernel reports the same number to all programs.
const TICKS_PER_SECOND: f64 = 100.0;

/// The cost of an ended process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// Processor time of the process and of the children it waited for.
    pub(crate) cpu: Duration,
    pub(crate) wall: Duration,
}

/// Runs a program with this input and without output.
///
/// # Panics
/// When it does not start or does not succeed.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Usage {
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("a pipe");
    // A program may end without reading.
    let _ = stdin.write_all(input);
    drop(stdin);
    let (status, cpu) = wait(child).unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status == 0, "{command:?} failed: wait status {status}");
    Usage { cpu, wall: start.elapsed() }
}

/// Runs a script of `sh` in a folder.
pub(crate) fn shell(folder: &Path, script: &str) -> Usage {
    run(Command::new("sh").arg("-euc").arg(script).current_dir(folder), b"")
}

/// Waits for the process; returns its status and its processor time.
fn wait(child: Child) -> io::Result<(i32, Duration)> {
    let pid = libc::pid_t::try_from(child.id()).map_err(io::Error::other)?;
    let (mut status, mut usage) = (0, MaybeUninit::<libc::rusage>::zeroed());
    loop {
        // SAFETY: both pointers are valid for writes during the call.
        let waited = unsafe { libc::wait4(pid, &mut status, 0, usage.as_mut_ptr()) };
        if waited == pid {
            break;
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    // SAFETY: zeros are a valid value, and the call has succeeded.
    let usage = unsafe { usage.assume_init() };
    Ok((status, time(usage.ru_utime) + time(usage.ru_stime)))
}

fn time(time: libc::timeval) -> Duration {
    Duration::from_secs_f64(time.tv_sec as f64 + time.tv_usec as f64 / 1e6)
}

/// A process in the background. It is killed when the value is dropped.
pub(crate) struct Background(Child);

impl Background {
    /// Starts a program without input and output.
    pub(crate) fn start(command: &mut Command) -> Self {
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
        Self(quiet.spawn().expect("a process"))
    }

    /// Returns the processor time that it has used so far.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id()));
        cpu_of(&stat.expect("a process"))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// Returns the processor time in the text of `/proc/PID/stat`.
fn cpu_of(text: &str) -> Duration {
    // The name, in parentheses, may contain anything.
    let (_, fields) = text.rsplit_once(") ").expect("a name");
    let ticks: f64 =
        fields.split(' ').skip(11).take(2).map(|field| field.parse::<f64>().expect("ticks")).sum();
    Duration::from_secs_f64(ticks / TICKS_PER_SECOND)
}

/// Writes all that is waiting for the disks, so that no measured process pays for it.
pub(crate) fn sync() {
    run(&mut Command::new("sync"), b"");
}
