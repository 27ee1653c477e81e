//! A plugin's input, which a thread reads, and only when the plugin requests some.

use std::fmt;
use std::future::poll_fn;
use std::io::{self, Read};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;

use bytes::Bytes;
use tokio::io::{AsyncRead, ReadBuf};
use wasmtime_wasi::cli::{IsTerminal, StdinStream};
use wasmtime_wasi::p2::{InputStream, Pollable, StreamError, StreamResult};

use super::descriptor::Stdin;

/// The most bytes of one read.
const BLOCK_BYTES: usize = 64 * 1024;

/// An input stream for a plugin, such as its stdin. Clones are one stream.
///
/// Nothing is read before the plugin requests it. A plugin that reads from a silent stream waits,
/// and may be stopped meanwhile. The thread that reads for it stays until there is input.
#[derive(Clone)]
pub struct Input {
    shared: Arc<Shared>,
    _open: Arc<Open>,
}

struct Shared {
    state: Mutex<State>,
    /// Notifies the thread of a request.
    work: Condvar,
    is_terminal: bool,
}

#[derive(Default)]
struct State {
    is_wanted: bool,
    /// Bytes that were read and not taken yet.
    bytes: Bytes,
    /// The reason why there is no more input: the end, or an error until the plugin has received
    /// it.
    ended: Option<Option<io::Error>>,
    /// True when all clones and handles are dropped.
    closed: bool,
    /// The tasks that wait for a change.
    waiting: Vec<Waker>,
}

/// Ends the thread with the last of the streams.
struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.work.notify_one();
    }
}

impl Input {
    /// Returns the process's stdin.
    ///
    /// # Errors
    /// The system provides no thread.
    pub fn stdin() -> io::Result<Self> {
        Self::start(Stdin, "stratalog-stdin", Stdin::is_terminal())
    }

    /// Returns an input from any reader, read by a thread of its own. The reader may block.
    ///
    /// # Errors
    /// The system provides no thread.
    pub fn new(reader: impl Read + Send + 'static) -> io::Result<Self> {
        Self::start(reader, "stratalog-input", false)
    }

    fn start(
        reader: impl Read + Send + 'static,
        name: &str,
        is_terminal: bool,
    ) -> io::Result<Self> {
        let state = Mutex::default();
        let shared = Arc::new(Shared { state, work: Condvar::new(), is_terminal });
        let of_thread = shared.clone();
        thread::Builder::new().name(name.to_owned()).spawn(move || of_thread.read_on(reader))?;
        let _open = Arc::new(Open(shared.clone()));
        Ok(Self { shared, _open })
    }
}

impl Shared {
    /// Runs the thread.
    fn read_on(&self, mut reader: impl Read) {
        let mut block = vec![0; BLOCK_BYTES];
        let mut state = self.lock();
        while !state.closed && state.ended.is_none() {
            if !state.is_wanted {
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            drop(state);
            let read = reader.read(&mut block);
            state = self.lock();
            state.is_wanted = false;
            match read {
                Ok(0) => state.ended = Some(None),
                Ok(bytes) => {
                    let bytes = block.get(..bytes).unwrap_or_default();
                    state.bytes = Bytes::copy_from_slice(bytes);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    state.is_wanted = true;
                    continue;
                }
                Err(error) => state.ended = Some(Some(error)),
            }
            state.waiting.drain(..).for_each(Waker::wake);
        }
    }

    /// Takes at most this many bytes of the input; requests more if there are none.
    fn take(&self, bytes_max: usize) -> ReadResult {
        let mut state = self.lock();
        if !state.bytes.is_empty() {
            let bytes = bytes_max.min(state.bytes.len());
            return ReadResult::Bytes(state.bytes.split_to(bytes));
        }
        match &mut state.ended {
            None => {
                self.want(&mut state);
                ReadResult::Bytes(Bytes::new())
            }
            Some(error) => error.take().map_or(ReadResult::End, ReadResult::Failed),
        }
    }

    fn want(&self, state: &mut State) {
        if !state.is_wanted {
            state.is_wanted = true;
            self.work.notify_one();
        }
    }

    fn poll_ready(&self, context: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if !state.bytes.is_empty() || state.ended.is_some() {
            return Poll::Ready(());
        }
        self.want(&mut state);
        let waker = context.waker();
        if !state.waiting.iter().any(|waiting| waiting.will_wake(waker)) {
            state.waiting.push(waker.clone());
        }
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The result of a read. No bytes: none are available now.
enum ReadResult {
    Bytes(Bytes),
    End,
    Failed(io::Error),
}

/// A plugin's handle to the stream.
struct Stream(Input);

impl InputStream for Stream {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if size == 0 {
            return Ok(Bytes::new());
        }
        match self.0.shared.take(size) {
            ReadResult::Bytes(bytes) => Ok(bytes),
            ReadResult::End => Err(StreamError::Closed),
            ReadResult::Failed(error) => Err(StreamError::LastOperationFailed(error.into())),
        }
    }
}

#[async_trait::async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {
        poll_fn(|context| self.0.shared.poll_ready(context)).await;
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        std::task::ready!(self.0.shared.poll_ready(context));
        match self.0.shared.take(buffer.remaining()) {
            ReadResult::Bytes(bytes) => {
                buffer.put_slice(&bytes);
                Poll::Ready(Ok(()))
            }
            ReadResult::End => Poll::Ready(Ok(())),
            ReadResult::Failed(error) => Poll::Ready(Err(error)),
        }
    }
}

impl IsTerminal for Input {
    fn is_terminal(&self) -> bool {
        self.shared.is_terminal
    }
}

impl StdinStream for Input {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        Box::new(Stream(self.clone()))
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(Stream(self.clone()))
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").finish_non_exhaustive()
    }
}
