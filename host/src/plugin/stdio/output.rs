//! A plugin's output, which a thread writes.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::future::poll_fn;
use std::io::{self, Write};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;

use bytes::{Buf as _, Bytes};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use super::descriptor::Out;
use crate::numbers::{to_u64, to_usize};
use crate::plugin::recorder::{Recorder, Stream};

/// The most bytes of output that are not passed on yet; beyond it the plugin waits.
const QUEUE_BYTES_MAX: usize = 64 * 1024;

/// An output stream for a plugin, such as its stdout. Clones are one stream.
///
/// A plugin that writes more than its reader takes waits, and may be stopped meanwhile. A completed
/// flush means that the output before it was passed on. At most 128 KiB are in memory.
#[derive(Clone)]
pub struct Output {
    shared: Arc<Shared>,
    _open: Arc<Open>,
    /// Takes a copy of what is written through this clone.
    tap: Option<Tap>,
}

/// The place of the recorder of a run, which may be set later, and the stream's name in a record.
type Tap = (Stream, Arc<OnceLock<Recorder>>);

struct Shared {
    state: Mutex<State>,
    /// Notifies the thread of work.
    work: Condvar,
    is_terminal: bool,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Bytes>,
    /// Bytes that were ever put into the queue, and those of them that were passed on.
    queued: u64,
    written: u64,
    /// The reason why nothing more is passed on.
    failed: Option<Failed>,
    /// True after the first write.
    is_used: bool,
    /// True when all clones and handles are dropped.
    closed: bool,
    /// A file to write without the thread while nothing is queued: it does not block.
    ready: Option<File>,
    /// The tasks that wait for a change.
    waiting: Vec<Waker>,
}

struct Failed {
    /// The error, until the plugin has received it.
    error: Option<io::Error>,
}

/// Ends the thread with the last of the streams.
struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.work.notify_one();
    }
}

impl Output {
    /// Returns the process's stdout.
    ///
    /// # Errors
    /// The system provides no thread.
    pub fn stdout() -> io::Result<Self> {
        Self::of_process(Out::Stdout)
    }

    /// Returns the process's stderr.
    ///
    /// # Errors
    /// The system provides no thread.
    pub fn stderr() -> io::Result<Self> {
        Self::of_process(Out::Stderr)
    }

    /// Returns an output to any writer, written by a thread of its own. The writer may block.
    ///
    /// # Errors
    /// The system provides no thread.
    pub fn new(writer: impl Write + Send + 'static) -> io::Result<Self> {
        Self::start(writer, "stratalog-output", false, None)
    }

    fn of_process(out: Out) -> io::Result<Self> {
        Self::start(out, out.name(), out.is_terminal(), out.ready())
    }

    fn start(
        writer: impl Write + Send + 'static,
        name: &str,
        is_terminal: bool,
        ready: Option<File>,
    ) -> io::Result<Self> {
        let state = Mutex::new(State { ready, ..State::default() });
        let shared = Arc::new(Shared { state, work: Condvar::new(), is_terminal });
        let of_thread = shared.clone();
        thread::Builder::new().name(name.to_owned()).spawn(move || of_thread.pass_on(writer))?;
        let _open = Arc::new(Open(shared.clone()));
        Ok(Self { shared, _open, tap: None })
    }

    /// Waits until all output so far is passed on, or never will be. Cancel safe.
    pub async fn written(&self) {
        let target = self.shared.lock().queued;
        poll_fn(|context| self.shared.lock().poll_written(target, context)).await;
    }

    /// Passes on nothing more; returns the number of bytes dropped. The reader may still get the
    /// bytes that it is taking now.
    pub fn give_up(&self) -> u64 {
        let mut state = self.shared.lock();
        let left = state.queued - state.written;
        state.fail(io::ErrorKind::BrokenPipe.into());
        left
    }

    /// Returns true if anything was ever written.
    pub(crate) fn is_used(&self) -> bool {
        self.shared.lock().is_used
    }

    /// Returns a clone whose writes are recorded, if the run has a recorder.
    pub(in crate::plugin) fn tapped(
        &self,
        stream: Stream,
        recorder: Arc<OnceLock<Recorder>>,
    ) -> Self {
        Self { tap: Some((stream, recorder)), ..self.clone() }
    }

    fn record(&self, bytes: &[u8]) {
        if let Some((stream, recorder)) = &self.tap
            && let Some(recorder) = recorder.get()
        {
            recorder.output(*stream, bytes);
        }
    }

    fn stream(&self) -> OpenStream {
        OpenStream { output: self.clone(), flushed_at: 0 }
    }
}

