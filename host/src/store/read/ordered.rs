//! Reading many objects in order, with the next ones fetched ahead.
//!
//! Owns: the order, how much is held ahead, and where one object ends and the next begins.
//! Must not know: what is in the objects.
//!
//! 1. Chunks come in the order of the parts, each part with exactly one chunk that is its last.
//! 2. At most 16 objects are under way, and each holds at most two pieces of 1 MiB that nobody
//!    has asked for: 32 MiB in all. (A store that delivers larger pieces is taken at its word.)
//!    Of large files only 4 are: what is near need not be fetched early, and stays in the
//!    processor's caches until it is used.
//! 3. One get per part, none for parts that were never reached.
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

/// How many objects are fetched at once by one ordered read.
pub const OBJECTS_AHEAD_MAX: usize = 16;

/// How many large files are read at once by one ordered read. What the first object is shows only
/// when it is there; a folder is taken to hold large ones until then.
pub(crate) const FILES_AHEAD_MAX: usize = 4;

/// A large file is one of which reading the bytes takes longer than finding it.
const LARGE_FILE_BYTES: u64 = 256 * 1024;

/// How many pieces of each object are held: one in the channel, one waiting to enter it.
const PIECES_AHEAD: usize = 2;

/// How many bytes one ordered read holds ahead of its reader.
pub const AHEAD_BYTES_MAX: usize = OBJECTS_AHEAD_MAX * PIECES_AHEAD * PIECE_BYTES;

const _: () = assert!(AHEAD_BYTES_MAX == 32 * 1024 * 1024);

/// One object, or a range of one, of an ordered read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadPart {
    /// The object's key.
    pub key: String,
    /// The bytes to read, not empty and within the object; all if none.
    pub range: Option<Range<u64>>,
}

/// Some bytes of one part of an ordered read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Which part it is of, from 0.
    pub part: usize,
    /// The bytes, empty only for an empty object.
    pub bytes: Bytes,
    /// Whether these are the last bytes of the part.
    pub last: bool,
}

/// Says which part of an ordered read failed, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("part {part}: {error}")]
pub struct OrderedReadError {
    /// Which part failed, from 0; all before it were delivered whole.
    pub part: usize,
    /// What failed.
    #[source]
    pub error: StoreError,
}

impl Store {
    /// Reads `parts` one after the other; nothing is requested before the first chunk is asked for.
    ///
    /// Later objects are fetched while earlier ones are used: up to [`OBJECTS_AHEAD_MAX`] at once,
    /// with up to [`AHEAD_BYTES_MAX`] bytes held. From memory nothing is copied or fetched ahead.
    pub fn read_ordered(&self, parts: Vec<ReadPart>) -> OrderedRead {
        let is_folder = matches!(self.inner.backend.as_ref(), Backend::Folder(_));
        OrderedRead {
            inner: Arc::clone(&self.inner),
            waiting: parts.into_iter().enumerate(),
            ahead: VecDeque::new(),
            ahead_max: if is_folder { FILES_AHEAD_MAX } else { OBJECTS_AHEAD_MAX },
            objects_ahead: OBJECTS_AHEAD_MAX,
            inline: None,
            rest: None,
        }
    }
}

/// A read of many objects under way; dropping it stops what is fetched ahead.
pub struct OrderedRead {
    inner: Arc<Inner>,
    waiting: std::iter::Enumerate<std::vec::IntoIter<ReadPart>>,
    ahead: VecDeque<Fetch>,
    ahead_max: usize,
    /// As the caller wants it at most.
    objects_ahead: usize,
    /// The object being read, for a store in this process.
    inline: Option<(usize, ObjectRead)>,
    /// What is left of a piece that was longer than the caller wanted, and how long the piece was.
    rest: Option<(Chunk, usize)>,
}

/// Bytes, and whether they are the last ones.
type Piece = Result<(Bytes, bool), StoreError>;

/// A piece, and whether it is of a large file.
type Fetched = (Piece, bool);

