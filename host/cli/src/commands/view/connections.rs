//! The open connections: a bounded number, of which idle ones make room for new ones.
//!
//! 1. At most [`CONNECTIONS_MAX`] connections are open, besides one that was just accepted.
//! 2. A connection whose request is being answered is never ended for another. Of the others, that
//!    one is ended on which nothing has moved for the longest time.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;

/// The most connections at the same time. A browser makes six for each page.
const CONNECTIONS_MAX: usize = 64;

pub(super) struct Connections {
    free: Arc<Semaphore>,
    open: Mutex<Vec<(Arc<Activity>, AbortHandle)>>,
    /// Counts the movements of bytes on all connections: their order is all that matters.
    moves: Arc<AtomicU64>,
    /// Wakes the task that waits for an idle connection.
    changed: Arc<Notify>,
}

impl Connections {
    pub(super) fn new() -> Self {
        Self {
            free: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            open: Mutex::default(),
            moves: Arc::default(),
            changed: Arc::default(),
        }
    }

    /// Returns the place of a new connection, if need be that of an idle one.
    pub(super) async fn place(&self) -> Place {
        let permit = loop {
            if let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() {
                break permit;
            }
            if !self.end_an_idle_one() {
                // By the end of an answer, or of its connection.
                self.changed.notified().await;
            } else if let Ok(permit) = Arc::clone(&self.free).acquire_owned().await {
                break permit;
            }
        };
        let activity = Activity {
            last_move: AtomicU64::new(0),
            moves: Arc::clone(&self.moves),
            is_answering: AtomicBool::new(false),
            changed: Arc::clone(&self.changed),
        };
        activity.moved();
        let change = Change(Arc::clone(&self.changed));
        Place { activity: Arc::new(activity), _permit: permit, _change: change }
    }

    /// Remembers the task of a connection.
    pub(super) fn add(&self, activity: Arc<Activity>, task: AbortHandle) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(_, task)| !task.is_finished());
        open.push((activity, task));
    }

    /// Ends the connection that is idle for the longest time. Returns false if none is.
    fn end_an_idle_one(&self) -> bool {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(_, task)| !task.is_finished());
        let idle = open.iter().enumerate();
        let idle = idle.filter(|(_, (activity, _))| !activity.is_answering.load(Ordering::Acquire));
        let oldest =
            idle.min_by_key(|(_, (activity, _))| activity.last_move.load(Ordering::Relaxed));
        let Some((at, _)) = oldest else { return false };
        let (_, task) = open.swap_remove(at);
        task.abort();
        true
    }
}

/// The place of a connection among the open ones.
pub(super) struct Place {
    pub(super) activity: Arc<Activity>,
    _permit: OwnedSemaphorePermit,
    // Dropped last: who is woken finds the permit free.
    _change: Change,
}

/// Wakes who waits for a change when it is dropped.
struct Change(Arc<Notify>);

impl Drop for Change {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// The state of a connection.
pub(super) struct Activity {
    last_move: AtomicU64,
    moves: Arc<AtomicU64>,
    is_answering: AtomicBool,
    changed: Arc<Notify>,
}

impl Activity {
    /// Marks the connection as answering, until the result is dropped.
    pub(super) fn answering(self: &Arc<Self>) -> Answering {
        self.is_answering.store(true, Ordering::Release);
        Answering(Arc::clone(self))
    }

    fn moved(&self) {
        self.last_move.store(self.moves.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
    }
}

pub(super) struct Answering(Arc<Activity>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.moved();
        self.0.is_answering.store(false, Ordering::Release);
        self.0.changed.notify_one();
    }
}

/// A stream that reports its movements of bytes.
pub(super) struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if read.is_ready() {
            self.activity.moved();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if written.is_ready() {
            self.activity.moved();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        if written.is_ready() {
            self.activity.moved();
        }
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
