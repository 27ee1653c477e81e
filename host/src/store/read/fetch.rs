//! A fetch in progress: of one object from a network, or of a run of files from a folder.
//!
//! Owns: the task of a fetch, and the pieces that have arrived.
//! Must not know: the other fetches.
//!
//! 1. Pieces come in order, and each object ends with one last piece, or with an error.
//! 2. Dropping a fetch ends its task.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::read::file::PIECE_BYTES;
use crate::store::read::get::ObjectRead;
use crate::store::read::run::{self, Found, LARGE_FILE_BYTES, Step};
use crate::store::read::window::Admission;
use crate::store::{Backend, Inner, ObjectRange};

/// Bytes, and whether they are the last ones of their object.
pub(crate) type Piece = Result<(Bytes, bool), StoreError>;

/// The groups of pieces of a run in its channel. One more waits to enter it.
const RUN_GROUPS: usize = 1;

/// An object, or a run of files, being fetched.
pub(crate) struct Fetch {
    /// The number of the object that is next.
    number: usize,
    /// The number of the first object behind.
    end: usize,
    /// Pieces that have arrived.
    arrived: VecDeque<Piece>,
    is_large_file: bool,
    groups: mpsc::Receiver<Group>,
    /// The key of the first object.
    key: String,
    /// The task that continues the fetch; none if the fetch did not have to wait.
    task: Option<AbortHandle>,
}

/// Consecutive pieces.
struct Group {
    pieces: VecDeque<Piece>,
    /// Files that were read in one call, and its time.
    measured: Option<(usize, Duration)>,
    is_large_file: bool,
}

/// The next piece of a fetch.
pub(crate) struct Fetched {
    pub(crate) number: usize,
    pub(crate) piece: Piece,
    /// True if the piece had not arrived yet.
    pub(crate) waited: bool,
    pub(crate) measured: Option<(usize, Duration)>,
    pub(crate) is_large_file: bool,
}

impl Fetch {
    /// Begins to fetch an object.
    pub(crate) fn object(
        inner: &Arc<Inner>,
        number: usize,
        wanted: ObjectRange,
        admission: &Admission,
    ) -> Self {
        let size = wanted.range.as_ref().map(|range| range.end.saturating_sub(range.start));
        let place = admission.enter(size);
        // One more piece waits to enter the channel.
        let pieces = (admission.object_bytes_max() / PIECE_BYTES).saturating_sub(1).max(1);
        let (sender, groups) = mpsc::channel(pieces);
        let key = wanted.key.clone();
        let (inner, admission) = (Arc::clone(inner), admission.clone());
        let fetch = async move {
            let read = match ObjectRead::open(&inner, &wanted.key, wanted.range).await {
                Ok(read) => read,
                Err(error) => return drop(sender.send(Group::of(Err(error), false)).await),
            };
            admission.admit(place, read.total()).await;
            let is_large_file = read.is_of_file() && read.total() >= LARGE_FILE_BYTES;
            send_pieces(&inner, &sender, read, is_large_file).await;
        };
        Self::begin(number..number + 1, key, groups, fetch)
    }

    /// Begins to read a run of files, which are at least one.
    pub(crate) fn files(inner: &Arc<Inner>, number: usize, run: Arc<[ObjectRange]>) -> Self {
        let (sender, groups) = mpsc::channel(RUN_GROUPS);
        let key = run.first().map(|range| range.key.clone()).unwrap_or_default();
        let numbers = number..number + run.len();
        let inner = Arc::clone(inner);
        let fetch = async move {
            let mut at = 0;
            while at < run.len() && read_step(&inner, &run, &mut at, &sender).await {}
        };
        Self::begin(numbers, key, groups, fetch)
    }

    fn begin(
        numbers: std::ops::Range<usize>,
        key: String,
        groups: mpsc::Receiver<Group>,
        fetch: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        // A panic of the store ends the fetch and nothing else.
        let mut fetch = Box::pin(AssertUnwindSafe(fetch).catch_unwind());
        // A store that need not wait has the object now. A task for it would cost more.
        let is_done = fetch.as_mut().now_or_never().is_some();
        let task = (!is_done).then(|| tokio::spawn(fetch).abort_handle());
        let (number, end, arrived) = (numbers.start, numbers.end, VecDeque::new());
        Self { number, end, arrived, is_large_file: false, groups, key, task }
    }

    /// Returns the next piece. Must not be called after the last one, or an error.
    ///
    /// Cancel safe: a piece is taken by the call that returns it.
    pub(crate) async fn next(&mut self, inner: &Inner) -> Fetched {
        let (mut waited, mut measured) = (false, None);
        let piece = loop {
            if let Some(piece) = self.arrived.pop_front() {
                break piece;
            }
            let group = match self.groups.try_recv() {
                Ok(group) => Some(group),
                Err(_) => {
                    waited = true;
                    self.groups.recv().await
                }
            };
            let Some(group) = group else {
                let stopped = "the read was stopped before its end";
                let kind = StoreErrorKind::Unavailable;
                break Err(inner.context.error(kind, "read", &self.key, stopped));
            };
            self.arrived = group.pieces;
            (measured, self.is_large_file) = (group.measured.or(measured), group.is_large_file);
        };
        let number = self.number;
        if matches!(piece, Ok((_, true))) {
            self.number += 1;
        }
        Fetched { number, piece, waited, measured, is_large_file: self.is_large_file }
    }

    /// Returns whether all objects were returned.
    pub(crate) fn is_over(&self) -> bool {
        self.number == self.end
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Group {
    fn of(piece: Piece, is_large_file: bool) -> Self {
        Self { pieces: VecDeque::from([piece]), measured: None, is_large_file }
    }
}

/// Sends the pieces of an object. Returns whether all were sent.
async fn send_pieces(
    inner: &Inner,
    sender: &mpsc::Sender<Group>,
    mut read: ObjectRead,
    is_large_file: bool,
) -> bool {
    loop {
        let piece = read.next(inner).await;
        let is_failed = piece.is_err();
        let piece = piece.map(|bytes| (bytes, read.is_done()));
        if sender.send(Group::of(piece, is_large_file)).await.is_err() || is_failed {
            return false;
        }
        if read.is_done() {
            return true;
        }
    }
}

/// Reads the next files of a run and sends their pieces. Returns whether the run continues.
async fn read_step(
    inner: &Arc<Inner>,
    run: &Arc<[ObjectRange]>,
    at: &mut usize,
    sender: &mpsc::Sender<Group>,
) -> bool {
    let Backend::Folder(folder) = inner.backend.as_ref() else { return false };
    let reader = sender.clone();
    let step = run::step(inner, folder, run, *at, move || reader.is_closed());
    let Step { files, took } = step.await;
    let (mut pieces, mut unread, mut is_failed) = (VecDeque::new(), None, false);
    let count = files.len();
    for file in files {
        match file {
            Ok(Found::Whole(bytes)) => pieces.push_back(Ok((bytes, true))),
            Ok(Found::Read(read)) => unread = Some(read),
            Err(error) => {
                is_failed = true;
                pieces.push_back(Err(error));
            }
        }
    }
    *at += count;
    let measured = Some((count, took));
    let group = Group { pieces, measured, is_large_file: false };
    if sender.send(group).await.is_err() || is_failed {
        return false;
    }
    match unread {
        Some(read) => {
            let is_large_file = read.total() >= LARGE_FILE_BYTES;
            send_pieces(inner, sender, *read, is_large_file).await
        }
        None => count > 0,
    }
}