/// An object being fetched.
struct Fetch {
    part: usize,
    key: String,
    pieces: mpsc::Receiver<Fetched>,
    /// What goes on with it; none if that had not to wait.
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
    /// Fetches at most so many objects at once, 1 or more.
    pub(crate) fn with_objects_ahead(self, objects: usize) -> Self {
        Self { objects_ahead: objects.max(1), ..self }
    }

    /// Returns the next chunk, of 1 to `max_bytes` bytes (taken as at least 1), or none at the end.
    ///
    /// Cancel safe: the next call goes on where a dropped one stood.
    ///
    /// # Errors
    /// [`OrderedReadError`] as of [`Store::get`]; afterwards the read is over and returns none.
    pub async fn next(&mut self, max_bytes: usize) -> Option<Result<Chunk, OrderedReadError>> {
        let (chunk, piece_bytes) = match self.rest.take() {
            Some(rest) => rest,
            None => match self.next_piece().await? {
                (part, Ok((bytes, last))) => {
                    let piece_bytes = bytes.len();
                    (Chunk { part, bytes, last }, piece_bytes)
                }
                (part, Err(error)) => {
                    self.stop();
                    return Some(Err(OrderedReadError { part, error }));
                }
            },
        };
        Some(Ok(self.cut(chunk, piece_bytes, max_bytes.max(1))))
    }

    /// Cuts off what the caller does not want yet. Less than half of a piece is copied, so that who
    /// keeps it does not keep much more.
    fn cut(&mut self, mut chunk: Chunk, piece_bytes: usize, max_bytes: usize) -> Chunk {
        if chunk.bytes.len() > max_bytes {
            let (part, last) = (chunk.part, chunk.last);
            let rest = Chunk { part, bytes: chunk.bytes.split_off(max_bytes), last };
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
        let (part, mut read) = match self.inline.take() {
            Some(current) => current,
            None => {
                let (part, ReadPart { key, range }) = self.waiting.next()?;
                match ObjectRead::open(&self.inner, &key, range).await {
                    Ok(read) => (part, read),
                    Err(error) => return Some((part, Err(error))),
                }
            }
        };
        let piece = read.next(&self.inner).await;
        let last = read.is_done();
        if !last {
            self.inline = Some((part, read));
        }
        Some((part, piece.map(|bytes| (bytes, last))))
    }

    async fn next_fetched(&mut self) -> Option<(usize, Piece)> {
        while self.ahead.len() < self.ahead_max.min(self.objects_ahead) {
            let Some((part, wanted)) = self.waiting.next() else {
                break;
            };
            self.ahead.push_back(start_fetch(&self.inner, part, wanted));
        }
        let fetch = self.ahead.front_mut()?;
        let part = fetch.part;
        let (piece, is_large_file) = fetch.pieces.recv().await.unwrap_or_else(|| {
            let stopped = "it was stopped before its end";
            let kind = StoreErrorKind::Unavailable;
            (Err(self.inner.context.error(kind, "read", &fetch.key, stopped)), false)
        });
        self.ahead_max = if is_large_file { FILES_AHEAD_MAX } else { OBJECTS_AHEAD_MAX };
        if matches!(piece, Ok((_, true))) {
            self.ahead.pop_front();
        }
        Some((part, piece))
    }

    /// How many objects are being fetched.
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

fn start_fetch(inner: &Arc<Inner>, part: usize, wanted: ReadPart) -> Fetch {
    let (sender, pieces) = mpsc::channel(PIECES_AHEAD.saturating_sub(1));
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
    // A store that panics ends the fetch and nothing else.
    let mut fetch = Box::pin(AssertUnwindSafe(fetch).catch_unwind());
    // A store that need not wait has the object now; a task for it would cost more.
    let is_done = fetch.as_mut().now_or_never().is_some();
    let task = (!is_done).then(|| tokio::spawn(fetch).abort_handle());
    Fetch { part, key, pieces, task }
}
