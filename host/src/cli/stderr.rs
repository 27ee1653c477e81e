//! What is said on stderr, by a thread: whoever does not read it holds up that thread and no command.
//!
//! 1. Lines come out whole, in the order in which they were said.
//! 2. What was said and is not written yet is bounded; what is more is dropped, and its number said.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use super::progress;
use super::streams::Stderr;

/// How many lines may wait; a line of the library or of a plugin has at most some KiB.
const LINES_MAX: usize = 1_000;

/// How long the last words of a command that a limit has ended wait for who reads stderr.
pub(crate) const LAST_WORDS: Duration = Duration::from_millis(500);

enum Said {
    Line(Vec<u8>),
    /// Answered when all before it is written.
    End(SyncSender<()>),
}

/// None if the system gives no thread.
static THREAD: LazyLock<Option<SyncSender<Said>>> = LazyLock::new(|| {
    let (sender, said) = sync_channel(LINES_MAX);
    let thread = thread::Builder::new().name("stratalog-messages".to_owned());
    thread.spawn(move || write_all(&said)).is_ok().then_some(sender)
});

/// Lines that were dropped since the last one that was not.
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Says a line, without waiting for anybody.
pub(crate) fn say(line: &str) {
    say_bytes(format!("{line}\n").into_bytes());
}

/// Says a line that is ended by LF, without waiting for anybody.
pub(super) fn say_bytes(line: Vec<u8>) {
    match THREAD.as_ref().map(|thread| thread.try_send(Said::Line(line))) {
        Some(Ok(())) => {}
        Some(Err(TrySendError::Full(_))) => _ = DROPPED.fetch_add(1, Ordering::Relaxed),
        Some(Err(TrySendError::Disconnected(Said::Line(line)))) => write(&line),
        Some(Err(TrySendError::Disconnected(Said::End(_)))) | None => {}
    }
}

/// Waits until all that was said is written, for so long at most, if there is a limit.
pub(crate) fn finish(wait_max: Option<Duration>) {
    let Some(thread) = &*THREAD else { return };
    let (sender, written) = sync_channel(1);
    match wait_max {
        // Full or not, there is nothing more to be said.
        Some(wait_max) => {
            if thread.try_send(Said::End(sender)).is_ok() {
                written.recv_timeout(wait_max).ok();
            }
        }
        None => {
            if thread.send(Said::End(sender)).is_ok() {
                written.recv().ok();
            }
        }
    }
}

fn write_all(said: &Receiver<Said>) {
    while let Ok(said) = said.recv() {
        let dropped = DROPPED.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            write(
                format!("warning: {dropped} messages were dropped: nobody read them\n").as_bytes(),
            );
        }
        match said {
            Said::Line(line) => write(&line),
            Said::End(written) => _ = written.send(()),
        }
    }
}

fn write(line: &[u8]) {
    // Only a terminal shows progress, whose lock is not to be held for a pipe that nobody reads.
    let written = match io::stderr().is_terminal() {
        true => progress::aside(|| Stderr.write_all(line)),
        false => Stderr.write_all(line),
    };
    // Who closed stderr does not want to know.
    written.ok();
}
