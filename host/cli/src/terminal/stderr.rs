//! Writes messages to stderr on a thread, so a slow reader of stderr does not block a command.
//!
//! 1. Lines are written whole and in order. On a terminal they are wrapped between words.
//! 2. Lines not written yet are bounded. Excess lines are dropped and counted, and the count is
//!    reported.

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

/// The most bytes of waiting lines. No command has as many messages about its input.
const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The time that a command ended by a limit waits for its last messages to be read.
pub(crate) const LAST_WORDS: Duration = Duration::from_millis(500);

enum Message {
    Line(Vec<u8>),
    /// Answered when everything before it is written.
    End(SyncSender<()>),
}

/// None if the system cannot start a thread.
static THREAD: LazyLock<Option<Sender<Message>>> = LazyLock::new(|| {
    let (sender, messages) = channel();
    let thread = thread::Builder::new().name("stratalog-messages".to_owned());
    thread.spawn(move || write_all(&messages)).is_ok().then_some(sender)
});

/// The bytes of the waiting lines.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// The lines dropped since the last line that was accepted.
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Queues a line without waiting, and without secrets: an argument in the message may be a URL with
/// a password instead of a file.
pub(crate) fn say(line: &str) {
    say_bytes(format!("{}\n", hide_secrets(line)).into_bytes());
}

/// Queues a line that ends with LF, without waiting.
pub(crate) fn say_bytes(line: Vec<u8>) {
    let Some(thread) = THREAD.as_ref() else { return write(&line) };
    let length = line.len();
    if WAITING.fetch_add(length, Ordering::Relaxed) + length > WAITING_BYTES_MAX {
        WAITING.fetch_sub(length, Ordering::Relaxed);
        DROPPED.fetch_add(1, Ordering::Relaxed);
        return;
    }
    if let Err(SendError(Message::Line(line))) = thread.send(Message::Line(line)) {
        write(&line);
    }
}

/// Waits until all queued lines are written, but no longer than the limit, if there is one.
pub(crate) fn finish(wait_max: Option<Duration>) {
    let Some(thread) = &*THREAD else { return };
    let (sender, written) = sync_channel(1);
    match wait_max {
        Some(wait_max) => {
            if thread.send(Message::End(sender)).is_ok() {
                written.recv_timeout(wait_max).ok();
            }
        }
        None => {
            if thread.send(Message::End(sender)).is_ok() {
                written.recv().ok();
            }
        }
    }
}

fn write_all(messages: &Receiver<Message>) {
    while let Ok(message) = messages.recv() {
        let dropped = DROPPED.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            write(
                format!("warning: {dropped} messages were dropped: no process read them\n")
                    .as_bytes(),
            );
        }
        match message {
            Message::Line(line) => {
                write(&line);
                WAITING.fetch_sub(line.len(), Ordering::Relaxed);
            }
            Message::End(written) => _ = written.send(()),
        }
    }
}

fn write(line: &[u8]) {
    // Only a terminal shows progress. Its lock must not be held for a pipe without a reader.
    let written = match io::stderr().is_terminal() {
        true => {
            let wrapped = wrapping::for_stderr(&String::from_utf8_lossy(line));
            live_lines::suspend(|| Stderr.write_all(wrapped.as_bytes()))
        }
        false => Stderr.write_all(line),
    };
    // stderr is closed, so the failure cannot be reported.
    written.ok();
}
