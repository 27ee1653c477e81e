//! A child process that cannot outlive its owner.
//!
//! 1. The child ends when its standard input does. The input is a pipe whose other end this process
//!    holds, closed on exec. The system thus closes it however this process ends, SIGKILL included.
//! 2. The child leads its own process group. A signal to the owner's group (Ctrl-C, a test runner's
//!    time limit) thus cannot end the child before it has ended its own children.
//! 3. All output of the child is read until it ends: it never blocks on a full pipe.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use crate::waits::NEVER;

/// The number of last lines that a failed start reports.
const REPORTED_LINES_MAX: usize = 30;

/// A running child process that ends when its standard input does. Drop ends it.
#[derive(Debug)]
pub struct Supervised {
    child: Child,
    stdin: Option<ChildStdin>,
}

enum Line {
    Stdout(String),
    Stderr(String),
}

impl Supervised {
    /// Runs the command and waits for the first line of its standard output, which means that it is
    /// ready.
    ///
    /// # Errors
    /// When the command cannot be run, or ends without output. It is not running then. The text
    /// holds the end of its standard error.
    pub fn start(command: &mut Command) -> Result<(Supervised, String), String> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| format!("cannot run {}: {e}", command.get_program().display()))?;

        let (sender, lines) = mpsc::channel();
        forward(child.stdout.take(), Line::Stdout, sender.clone());
        forward(child.stderr.take(), Line::Stderr, sender);
        let process = Supervised { stdin: child.stdin.take(), child };

        let begin = Instant::now();
        let mut stderr = VecDeque::new();
        let end = loop {
            match lines.recv_timeout(NEVER.saturating_sub(begin.elapsed())) {
                Ok(Line::Stdout(line)) => return Ok((process, line)),
                Ok(Line::Stderr(line)) => {
                    if stderr.len() == REPORTED_LINES_MAX {
                        stderr.pop_front();
                    }
                    stderr.push_back(line);
                }
                Err(RecvTimeoutError::Disconnected) => break "ended",
                Err(RecvTimeoutError::Timeout) => break "is never ready: given up",
            }
        };
        drop(process);
        let elapsed = begin.elapsed();
        Err(format!("{end} after {elapsed:.1?}:\n{}", Vec::from(stderr).join("\n")))
    }
}

impl Supervised {
    /// Writes a line to the child's standard input.
    pub fn tell(&self, line: &str) -> io::Result<()> {
        let mut stdin = self.stdin.as_ref().ok_or(io::ErrorKind::BrokenPipe)?;
        writeln!(stdin, "{line}")
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let deadline = Instant::now() + NEVER;
        while let Ok(None) = self.child.try_wait() {
            if Instant::now() >= deadline {
                eprintln!("process {} does not end with its standard input", self.child.id());
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Reads the stream to its end and sends its lines as long as there is a receiver.
fn forward(
    stream: Option<impl Read + Send + 'static>,
    line: fn(String) -> Line,
    sender: Sender<Line>,
) {
    let Some(stream) = stream else { return };
    thread::spawn(move || {
        for bytes in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            // There is no receiver any more once the child is ready.
            let _ = sender.send(line(String::from_utf8_lossy(&bytes).into_owned()));
        }
    });
}
