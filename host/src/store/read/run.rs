//! Reading consecutive small files of a folder in one call where it may block.
//!
//! Owns: the size of such a call, and the file at which it stopped.
//! Must not know: the order in which the caller takes the bytes.
//!
//! 1. A call ends with the first failure, after about [`RUN_TIME`], or with
//!    [`STEP_BYTES_MAX`] bytes. What it has read by then counts, even if its time limit ends it.
//! 2. Of a large file only the first piece is read here, and that only if it is the first file of
//!    the call.

use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::numbers::to_u64;
use crate::store::backend::local::{LocalFolder, OpenFolder, RUN_TIME, blocking};
use crate::store::error::StoreError;
use crate::store::read::file;
use crate::store::read::get::{self, ObjectRead};
use crate::store::{Inner, ObjectRange};
use crate::telemetry::{self, Direction};

/// The size from which reading a file's bytes takes longer than finding the file.
pub(crate) const LARGE_FILE_BYTES: u64 = 256 * 1024;

/// A call that has read this many bytes reads no further file.
const STEP_BYTES_MAX: u64 = 256 * 1024;

/// A file that was found.
pub(crate) enum Found {
    /// All bytes of a small file.
    Whole(Bytes),
    /// A file whose bytes are still to be read.
    Read(Box<ObjectRead>),
}

/// The first files of a run.
pub(crate) struct Step {
    /// In order. A failure is the last one.
    pub(crate) files: Vec<Result<Found, StoreError>>,
    pub(crate) took: Duration,
}

/// Reads the first files of a run, at least one. `is_over` says that nobody waits for them.
pub(crate) async fn step(
    inner: &Arc<Inner>,
    folder: &LocalFolder,
    run: &Arc<[ObjectRange]>,
    start: usize,
    is_over: impl Fn() -> bool + Send + 'static,
) -> Step {
    let files = Arc::new(Mutex::new(Vec::new()));
    let begun = Instant::now();
    let read = async {
        let root = folder.root_there().await?;
        let (inner, run, files) = (Arc::clone(inner), Arc::clone(run), Arc::clone(&files));
        let work = move || {
            let wanted = run.get(start..).unwrap_or_default();
            Ok(read_some(&inner, &root, wanted, &files, is_over))
        };
        blocking(work).await
    };
    let first = run.get(start).map_or("", |range| range.key.as_str());
    let read = inner.run_operation("read", first, read).await;
    let mut files = std::mem::take(&mut *lock(&files));
    let failed = match read {
        Ok(Ok(took)) => return Step { files, took },
        Ok(Err(error)) => Ok(error),
        Err(abandoned) => Err(abandoned),
    };
    // The file that did not come in time is the one behind those that did.
    if let Some(ObjectRange { key, .. }) = run.get(start + files.len()) {
        let abandoned = |abandoned| inner.context.abandoned("read", key, &abandoned);
        files.push(Err(failed.unwrap_or_else(abandoned)));
    }
    Step { files, took: begun.elapsed() }
}

fn read_some(
    inner: &Inner,
    root: &Path,
    wanted: &[ObjectRange],
    files: &Mutex<Vec<Result<Found, StoreError>>>,
    is_over: impl Fn() -> bool,
) -> Duration {
    let (begun, mut bytes) = (Instant::now(), 0_u64);
    let mut folders = OpenFolder::default();
    for (number, ObjectRange { key, range }) in wanted.iter().enumerate() {
        let first_max = if number == 0 { u64::MAX } else { LARGE_FILE_BYTES };
        let found = find(inner, &mut folders, root, key, range.as_ref(), first_max);
        let is_last = match &found {
            Ok(Found::Whole(whole)) => {
                let length = to_u64(whole.len());
                bytes += length;
                telemetry::bytes_moved(inner.kind, Direction::Read, length);
                bytes >= STEP_BYTES_MAX
            }
            Ok(Found::Read(_)) | Err(_) => true,
        };
        lock(files).push(found);
        if is_last || begun.elapsed() >= RUN_TIME || is_over() {
            break;
        }
    }
    begun.elapsed()
}

fn find(
    inner: &Inner,
    folders: &mut OpenFolder,
    root: &Path,
    key: &str,
    range: Option<&Range<u64>>,
    first_max: u64,
) -> Result<Found, StoreError> {
    let path = get::checked(inner, key, range)?;
    let opened = file::open_in(folders, root, path.as_ref(), range.cloned(), first_max);
    let read = ObjectRead::of_file(inner, key, range.cloned(), opened)?;
    Ok(match read.into_whole() {
        Ok(bytes) => Found::Whole(bytes),
        Err(read) => Found::Read(read),
    })
}

/// Nothing panics while it holds the lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
