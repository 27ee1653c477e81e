//! Reading many objects in order, with the next ones fetched ahead.
//!
//! Owns: the order, the limit of bytes read ahead, and the boundary between objects.
//! Must not know: the content of the objects.
//!
//! 1. Chunks come in the order of the ranges, and exactly one chunk of each range is its last.
//! 2. At most 16 objects are in flight, and each holds at most two pieces of 1 MiB that the caller
//!    has not asked for yet: 32 MiB in all. A store that delivers larger pieces may exceed this. Of
//!    large files only 4 are in flight. A local file need not be fetched early, and stays in the
//!    processor's caches until it is used.
//! 3. One get per range, none for ranges that were never reached.
//! 4. After an error the read is over.

use std::collections::VecDeque;
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::read::file::PIECE_BYTES;
use crate::store::read::get::ObjectRead;
use crate::store::{Backend, Inner, Store};

/// The number of objects that one ordered read fetches concurrently.
pub const OBJECTS_AHEAD_MAX: usize = 16;

/// The number of large files that one ordered read reads concurrently. The size of the first object
/// is known only when it arrives. Until then a folder is assumed to hold large files.
pub(crate) const FILES_AHEAD_MAX: usize = 4;

/// The size from which reading a file's bytes takes longer than finding the file.
const LARGE_FILE_BYTES: u64 = 256 * 1024;

/// The number of pieces of each object in memory: one in the channel, one waiting to enter it.
const PIECES_AHEAD: usize = 2;

/// The number of bytes that one ordered read holds ahead of its reader.
pub const AHEAD_BYTES_MAX: usize = OBJECTS_AHEAD_MAX * PIECES_AHEAD * PIECE_BYTES;

const _: () = assert!(AHEAD_BYTES_MAX == 32 * 1024 * 1024);

/// One object, or a range of one, of an ordered read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRange {
    /// The object's key.
    pub key: String,
    /// The bytes to read, not empty and within the object; all if none.
    pub range: Option<Range<u64>>,
}

/// Bytes of one range of an ordered read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The number of the range of these bytes, from 0.
    pub number: usize,
    /// The bytes, empty only for an empty object.
    pub bytes: Bytes,
    /// True if these are the last bytes of the range.
    pub last: bool,
}

/// Reports the range of an ordered read that failed, and the cause.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("range {number}: {error}")]
pub struct OrderedReadError {
    /// The number of the range that failed, from 0. All ranges before it were delivered whole.
    pub number: usize,
    /// The cause.
    #[source]
    pub error: StoreError,
}

impl Store {
    /// Reads `ranges` one after the other. Nothing is requested before the first call of `next`.
    ///
    /// Later objects are fetched while earlier ones are used: up to [`OBJECTS_AHEAD_MAX`]
    /// concurrently, with up to [`AHEAD_BYTES_MAX`] bytes in memory. A store in memory copies and
    /// fetches nothing ahead.
    pub fn read_ordered(&self, ranges: Vec<ObjectRange>) -> OrderedRead {
        let is_folder = matches!(self.inner.backend.as_ref(), Backend::Folder(_));
        OrderedRead {
            inner: Arc::clone(&self.inner),
            waiting: ranges.into_iter().enumerate(),
            ahead: VecDeque::new(),
            ahead_max: if is_folder { FILES_AHEAD_MAX } else { OBJECTS_AHEAD_MAX },
            objects_ahead: OBJECTS_AHEAD_MAX,
            inline: None,
            rest: None,
        }
    }
}

/// A read of many objects in progress. Dropping it stops the fetches.
pub struct OrderedRead {
    inner: Arc<Inner>,
    waiting: std::iter::Enumerate<std::vec::IntoIter<ObjectRange>>,
    ahead: VecDeque<Fetch>,
    ahead_max: usize,
    /// The caller's limit.
    objects_ahead: usize,
    /// The object being read, for a store in this process.
    inline: Option<(usize, ObjectRead)>,
    /// The rest of a piece that was longer than the caller's limit, and the length of that piece.
    rest: Option<(Chunk, usize)>,
}

/// Bytes, and whether they are the last ones.
type Piece = Result<(Bytes, bool), StoreError>;

/// A piece, and whether it is of a large file.
type Fetched = (Piece, bool);

/// An object being fetched.
struct Fetch {
    number: usize,
    key: String,
    pieces: mpsc::Receiver<Fetched>,
    /// The task that continues the fetch; none if the fetch did not have to wait.
    task: Option<AbortHandle>,
}

impl Drop for Fetch {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl OrderedRead {
    /// Limits the concurrent fetches to `objects`, 1 or more.
    pub(crate) fn with_objects_ahead(self, objects: usize) -> Self {
        Self { objects_ahead: objects.max(1), ..self }
    }

