//! Sets a damaged object aside: copies its bytes to a name that the log ignores.

use xxhash_rust::xxh3::Xxh3;

use crate::decide::list_pages::Pages;
use crate::drive::catalog::Catalog;
use crate::drive::commit::Committer;
use crate::drive::segment_writer::write_failed;
use crate::error::Error;
use crate::format::names::{self, Digest, LogName, ObjectName, SET_ASIDE};
use crate::limits::{CHUNK_BYTES_MAX, LIST_PAGE_OBJECTS};
use crate::ports::{
    EntryKind, HostBytes, Listing, ObjectRange, OrderedRead, Sizes, Store, StoreErrorKind, System,
    Upload, WriteError,
};

/// The key of an object that was set aside.
pub(super) fn key(log: &LogName, object: &ObjectName) -> String {
    log.key(format!("{SET_ASIDE}{object}"))
}

/// Lists the objects of the log that were set aside, each with its key.
pub(super) fn listed<S: Store>(catalog: &Catalog<S>) -> Result<Vec<(ObjectName, String)>, Error> {
    let prefix = catalog.name.key(SET_ASIDE);
    let listing = catalog.store.list(&prefix, None, Sizes::Unused);
    let mut pages = Pages::new(&prefix, None);
    let mut objects = Vec::new();
    loop {
        let page = listing.next(LIST_PAGE_OBJECTS);
        let page = page.map_err(|error| Error::store("list", &prefix, &error))?;
        let has_more = pages.take(&page)?;
        let entries = page.objects.iter().filter(|entry| entry.kind == EntryKind::Object);
        objects.extend(entries.filter_map(|entry| {
            let own = catalog.name.object(&entry.key)?;
            Some((names::set_aside(own)?, entry.key.clone()))
        }));
        if !has_more {
            return Ok(objects);
        }
    }
}

/// Copies the object, if it exists. An object set aside under its name before stays; if that
/// differs, or is not an object, the copy gets a name with its digest.
pub(super) fn set_aside<S: Store>(catalog: &Catalog<S>, object: &ObjectName) -> Result<(), Error> {
    let (from, to) = (catalog.name.key(object), key(&catalog.name, object));
    let copied = copy(catalog, &from, &to);
    if matches!(copied, Ok(true)) {
        return Ok(());
    }
    let digest = digest_of(catalog, &from)?;
    // What cannot be read is not a copy: a link, for example.
    if copied.is_ok() && digest_of(catalog, &to).is_ok_and(|aside| aside == digest) {
        return Ok(());
    }
    if let Some(digest) = digest {
        let other = catalog.name.key(format!("{SET_ASIDE}{digest}_{object}"));
        copy(catalog, &from, &other).map_err(|error| copied.err().unwrap_or(error))?;
    }
    Ok(())
}

/// Copies an object, if it exists. Returns false if the name of the copy is taken.
fn copy<S: Store>(catalog: &Catalog<S>, from: &str, to: &str) -> Result<bool, Error> {
    let mut upload = None;
    let is_there = each_chunk(catalog, from, |bytes: S::Bytes| -> Result<(), NotCopied> {
        let current = match upload.take() {
            Some(upload) => upload,
            None => catalog.store.start_upload(to)?,
        };
        current.write(bytes)?;
        upload = Some(current);
        Ok(())
    });
    let written = is_there.and_then(|is_there| match upload.filter(|_| is_there) {
        Some(upload) => Ok(upload.finish()?),
        None => Ok(()),
    });
    match written {
        Ok(()) => Ok(true),
        Err(NotCopied::NotWritten(WriteError::AlreadyExists)) => Ok(false),
        Err(NotCopied::NotWritten(error)) => Err(write_failed(to, error)),
        Err(NotCopied::NotRead(error)) => Err(error),
    }
}

/// The reason why an object was not copied.
enum NotCopied {
    NotRead(Error),
    NotWritten(WriteError),
}

impl From<Error> for NotCopied {
    fn from(error: Error) -> Self {
        Self::NotRead(error)
    }
}

impl From<WriteError> for NotCopied {
    fn from(error: WriteError) -> Self {
        Self::NotWritten(error)
    }
}

/// Returns the digest of an object. None if it does not exist.
fn digest_of<S: Store>(catalog: &Catalog<S>, key: &str) -> Result<Option<Digest>, Error> {
    let mut hasher = Box::new(Xxh3::new());
    let is_there = each_chunk(catalog, key, |bytes: S::Bytes| -> Result<(), Error> {
        hasher.update(&bytes.read());
        Ok(())
    })?;
    Ok(is_there.then(|| Digest(hasher.digest())))
}

/// Passes an object's bytes to `show`. Returns false if the object does not exist.
fn each_chunk<S: Store, E: From<Error>>(
    catalog: &Catalog<S>,
    key: &str,
    mut show: impl FnMut(S::Bytes) -> Result<(), E>,
) -> Result<bool, E> {
    let read = catalog.store.read(&[ObjectRange { key: key.to_owned(), range: None }]);
    loop {
        match read.next(CHUNK_BYTES_MAX) {
            Ok(Some(chunk)) => show(chunk.bytes)?,
            Ok(None) => return Ok(true),
            Err(failure) if failure.error.kind == StoreErrorKind::NotFound => return Ok(false),
            Err(failure) => return Err(Error::store("read", key, &failure.error).into()),
        }
    }
}

/// Sets a damaged object aside and writes one with these bytes in its place. A crash in between
/// leaves none, which the next repair finds missing.
pub(super) fn replace<S: Store, Y: System>(
    committer: &Committer<'_, S, Y>,
    object: &ObjectName,
    bytes: &[u8],
) -> Result<(), Error> {
    let catalog = &committer.catalog;
    set_aside(catalog, object)?;
    let key = catalog.name.key(object);
    if catalog.store.get(&key).is_ok_and(|found| found == bytes) {
        // Another repair was faster.
        return Ok(());
    }
    committer.delete(&[object]);
    match catalog.store.create(&key, bytes) {
        Ok(()) => Ok(()),
        // Another repair was faster, or the damaged one could not be deleted.
        Err(WriteError::AlreadyExists) => match catalog.store.get(&key) {
            Ok(found) if found == bytes => Ok(()),
            Ok(_) => {
                let message =
                    format!("cannot replace {key}: the damaged object still exists; repair again");
                Err(Error::StoreFailed { message, transient: true })
            }
            Err(error) => Err(Error::store("read", &key, &error)),
        },
        Err(error) => Err(write_failed(&key, error)),
    }
}
