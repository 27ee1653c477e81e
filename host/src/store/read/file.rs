//! Reading a local file in pieces, each with one call where it may block.
//!
//! Must not know: the key of the file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use bytes::Bytes;
use stratalog_store_rules::folder::failure::Step;
use stratalog_store_rules::key::split;

use crate::numbers::to_u64;
use crate::store::backend::local::{self, Cause, Failure, OpenFolder, blocking};
use crate::store::{StoreError, StoreErrorKind};

/// The size of a piece that is read from a file or joined from small ones.
pub(crate) const PIECE_BYTES: usize = 1024 * 1024;

/// An open file, and the first piece of the requested bytes: most files have one piece.
pub(crate) struct Opened {
    pub(crate) file: File,
    /// The requested range, as far as it exists.
    pub(crate) range: Range<u64>,
    pub(crate) size: u64,
    /// None if the range is longer than the caller allowed for the first piece.
    pub(crate) first: Option<Bytes>,
}

/// Opens the file of an object and reads the first piece of a range, or of the whole file. Blocks.
pub(crate) fn open(
    root: &Path,
    key: &str,
    range: Option<Range<u64>>,
) -> object_store::Result<Opened> {
    open_in(&mut OpenFolder::default(), root, key, range, u64::MAX)
}

/// As [`open`], in the folder that is open if it is the same. Reads no piece of a range with more
/// than `first_max` bytes.
pub(crate) fn open_in(
    folders: &mut OpenFolder,
    root: &Path,
    key: &str,
    range: Option<Range<u64>>,
    first_max: u64,
) -> object_store::Result<Opened> {
    let failed =
        |cause: Cause| Failure::new(Step::Looking, "read", &root.join(key), cause).into_library();
    let (folder, name) = split(local::checked_key(key).map_err(failed)?);
    let opened = folders.get(root, folder).and_then(|folder| folder.open_file(name));
    let (mut file, metadata) = opened.map_err(failed)?;
    let size = metadata.len();
    let range = range.unwrap_or(0..size);
    let range = range.start.min(size)..range.end.min(size);
    if range.start > 0 {
        file.seek(SeekFrom::Start(range.start)).map_err(|error| failed(error.into()))?;
    }
    let length = range.end - range.start;
    let first = (length <= first_max).then(|| piece(&mut file, length));
    let first = first.transpose().map_err(|error| failed(error.into()))?;
    Ok(Opened { file, range, size, first })
}

/// Reads the next piece of a file, from `seek` or from the current offset. The piece is shorter
/// than announced if the file has shrunk.
pub(crate) async fn next(
    slot: &mut Option<File>,
    seek: Option<u64>,
    remaining: u64,
) -> Result<Bytes, StoreError> {
    let Some(mut file) = slot.take() else {
        return Ok(Bytes::new());
    };
    let work = move || {
        let sought = seek.map_or(Ok(0), |start| file.seek(SeekFrom::Start(start)));
        match sought.and_then(|_| piece(&mut file, remaining)) {
            Ok(piece) => Ok((file, piece)),
            Err(error) => Err(StoreError::new(
                StoreErrorKind::Unavailable,
                format!("cannot read a file of the store: {error}"),
            )),
        }
    };
    let (file, piece) = blocking(work).await?;
    *slot = Some(file);
    Ok(piece)
}

fn piece(file: &mut File, remaining: u64) -> io::Result<Bytes> {
    let length = usize::try_from(remaining).map_or(PIECE_BYTES, |n| n.min(PIECE_BYTES));
    let mut piece = Vec::with_capacity(length);
    let take = to_u64(length);
    file.take(take).read_to_end(&mut piece)?;
    Ok(Bytes::from(piece))
}