    /// Returns the next chunk, of 1 to `max_bytes` bytes (taken as at least 1), or none at the end.
    ///
    /// Cancel safe: the next call continues where a dropped one stopped.
    ///
    /// # Errors
    /// [`OrderedReadError`] as of [`Store::get`]. Afterwards the read is over and returns none.
    pub async fn next(&mut self, max_bytes: usize) -> Option<Result<Chunk, OrderedReadError>> {
        let (chunk, piece_bytes) = match self.rest.take() {
            Some(rest) => rest,
            None => match self.next_piece().await? {
                (number, Ok((bytes, last))) => {
                    let piece_bytes = bytes.len();
                    (Chunk { number, bytes, last }, piece_bytes)
                }
                (number, Err(error)) => {
                    self.stop();
                    return Some(Err(OrderedReadError { number, error }));
                }
            },
        };
        Some(Ok(self.cut(chunk, piece_bytes, max_bytes.max(1))))
    }

    /// Cuts off the bytes beyond the caller's limit. A chunk of less than half of a piece is
    /// copied, so that a caller who keeps it does not keep much more.
    fn cut(&mut self, mut chunk: Chunk, piece_bytes: usize, max_bytes: usize) -> Chunk {
        if chunk.bytes.len() > max_bytes {
            let (number, last) = (chunk.number, chunk.last);
            let rest = Chunk { number, bytes: chunk.bytes.split_off(max_bytes), last };
            self.rest = Some((rest, piece_bytes));
            chunk.last = false;
        }
        if chunk.bytes.len() < piece_bytes / 2 {
            chunk.bytes = Bytes::copy_from_slice(&chunk.bytes);
        }
        chunk
    }

    async fn next_piece(&mut self) -> Option<(usize, Piece)> {
        if self.inner.is_in_process { self.next_inline().await } else { self.next_fetched().await }
    }

    async fn next_inline(&mut self) -> Option<(usize, Piece)> {
        let (number, mut read) = match self.inline.take() {
            Some(current) => current,
            None => {
                let (number, ObjectRange { key, range }) = self.waiting.next()?;
                match ObjectRead::open(&self.inner, &key, range).await {
                    Ok(read) => (number, read),
                    Err(error) => return Some((number, Err(error))),
                }
            }
        };
        let piece = read.next(&self.inner).await;
        let last = read.is_done();
        if !last {
            self.inline = Some((number, read));
        }
        Some((number, piece.map(|bytes| (bytes, last))))
    }

    async fn next_fetched(&mut self) -> Option<(usize, Piece)> {
        while self.ahead.len() < self.ahead_max.min(self.objects_ahead) {
            let Some((number, wanted)) = self.waiting.next() else {
                break;
            };
            self.ahead.push_back(start_fetch(&self.inner, number, wanted));
        }
        let fetch = self.ahead.front_mut()?;
        let number = fetch.number;
        let (piece, is_large_file) = fetch.pieces.recv().await.unwrap_or_else(|| {
            let stopped = "the read was stopped before its end";
            let kind = StoreErrorKind::Unavailable;
            (Err(self.inner.context.error(kind, "read", &fetch.key, stopped)), false)
        });
        self.ahead_max = if is_large_file { FILES_AHEAD_MAX } else { OBJECTS_AHEAD_MAX };
        if matches!(piece, Ok((_, true))) {
            self.ahead.pop_front();
        }
        Some((number, piece))
    }

    /// Returns the number of objects being fetched.
    #[cfg(test)]
    pub(crate) fn fetches(&self) -> usize {
        self.ahead.len()
    }

    fn stop(&mut self) {
        self.waiting = Vec::new().into_iter().enumerate();
        self.ahead.clear();
        self.inline = None;
        self.rest = None;
    }
}

fn start_fetch(inner: &Arc<Inner>, number: usize, wanted: ObjectRange) -> Fetch {
    let (sender, pieces) = mpsc::channel(PIECES_AHEAD - 1);
    let key = wanted.key.clone();
    let inner = Arc::clone(inner);
    let fetch = async move {
        let mut read = match ObjectRead::open(&inner, &wanted.key, wanted.range).await {
            Ok(read) => read,
            Err(error) => {
                let _ = sender.send((Err(error), false)).await;
                return;
            }
        };
        let is_large_file = read.file_bytes().is_some_and(|bytes| bytes >= LARGE_FILE_BYTES);
        loop {
            let piece = read.next(&inner).await;
            let is_over = piece.is_err() || read.is_done();
            let piece = piece.map(|bytes| (bytes, read.is_done()));
            if sender.send((piece, is_large_file)).await.is_err() || is_over {
                return;
            }
        }
    };
    // A panic of the store ends the fetch and nothing else.
    let mut fetch = Box::pin(AssertUnwindSafe(fetch).catch_unwind());
    // A store that need not wait has the object now. A task for it would cost more.
    let is_done = fetch.as_mut().now_or_never().is_some();
    let task = (!is_done).then(|| tokio::spawn(fetch).abort_handle());
    Fetch { number, key, pieces, task }
}
