//! Reading objects: one of them whole, a range of one, or many in order.
//!
//! Owns: the pieces, and the checks that a read got the announced bytes.
//! Must not know: the content of the objects.
//!
//! 1. A read yields exactly the announced number of bytes, or fails.
//! 2. Chunks come in the order of the ranges, and exactly one chunk of each range is its last.
//! 3. Nothing is opened before it is needed.

use std::ops::Range;
use std::rc::Rc;
use std::vec;

use bytes::Bytes;
use stratalog_store_exports::store::OrderedRead;
use stratalog_store_rules::error::{OrderedReadError, StoreError, StoreErrorKind};
use stratalog_store_rules::folder::failure::Step;
use stratalog_store_rules::limits::GET_BYTES_MAX;
use stratalog_store_rules::numbers::{to_u64, to_usize};
use stratalog_store_rules::objects::{Chunk, ObjectRange};

use crate::failure::{self, Failure};
use crate::folder::ReadableFile;
use crate::names;
use crate::root::{NotOpened, OpenFolder, Root};

/// A read of one object in progress.
struct ObjectRead {
    key: String,
    file: ReadableFile,
    /// The offset of the next byte.
    at: u64,
    remaining: u64,
    total: u64,
}

/// Returns the bytes of an object, or of a range of it.
pub(crate) fn get(
    root: &Root,
    key: &str,
    range: Option<Range<u64>>,
) -> Result<Vec<u8>, StoreError> {
    let mut read = ObjectRead::open(root, &mut OpenFolder::default(), key, range)?;
    if read.remaining > GET_BYTES_MAX {
        let reason = format!(
            "{} bytes are more than the {GET_BYTES_MAX} of one read; read a range",
            read.remaining
        );
        return Err(invalid(root, key, reason));
    }
    read.next(root, usize::MAX)
}

impl ObjectRead {
    fn open(
        root: &Root,
        folders: &mut OpenFolder,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<Self, StoreError> {
        names::check(key)?;
        if let Some(Range { start, end }) = range
            && start >= end
        {
            return Err(invalid(root, key, format!("the range {start}..{end} is empty")));
        }
        let failed = |failure: Failure| failure.into_error("read", key, root.description());
        let opened = folders.of(root, "read", key).and_then(|(folder, name)| {
            folder.open_file(name).map_err(|cause| {
                NotOpened::Folder(Failure::new(Step::Looking, "read", &root.place_of(key), cause))
            })
        });
        let (file, size) = opened.map_err(|reason| match reason {
            NotOpened::Root(error) => error,
            NotOpened::Folder(failure) => failed(failure),
        })?;
        let Range { start, end } = range.unwrap_or(0..size);
        if start > size || (start == size && end > size) {
            let reason = "the range starts beyond the end of the object";
            return Err(invalid(root, key, reason.to_owned()));
        }
        if end > size {
            let reason =
                format!("the range {start}..{end} reaches beyond the {size} bytes of the object");
            return Err(invalid(root, key, reason));
        }
        let total = end - start;
        Ok(Self { key: key.to_owned(), file, at: start, remaining: total, total })
    }

    /// Returns the next bytes, at most this many.
    fn next(&mut self, root: &Root, bytes_max: usize) -> Result<Vec<u8>, StoreError> {
        let wanted = to_usize(self.remaining).min(bytes_max);
        let bytes = self.file.read(self.at, wanted).map_err(|error| {
            let failure = Failure::new(Step::Looking, "read", &root.place_of(&self.key), error);
            failure.into_error("read", &self.key, root.description())
        })?;
        if bytes.len() != wanted {
            let found = self.total - self.remaining + to_u64(bytes.len());
            let reason =
                format!("{} bytes were announced, {found} were received; try again", self.total);
            let (kind, store) = (StoreErrorKind::Unavailable, root.description());
            return Err(failure::error(kind, "read", &self.key, store, reason));
        }
        self.at += to_u64(wanted);
        self.remaining -= to_u64(wanted);
        Ok(bytes)
    }
}

/// A read of many objects in order.
pub(crate) struct FolderRead {
    root: Result<Rc<Root>, StoreError>,
    waiting: vec::IntoIter<ObjectRange>,
    /// The number of ranges that were taken from those waiting.
    begun: usize,
    open: Option<ObjectRead>,
    folders: OpenFolder,
}

impl FolderRead {
    pub(crate) fn new(root: Result<Rc<Root>, StoreError>, ranges: Vec<ObjectRange>) -> Self {
        let (waiting, folders) = (ranges.into_iter(), OpenFolder::default());
        Self { root, waiting, begun: 0, open: None, folders }
    }
}

impl OrderedRead for FolderRead {
    fn next(&mut self, bytes_max: usize) -> Result<Option<Chunk>, OrderedReadError> {
        let read = self.open.take();
        let next = if read.is_none() { self.waiting.next() } else { None };
        if next.is_some() {
            self.begun += 1;
        }
        let number = self.begun.saturating_sub(1);
        let failed = |error| OrderedReadError { number, error };
        let root = self.root.clone().map_err(failed)?;
        let mut read = match (read, next) {
            (Some(read), _) => read,
            (None, Some(ObjectRange { key, range })) => {
                ObjectRead::open(&root, &mut self.folders, &key, range).map_err(failed)?
            }
            (None, None) => return Ok(None),
        };
        let bytes = Bytes::from(read.next(&root, bytes_max).map_err(failed)?);
        let last = read.remaining == 0;
        if !last {
            self.open = Some(read);
        }
        Ok(Some(Chunk { number, bytes, last }))
    }
}

fn invalid(root: &Root, key: &str, reason: String) -> StoreError {
    failure::error(StoreErrorKind::Invalid, "read", key, root.description(), reason)
}
