//! Reading one object, whole or a range, in pieces of bounded size.
//!
//! Owns: the pieces, and the checks that a read got the announced bytes.
//! Must not know: the order in which objects are read, or their content.
//!
//! 1. A read yields exactly the announced number of bytes, or fails. Where the store gives a
//!    checksum of the object, the bytes of a whole read match it.
//! 2. A piece that arrives whole is passed on as it is. Small ones are joined up to 1 MiB.
//! 3. One request per object.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, GetResultPayload, ObjectStore};
use stratalog_store_rules::limits::GET_BYTES_MAX;

use crate::numbers::{count, size, to_u64, to_usize};
use crate::store::backend::local::{LocalFolder, blocking};
use crate::store::classify::is_range_refused;
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::read::file::{self, Opened, PIECE_BYTES};
#[cfg(not(feature = "network"))]
use crate::store::read::no_checksum::{Checking, Checksum};
#[cfg(feature = "network")]
use crate::store::reply::{Checking, Checksum};
use crate::store::{Backend, Inner, Store};
use crate::telemetry::{self, Direction};

/// A piece that arrives with at least this size is passed on without a copy.
const JOIN_BYTES_MAX: usize = 256 * 1024;

impl Store {
    /// Returns the bytes of the object `key`, or of a range of it.
    ///
    /// A range is in bytes, is not empty, and lies within the object.
    ///
    /// # Errors
    /// * `NotFound`: the object does not exist.
    /// * `Invalid`: the range is empty or reaches beyond the end, or there are more than
    ///   [`GET_BYTES_MAX`] bytes: use a smaller range.
    /// * `Unavailable`: the store did not deliver all bytes: retry.
    pub async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Bytes, StoreError> {
        let context = &self.inner.context;
        let too_long = |bytes: u64| {
            let reason = format!(
                "{} are more than the {} of one read; read a range",
                size(bytes),
                size(GET_BYTES_MAX)
            );
            context.error(StoreErrorKind::Invalid, "read", key, reason)
        };
        if let Some(bytes) = range.as_ref().map(|range| range.end.saturating_sub(range.start))
            && bytes > GET_BYTES_MAX
        {
            return Err(too_long(bytes));
        }
        let read = ObjectRead::open(&self.inner, key, range).await?;
        if read.remaining > GET_BYTES_MAX {
            return Err(too_long(read.remaining));
        }
        read.rest(&self.inner).await
    }
}

/// The cause that nothing of a range exists.
const BEYOND: &str = "the range starts beyond the end of the object";

/// A read of one object in progress.
pub(crate) struct ObjectRead {
    key: String,
    source: ByteSource,
    remaining: u64,
    total: u64,
    /// Present for a whole object whose store gave a checksum.
    checking: Option<Checking>,
}

enum ByteSource {
    Stream {
        stream: BoxStream<'static, object_store::Result<Bytes>>,
        /// Bytes that arrived and did not fit into the last piece.
        carried: Option<Bytes>,
    },
    File {
        /// Absent only while a piece is read.
        file: Option<File>,
        /// The start offset, until the first piece is read.
        seek: Option<u64>,
        /// The first piece of a file, read when the file was opened.
        first: Option<Bytes>,
    },
}

/// An object that was found.
struct FoundObject {
    /// The requested range, as far as it exists.
    range: Range<u64>,
    size: u64,
    source: ByteSource,
    checksum: Option<Checksum>,
}

impl FoundObject {
    async fn in_folder(
        folder: &LocalFolder,
        path: &Path,
        range: Option<Range<u64>>,
    ) -> Result<object_store::Result<Self>, StoreError> {
        let root = folder.root_there().await?;
        let key = path.to_string();
        let opened = blocking(move || Ok(file::open(&root, &key, range))).await?;
        Ok(opened.map(Self::of_file))
    }

    fn of_file(Opened { file, range, size, first }: Opened) -> Self {
        let source = ByteSource::File { file: Some(file), seek: None, first };
        Self { range, size, source, checksum: None }
    }

    async fn in_store(
        store: &Arc<dyn ObjectStore>,
        path: &Path,
        range: Option<Range<u64>>,
    ) -> object_store::Result<Self> {
        let range = range.map(GetRange::Bounded);
        let options = GetOptions { range, ..GetOptions::default() };
        let mut found = store.get_opts(path, options).await?;
        let checksum = found.extensions.remove::<Checksum>();
        let (range, size) = (found.range, found.meta.size);
        let source = match found.payload {
            GetResultPayload::Stream(stream) => ByteSource::Stream { stream, carried: None },
            GetResultPayload::File(file, _) => {
                let seek = (range.start > 0).then_some(range.start);
                ByteSource::File { file: Some(file), seek, first: None }
            }
        };
        Ok(Self { range, size, source, checksum })
    }
}