impl Shared {
    /// Runs the thread.
    fn pass_on(&self, mut writer: impl Write) {
        let mut state = self.lock();
        loop {
            if let Some(bytes) = state.queue.pop_front() {
                drop(state);
                let passed = writer.write_all(&bytes).and_then(|()| writer.flush());
                state = self.lock();
                match passed {
                    Ok(()) => {
                        let more = to_u64(bytes.len());
                        state.written += more;
                        state.wake();
                    }
                    Err(error) => state.fail(error),
                }
            } else if state.closed || state.failed.is_some() {
                return;
            } else {
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn held(&self) -> usize {
        to_usize(self.queued - self.written)
    }

    fn fail(&mut self, error: io::Error) {
        self.queue.clear();
        self.written = self.queued;
        self.failed.get_or_insert(Failed { error: Some(error) });
        self.wake();
    }

    fn wake(&mut self) {
        self.waiting.drain(..).for_each(Waker::wake);
    }

    fn wait(&mut self, context: &Context<'_>) {
        let waker = context.waker();
        if !self.waiting.iter().any(|waiting| waiting.will_wake(waker)) {
            self.waiting.push(waker.clone());
        }
    }

    fn poll_written(&mut self, target: u64, context: &Context<'_>) -> Poll<()> {
        if self.written >= target || self.failed.is_some() {
            return Poll::Ready(());
        }
        self.wait(context);
        Poll::Pending
    }

    /// Returns the failure of the last write; the original error is returned only once.
    fn check(&mut self) -> io::Result<()> {
        match &mut self.failed {
            None => Ok(()),
            Some(failed) => {
                Err(failed.error.take().unwrap_or_else(|| io::ErrorKind::BrokenPipe.into()))
            }
        }
    }

    /// Writes as many bytes as possible without waiting, and queues the rest. Returns true if there
    /// is work for the thread.
    fn take(&mut self, mut bytes: Bytes) -> io::Result<bool> {
        self.is_used |= !bytes.is_empty();
        while self.held() == 0
            && !bytes.is_empty()
            && let Some(ready) = &mut self.ready
        {
            match ready.write(&bytes) {
                // The thread will report the error.
                Ok(0) => break,
                Ok(written) => bytes.advance(written.min(bytes.len())),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => {
                    self.fail(error);
                    self.check()?;
                }
            }
        }
        let has_work = !bytes.is_empty();
        if has_work {
            self.put(bytes);
        }
        Ok(has_work)
    }

    fn put(&mut self, bytes: Bytes) {
        let more = to_u64(bytes.len());
        self.queued += more;
        self.queue.push_back(bytes);
    }
}

/// A plugin's handle to the stream.
struct OpenStream {
    output: Output,
    /// The bytes queued before the last flush; nothing more is taken before they are passed on.
    flushed_at: u64,
}

impl OpenStream {
    /// Returns the number of bytes that may be written now.
    fn room(&self, state: &State) -> usize {
        if state.written < self.flushed_at {
            return 0;
        }
        QUEUE_BYTES_MAX.saturating_sub(state.held())
    }

    fn poll_room(&self, context: &Context<'_>) -> Poll<()> {
        let mut state = self.output.shared.lock();
        if state.failed.is_some() || self.room(&state) > 0 {
            return Poll::Ready(());
        }
        state.wait(context);
        Poll::Pending
    }
}

fn stream_error(error: io::Error) -> StreamError {
    match error.kind() {
        io::ErrorKind::BrokenPipe => StreamError::Closed,
        _ => StreamError::LastOperationFailed(error.into()),
    }
}

impl OutputStream for OpenStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut state = self.output.shared.lock();
        state.check().map_err(stream_error)?;
        // Another handle to the stream may have used the room that this one was promised.
        if state.held() + bytes.len() > 2 * QUEUE_BYTES_MAX {
            return Err(StreamError::trap("a write exceeds what check-write permitted"));
        }
        let copy = self.output.tap.is_some().then(|| bytes.clone());
        let has_work = state.take(bytes).map_err(stream_error)?;
        if let Some(copy) = copy {
            self.output.record(&copy);
        }
        if has_work {
            drop(state);
            self.output.shared.work.notify_one();
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        let mut state = self.output.shared.lock();
        state.check().map_err(stream_error)?;
        self.flushed_at = state.queued;
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        let mut state = self.output.shared.lock();
        state.check().map_err(stream_error)?;
        Ok(self.room(&state))
    }
}

#[async_trait::async_trait]
impl Pollable for OpenStream {
    async fn ready(&mut self) {
        poll_fn(|context| self.poll_room(context)).await;
    }
}

impl AsyncWrite for OpenStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        std::task::ready!(self.poll_room(context));
        let mut state = self.output.shared.lock();
        state.check()?;
        let taken = bytes.len().min(self.room(&state));
        let bytes = bytes.get(..taken).unwrap_or_default();
        let has_work = state.take(Bytes::copy_from_slice(bytes))?;
        self.output.record(bytes);
        if has_work {
            drop(state);
            self.output.shared.work.notify_one();
        }
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.output.shared.lock();
        let target = state.queued;
        std::task::ready!(state.poll_written(target, context));
        Poll::Ready(state.check())
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        self.shared.is_terminal
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.stream())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.stream())
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("held", &self.shared.lock().held()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
