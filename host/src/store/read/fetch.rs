//! A fetch in progress: of one object from a network, or of a run of files from a folder.
//!
//! Owns: the task of a fetch, and the pieces that have arrived.
//! Must not know: the other fetches.
//!
//! 1. Pieces come in order, and each object ends with one last piece, or with an error. Of a range
//!    in parts only the last part has a last piece.
//! 2. Dropping a fetch ends its task.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::FutureExt;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::numbers::to_u64;
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::read::file::PIECE_BYTES;
use crate::store::read::get::ObjectRead;
use crate::store::read::parts::Wanted;
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
    /// The range that is fetched, and the bytes of it that were returned. None for a run of files.
    wanted: Option<(Wanted, u64)>,
    /// The task that continues the fetch; none if the fetch did not have to wait.
    task: Option<AbortHandle>,
}

/// Consecutive pieces.
struct Group {
    pieces: VecDeque<Piece>,
    /// The objects that were opened in one call, or read in it if they are files, and its time.
    measured: Option<(usize, Duration)>,
    is_large_file: bool,
}

/// The next piece of a fetch.
pub(crate) struct Fetched {
    pub(crate) number: usize,
    pub(crate) piece: Piece,
    /// True if the piece was the last one of what was requested.
    pub(crate) ends_request: bool,
    /// The time until the piece arrived. None if it had.
    pub(crate) waited: Option<Duration>,
    pub(crate) measured: Option<(usize, Duration)>,
    pub(crate) is_large_file: bool,
}

impl Fetch {
    /// Begins to fetch an object.
    pub(crate) fn object(inner: &Arc<Inner>, wanted: Wanted, admission: &Admission) -> Self {
        let place = admission.enter(wanted.bytes());
        // One more piece waits to enter the channel.
        let pieces = (admission.object_bytes_max() / PIECE_BYTES).saturating_sub(1).max(1);
        let (sender, groups) = mpsc::channel(pieces);
        let ObjectRange { key, range } = wanted.object.clone();
        let (inner, admission) = (Arc::clone(inner), admission.clone());
        let fetch = async move {
            let begun = Instant::now();
            let read = match ObjectRead::open(&inner, &key, range).await {
                Ok(read) => read,
                Err(error) => return drop(sender.send(Group::of(Err(error), false)).await),
            };
            let opened = Some((1, begun.elapsed()));
            admission.admit(place, read.total()).await;
            let is_large_file = read.is_of_file() && read.total() >= LARGE_FILE_BYTES;
            send_pieces(&inner, &sender, read, is_large_file, opened).await;
        };
        let (number, key) = (wanted.number, wanted.object.key.clone());
        let mut begun = Self::begin(number..number + 1, key, groups, fetch);
        begun.wanted = Some((wanted, 0));
        begun
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
        Self { number, end, arrived, is_large_file: false, groups, key, wanted: None, task }
    }

    /// The bytes of a range of known length that were not returned yet.
    pub(crate) fn left(&self) -> Option<u64> {
        let (wanted, returned) = self.wanted.as_ref()?;
        wanted.bytes()?.checked_sub(*returned)
    }

    /// Ends a fetch of a range of known length behind the bytes that have arrived. Returns the rest
    /// of the range. None if the fetch has ended already.
    pub(crate) fn cut(&mut self) -> Option<Wanted> {
        self.stop();
        self.groups.close();
        while let Ok(group) = self.groups.try_recv() {
            self.arrived.extend(group.pieces);
        }
        let (wanted, returned) = self.wanted.as_mut()?;
        let mut bytes = *returned;
        for piece in &self.arrived {
            bytes += to_u64(piece.as_ref().ok().filter(|(_, is_last)| !is_last)?.0.len());
        }
        let rest = wanted.split_off(bytes)?;
        if let Some(Ok((_, is_last))) = self.arrived.back_mut() {
            *is_last = true;
        }
        Some(rest)
    }

    /// Returns the range, to fetch it later.
    pub(crate) fn into_wanted(mut self) -> Option<Wanted> {
        self.wanted.take().map(|(wanted, _)| wanted)
    }

    /// Returns true if nothing has arrived that was not returned.
    pub(crate) fn is_empty(&self) -> bool {
        self.arrived.is_empty()
    }

    fn stop(&self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }

    /// Returns the next piece. Must not be called after the last one, or an error.
    ///
    /// Cancel safe: a piece is taken by the call that returns it.
    pub(crate) async fn next(&mut self, inner: &Inner) -> Fetched {
        let (mut waited, mut measured) = (None, None);
        let piece = loop {
            if let Some(piece) = self.arrived.pop_front() {
                break piece;
            }
            let group = match self.groups.try_recv() {
                Ok(group) => Some(group),
                Err(_) => {
                    let begun = Instant::now();
                    let group = self.groups.recv().await;
                    waited = Some(waited.unwrap_or_default() + begun.elapsed());
                    group
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
        let ends_request = matches!(piece, Ok((_, true)));
        self.number += usize::from(ends_request);
        let mut ends_range = ends_request;
        if let Some((wanted, returned)) = &mut self.wanted {
            *returned += piece.as_ref().map_or(0, |(bytes, _)| to_u64(bytes.len()));
            ends_range &= wanted.is_last;
        }
        let piece = piece.map(|(bytes, _)| (bytes, ends_range));
        let is_large_file = self.is_large_file;
        Fetched { number, piece, ends_request, waited, measured, is_large_file }
    }

    /// Returns whether all objects were returned.
    pub(crate) fn is_over(&self) -> bool {
        self.number == self.end
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Group {
    fn of(piece: Piece, is_large_file: bool) -> Self {
        Self { pieces: VecDeque::from([piece]), measured: None, is_large_file }
    }
}

/// Sends the pieces of an object, of which the first says how long it took to open it. Returns
/// whether all were sent.
async fn send_pieces(
    inner: &Inner,
    sender: &mpsc::Sender<Group>,
    mut read: ObjectRead,
    is_large_file: bool,
    mut opened: Option<(usize, Duration)>,
) -> bool {
    loop {
        let piece = read.next(inner).await;
        let is_failed = piece.is_err();
        let piece = piece.map(|bytes| (bytes, read.is_done()));
        let group = Group { measured: opened.take(), ..Group::of(piece, is_large_file) };
        if sender.send(group).await.is_err() || is_failed {
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
    let (count, mut is_large_file) = (files.len(), false);
    for file in files {
        match file {
            Ok(Found::Whole(bytes)) => {
                is_large_file = to_u64(bytes.len()) >= LARGE_FILE_BYTES;
                pieces.push_back(Ok((bytes, true)));
            }
            Ok(Found::Read(read)) => {
                is_large_file = read.total() >= LARGE_FILE_BYTES;
                unread = Some(read);
            }
            Err(error) => {
                is_failed = true;
                pieces.push_back(Err(error));
            }
        }
    }
    *at += count;
    let measured = Some((count, took));
    let group = Group { pieces, measured, is_large_file };
    if sender.send(group).await.is_err() || is_failed {
        return false;
    }
    match unread {
        Some(read) => send_pieces(inner, sender, *read, is_large_file, None).await,
        None => count > 0,
    }
}