impl ObjectRead {
    /// Requests an object from the store. Its bytes come with [`ObjectRead::next`].
    pub(crate) async fn open(
        inner: &Inner,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<Self, StoreError> {
        let found = Self::find(inner, key, range.clone()).await?;
        Self::of_found(inner, key, range, found)
    }

    /// Requests what exists of a range, and returns the size of the object, too. The range must
    /// begin within the object.
    pub(crate) async fn open_part(
        inner: &Inner,
        key: &str,
        range: Range<u64>,
    ) -> Result<(Self, u64), StoreError> {
        let found = Self::find(inner, key, Some(range)).await?;
        let size = found.size;
        if found.range.is_empty() {
            return Err(invalid(inner, key, BEYOND));
        }
        Ok((Self::of_found(inner, key, None, found)?, size))
    }

    async fn find(
        inner: &Inner,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<FoundObject, StoreError> {
        let path = checked(inner, key, range.as_ref())?;
        let asked = async {
            let found = match inner.backend.as_ref() {
                Backend::Folder(folder) => {
                    FoundObject::in_folder(folder, &path, range.clone()).await?
                }
                Backend::Objects { store, .. } => {
                    FoundObject::in_store(store, &path, range.clone()).await
                }
            };
            found.map_err(|error| failed(inner, key, range.is_some(), &error))
        };
        inner.run_certain("read", key, asked).await
    }

    /// Makes the read of a file that was opened, or returns why it could not be.
    pub(crate) fn of_file(
        inner: &Inner,
        key: &str,
        range: Option<Range<u64>>,
        opened: object_store::Result<Opened>,
    ) -> Result<Self, StoreError> {
        let opened = opened.map_err(|error| failed(inner, key, range.is_some(), &error))?;
        Self::of_found(inner, key, range, FoundObject::of_file(opened))
    }

    fn of_found(
        inner: &Inner,
        key: &str,
        range: Option<Range<u64>>,
        found: FoundObject,
    ) -> Result<Self, StoreError> {
        let FoundObject { range: found, size, source, checksum } = found;
        if let Some(Range { start, end }) = range
            && found != (start..end)
        {
            let size = count(size, "byte", "bytes");
            let reason =
                format!("the range {start}..{end} reaches beyond the {size} of the object");
            return Err(invalid(inner, key, reason));
        }
        let total = found.end.saturating_sub(found.start);
        let checking = checksum.map(Checking::new);
        Ok(Self { key: key.to_owned(), source, remaining: total, total, checking })
    }

    /// Returns the bytes of a file if its first piece has all of them, as small files have.
    pub(crate) fn into_whole(mut self) -> Result<Bytes, Box<Self>> {
        let total = self.total;
        match &mut self.source {
            ByteSource::File { first, .. } => {
                let whole = first.take_if(|first| to_u64(first.len()) == total);
                whole.ok_or_else(|| Box::new(self))
            }
            ByteSource::Stream { .. } => Err(Box::new(self)),
        }
    }

    /// Returns all bytes that are left in one piece.
    pub(crate) async fn rest(mut self, inner: &Inner) -> Result<Bytes, StoreError> {
        let length = to_usize(self.remaining);
        let first = self.next(inner).await?;
        if self.is_done() {
            return Ok(first);
        }
        let mut all = Vec::with_capacity(length);
        all.extend_from_slice(&first);
        while !self.is_done() {
            all.extend_from_slice(&self.next(inner).await?);
        }
        Ok(Bytes::from(all))
    }

    /// Returns whether all announced bytes were returned.
    pub(crate) fn is_done(&self) -> bool {
        self.remaining == 0
    }

    /// Returns the announced number of bytes.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Returns whether the bytes come from a local file.
    pub(crate) fn is_of_file(&self) -> bool {
        matches!(self.source, ByteSource::File { .. })
    }

    /// Returns the next piece: up to 1 MiB, or more if it arrived in one. It is empty only if the
    /// object is. Must not be called again after the last piece or an error.
    pub(crate) async fn next(&mut self, inner: &Inner) -> Result<Bytes, StoreError> {
        if self.remaining == 0 {
            return Ok(Bytes::new());
        }
        let (key, remaining, source) = (&self.key, self.remaining, &mut self.source);
        let piece = async {
            let piece = match source {
                ByteSource::Stream { stream, carried } => {
                    next_of_stream(stream, carried, remaining).await
                }
                ByteSource::File { file, seek, first } => match first.take() {
                    Some(first) => Ok(first),
                    None => {
                        let piece = file::next(file, seek.take(), remaining).await;
                        piece.map_err(Failure::File)
                    }
                },
            };
            piece.map_err(|failure| match failure {
                Failure::Library(error) => inner.context.read_error("read", key, &error),
                Failure::File(error) => error,
            })
        };
        let piece = inner.run_certain("read", key, piece).await?;
        let length = to_u64(piece.len());
        if length == 0 || length > self.remaining {
            return Err(self.wrong_length(inner, length));
        }
        self.remaining -= length;
        telemetry::bytes_moved(inner.kind, Direction::Read, length);
        if let Some(checking) = &mut self.checking {
            checking.update(&piece);
        }
        match self.checking.take_if(|_| self.remaining == 0).and_then(Checking::mismatch) {
            Some(checksum) => Err(self.wrong_bytes(inner, checksum)),
            None => Ok(piece),
        }
    }

    fn wrong_bytes(&self, inner: &Inner, checksum: &str) -> StoreError {
        let reason = format!(
            "the {} received do not have the {checksum} that the store sent with them; try \
             again",
            count(self.total, "byte", "bytes")
        );
        inner.context.error(StoreErrorKind::Unavailable, "read", &self.key, reason)
    }

    fn wrong_length(&self, inner: &Inner, found: u64) -> StoreError {
        let total = self.total;
        let before = total - self.remaining;
        let reason =
            format!("{total} bytes were announced, {} were received; try again", before + found);
        let kind = StoreErrorKind::Unavailable;
        inner.context.error(kind, "read", &self.key, reason)
    }
}

/// Checks key and range, and returns the object's path.
pub(crate) fn checked(
    inner: &Inner,
    key: &str,
    range: Option<&Range<u64>>,
) -> Result<Path, StoreError> {
    let path = inner.path(key)?;
    match range {
        Some(Range { start, end }) if start >= end => {
            Err(invalid(inner, key, format!("the range {start}..{end} is empty")))
        }
        _ => Ok(path),
    }
}

fn invalid(inner: &Inner, key: &str, reason: impl Into<String>) -> StoreError {
    inner.context.error(StoreErrorKind::Invalid, "read", key, reason.into())
}

/// The error of a read whose object was not found or could not be opened.
fn failed(inner: &Inner, key: &str, is_range: bool, error: &object_store::Error) -> StoreError {
    if is_range && is_range_refused(error) {
        return invalid(inner, key, BEYOND);
    }
    inner.context.read_error("read", key, error)
}

enum Failure {
    Library(object_store::Error),
    File(StoreError),
}

/// Returns the next piece of a stream, or an empty one at its end.
async fn next_of_stream(
    stream: &mut BoxStream<'static, object_store::Result<Bytes>>,
    carried: &mut Option<Bytes>,
    remaining: u64,
) -> Result<Bytes, Failure> {
    let first = match carried.take() {
        Some(bytes) => bytes,
        None => next_frame(stream).await?.unwrap_or_default(),
    };
    let remaining = to_usize(remaining);
    if first.is_empty() || first.len() >= JOIN_BYTES_MAX || first.len() >= remaining {
        return Ok(first);
    }
    let mut piece = Vec::with_capacity(remaining.min(PIECE_BYTES));
    piece.extend_from_slice(&first);
    while piece.len() < remaining.min(PIECE_BYTES) {
        let Some(frame) = next_frame(stream).await? else {
            break;
        };
        if piece.len() + frame.len() > PIECE_BYTES {
            *carried = Some(frame);
            break;
        }
        piece.extend_from_slice(&frame);
    }
    Ok(Bytes::from(piece))
}

/// Returns the next frame that has bytes, or none at the end.
async fn next_frame(
    stream: &mut BoxStream<'static, object_store::Result<Bytes>>,
) -> Result<Option<Bytes>, Failure> {
    loop {
        match stream.next().await {
            Some(Ok(frame)) if frame.is_empty() => {}
            Some(Ok(frame)) => return Ok(Some(frame)),
            Some(Err(error)) => return Err(Failure::Library(error)),
            None => return Ok(None),
        }
    }
}
