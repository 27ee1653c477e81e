//! Reading many objects in order, with the next ones fetched ahead.
//!
//! Owns: the order, and the boundary between objects.
//! Must not know: the content of the objects.
//!
//! 1. Chunks come in the order of the ranges, and exactly one chunk of each range is its last.
//! 2. The objects in flight hold at most 32 MiB that the caller has not asked for yet, and each at
//!    most 4 MiB: see [`window`](super::window). A store that delivers pieces of more than 1 MiB
//!    may exceed this.
//! 3. Small files of a folder are read many in one call: see [`run`](super::run). Of large ones
//!    only 4 are in flight. A local file need not be fetched early, and stays in the processor's
//!    caches until it is used.
//! 4. One get per range, none for ranges that were never reached. A long range of known length may
//!    take one for each of its parts: see [`parts`](super::parts).
//! 5. After an error the read is over.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use stratalog_store_rules::error::OrderedReadError;
use stratalog_store_rules::objects::{Chunk, ObjectRange};

use crate::store::backend::local::Pace;
use crate::store::read::fetch::{Fetch, Piece};
use crate::store::read::get::ObjectRead;
use crate::store::read::parts::{Parts, Wanted, part_bytes};
use crate::store::read::window::{Admission, Width};
use crate::store::{Backend, Inner, Store};

/// The most objects that one ordered read fetches concurrently.
pub const OBJECTS_AHEAD_MAX: usize = 128;

/// The number of large files that one ordered read reads concurrently. The size of the first object
/// is known only when it arrives. Until then a folder is assumed to hold large files.
pub(crate) const FILES_AHEAD_MAX: usize = 4;

/// The number of runs of small files in flight where they keep a processor busy.
pub(crate) const BUSY_RUNS_AHEAD: usize = 2;

/// The number of bytes that one ordered read holds ahead of its reader.
pub const AHEAD_BYTES_MAX: usize = SHARES_AHEAD_MAX * SHARE_AHEAD_BYTES;

/// The shares of these bytes, for a caller that counts them against a limit. A run of files takes
/// one.
pub(crate) const SHARES_AHEAD_MAX: usize = 16;
pub(crate) const SHARE_AHEAD_BYTES: usize = 2 * 1024 * 1024;

const _: () = assert!(AHEAD_BYTES_MAX == 32 * 1024 * 1024);

impl Store {
    /// Reads `ranges` one after the other. Nothing is requested before the first call of `next`.
    ///
    /// Later objects are fetched while earlier ones are used, with up to [`AHEAD_BYTES_MAX`] bytes
    /// in memory. Their number follows from the store's latency, up to [`OBJECTS_AHEAD_MAX`]. A
    /// store in memory copies and fetches nothing ahead.
    pub fn read_ordered(&self, ranges: Vec<ObjectRange>) -> OrderedRead {
        let wanted = |(number, object)| Wanted { number, object, is_last: true };
        OrderedRead {
            inner: Arc::clone(&self.inner),
            waiting: ranges.into_iter().enumerate().map(wanted).collect(),
            ahead: VecDeque::new(),
            width: Width::new(OBJECTS_AHEAD_MAX),
            runs_max: SHARES_AHEAD_MAX,
            admission: Admission::new(AHEAD_BYTES_MAX),
            parts: Parts::new(AHEAD_BYTES_MAX),
            pace: Pace::default(),
            has_large_files: matches!(self.inner.backend.as_ref(), Backend::Folder(_)),
            inline: None,
            rest: None,
        }
    }
}

/// A read of many objects in progress. Dropping it stops the fetches.
pub struct OrderedRead {
    inner: Arc<Inner>,
    waiting: VecDeque<Wanted>,
    ahead: VecDeque<Fetch>,
    width: Width,
    /// The caller's limit of runs of files.
    runs_max: usize,
    admission: Admission,
    parts: Parts,
    pace: Pace,
    has_large_files: bool,
    /// The object being read, for a store in this process.
    inline: Option<(usize, ObjectRead)>,
    /// The rest of a piece that was longer than the caller's limit, and the length of that piece.
    rest: Option<(Chunk, usize)>,
}

