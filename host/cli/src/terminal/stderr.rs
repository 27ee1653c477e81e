//! What is said on stderr, by a thread: whoever does not read it holds up that thread and no command.
//!
//! 1. Lines come out whole, in the order in which they were said; on a terminal wrapped between words.
//! 2. What was said and is not written yet is bounded; what is more is dropped, and its number said.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SendError, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use stratalog::store::hide_secrets;

use crate::terminal::live_lines;
use crate::terminal::streams::Stderr;
use crate::terminal::wrapping;

/// How many bytes of lines may wait: more than what any command says of its input, line by line.
const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How long the last words of a command that a limit has ended wait for who reads stderr.
pub(crate) const LAST_WORDS: Duration = Duration::from_millis(500);

enum Said {
    Line(Vec<u8>),
    /// Answered when all before it is written.
    End(SyncSender<()>),
}

/// None if the system gives no thread.
static THREAD: LazyLock<Option<Sender<Said>>> = LazyLock::new(|| {
    let (sender, said) = channel();
    let thread = thread::Builder::new().name("stratalog-messages".to_owned());
    thread.spawn(move || write_all(&said)).is_ok().then_some(sender)
});

/// Bytes of the lines that wait.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// Lines that were dropped since the last one that was not.
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Says a line, without waiting for anybody, and without what is secret in it: an argument that is
/// named may be a URL with a password in the place of a file.
pub(crate) fn say(line: &str) {
    say_bytes(format!("{}\n", hide_secrets(line)).into_bytes());
}

/// Says a line that is ended by LF, without waiting for anybody.
pub(crate) fn say_bytes(line: Vec<u8>) {
    let Some(thread) = THREAD.as_ref() else { return write(&line) };
    let length = line.len();
    if WAITING.fetch_add(length, Ordering::Relaxed).saturating_add(length) > WAITING_BYTES_MAX {
        WAITING.fetch_sub(length, Ordering::Relaxed);
        DROPPED.fetch_add(1, Ordering::Relaxed);
        return;
    }
    if let Err(SendError(Said::Line(line))) = thread.send(Said::Line(line)) {
        write(&line);
    }
}

/// Waits until all that was said is written, for so long at most, if there is a limit.
pub(crate) fn finish(wait_max: Option<Duration>) {
    let Some(thread) = &*THREAD else { return };
    let (sender, written) = sync_channel(1);
    match wait_max {
        Some(wait_max) => {
            if thread.send(Said::End(sender)).is_ok() {
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
            Said::Line(line) => {
                write(&line);
                WAITING.fetch_sub(line.len(), Ordering::Relaxed);
            }
            Said::End(written) => _ = written.send(()),
        }
    }
}

fn write(line: &[u8]) {
    // Only a terminal shows progress, whose lock is not to be held for a pipe that nobody reads.
    let written = match io::stderr().is_terminal() {
        true => {
            let wrapped = wrapping::for_stderr(&String::from_utf8_lossy(line));
            live_lines::aside(|| Stderr.write_all(wrapped.as_bytes()))
        }
        false => Stderr.write_all(line),
    };
    // Who closed stderr does not want to know.
    written.ok();
}