impl OrderedRead {
    /// Limits the bytes ahead to this many shares of [`SHARE_AHEAD_BYTES`], 1 or more. With one
    /// share, one object is fetched.
    pub(crate) fn with_shares_ahead(self, shares: usize) -> Self {
        let shares = shares.clamp(1, SHARES_AHEAD_MAX);
        let objects = if shares == 1 { 1 } else { OBJECTS_AHEAD_MAX / SHARES_AHEAD_MAX * shares };
        let ahead_bytes_max = shares * SHARE_AHEAD_BYTES;
        Self {
            width: Width::new(objects),
            runs_max: shares,
            admission: Admission::new(ahead_bytes_max),
            parts: Parts::new(ahead_bytes_max),
            ..self
        }
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
                let Wanted { number, object, .. } = self.waiting.pop_front()?;
                let ObjectRange { key, range } = object;
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
        self.fetch_ahead();
        let fetch = self.ahead.front_mut()?;
        let fetched = fetch.next(&self.inner).await;
        self.has_large_files = fetched.is_large_file;
        let mut is_slow = false;
        match (self.inner.backend.as_ref(), fetched.measured) {
            (Backend::Folder(_), Some((files, took))) => self.pace.measured(files, took),
            (Backend::Objects { .. }, Some((_, latency))) => self.parts.opened(latency),
            (Backend::Objects { .. }, None) => {
                if let (Ok((bytes, _)), Some(waited)) = (&fetched.piece, fetched.waited) {
                    is_slow =
                        self.parts.waited(waited, bytes.len(), fetch.left().unwrap_or_default());
                }
            }
            (Backend::Folder(_), None) => {}
        }
        if fetched.ends_request {
            self.width.took(fetched.waited.is_some());
            if fetch.is_over() {
                self.leave_first();
            }
        } else if is_slow {
            self.divide();
        }
        Some((fetched.number, fetched.piece))
    }

    fn leave_first(&mut self) {
        self.ahead.pop_front();
        self.admission.leave();
    }

    /// Divides the first range into what has arrived and the rest, of which parts are fetched next.
    /// The ranges behind it are fetched again later.
    fn divide(&mut self) {
        let Some(rest) = self.ahead.front_mut().and_then(Fetch::cut) else { return };
        for fetch in self.ahead.drain(1..).rev() {
            if let Some(wanted) = fetch.into_wanted() {
                self.waiting.push_front(wanted);
            }
            self.admission.put_off();
        }
        self.waiting.push_front(rest);
        if self.ahead.front().is_some_and(Fetch::is_empty) {
            self.leave_first();
        }
    }

    /// Begins as many fetches as there is room for.
    fn fetch_ahead(&mut self) {
        let inner = Arc::clone(&self.inner);
        while self.ahead.len() < self.fetches_max() && self.admission.has_room() {
            let Some(Wanted { number, .. }) = self.waiting.front() else { break };
            let fetch = match inner.backend.as_ref() {
                Backend::Folder(_) => {
                    let number = *number;
                    let files = if self.has_large_files { 1 } else { self.pace.run_files() };
                    let run = self.waiting.drain(..files.min(self.waiting.len()));
                    Fetch::files(&inner, number, run.map(|wanted| wanted.object).collect())
                }
                Backend::Objects { .. } => {
                    let Some(wanted) = self.next_wanted() else { break };
                    Fetch::object(&inner, wanted, &self.admission)
                }
            };
            self.ahead.push_back(fetch);
        }
    }

    /// Takes the next range, or the next part of one.
    fn next_wanted(&mut self) -> Option<Wanted> {
        let mut wanted = self.waiting.pop_front()?;
        if self.parts.are_used()
            && let Some(rest) = wanted.split_off(part_bytes())
        {
            self.waiting.push_front(rest);
        }
        Some(wanted)
    }

    fn fetches_max(&self) -> usize {
        match self.inner.backend.as_ref() {
            Backend::Folder(_) if self.has_large_files => FILES_AHEAD_MAX.min(self.runs_max),
            Backend::Folder(_) if self.pace.is_busy() => BUSY_RUNS_AHEAD.min(self.runs_max),
            Backend::Folder(_) => self.runs_max,
            Backend::Objects { .. } if self.has_large_files => {
                FILES_AHEAD_MAX.min(self.width.objects())
            }
            Backend::Objects { .. } => self.width.objects(),
        }
    }

    /// Returns the number of fetches, each of an object or of a run of files.
    #[cfg(test)]
    pub(crate) fn fetches(&self) -> usize {
        self.ahead.len()
    }

    /// Returns the number of calls that have read files.
    #[cfg(test)]
    pub(crate) fn calls(&self) -> usize {
        self.pace.runs
    }

    fn stop(&mut self) {
        self.waiting.clear();
        self.ahead.clear();
        self.inline = None;
        self.rest = None;
    }
}
