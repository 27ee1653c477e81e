//! Sets a damaged object aside: copies what there is of it to a name that the log ignores.

use crate::commit::Committer;
use crate::error::Error;
use crate::limits::{CHUNK_BYTES_MAX, LIST_PAGE_OBJECTS};
use crate::names::{LogName, ObjectName};
use crate::paging::Pages;
use crate::ports::{OrderedRead, ReadPart, Store, StoreErrorKind, System, Upload, WriteError};
use crate::segment_writer::write_failed;
use crate::stored_log::StoredLog;

/// What the names of objects that were set aside begin with.
const ASIDE: &str = "set-aside_";

/// The key of an object that was set aside.
pub(super) fn key(log: &LogName, object: &ObjectName) -> String {
    log.key(format!("{ASIDE}{object}"))
}

/// The objects of the log that were set aside.
pub(super) fn listed<S: Store>(stored: &StoredLog<S>) -> Result<Vec<ObjectName>, Error> {
    let prefix = stored.name.key(ASIDE);
    let mut pages = Pages::new(&prefix, None);
    let mut objects = Vec::new();
    loop {
        let page = stored
            .store
            .list(&prefix, pages.after(), LIST_PAGE_OBJECTS)
            .map_err(|error| Error::store("list", &prefix, &error))?;
        let goes_on = pages.take(&page)?;
        let names = page.objects.iter().filter_map(|entry| entry.key.strip_prefix(&prefix));
        objects.extend(names.filter_map(ObjectName::parse));
        if !goes_on {
            return Ok(objects);
        }
    }
}

/// Copies the object. What was set aside before stays: it is the same, or the first that was damaged.
pub(super) fn set_aside<S: Store>(stored: &StoredLog<S>, object: &ObjectName) -> Result<(), Error> {
    let (from, to) = (stored.name.key(object), key(&stored.name, object));
    let read = stored.store.read(&[ReadPart { key: from.clone(), range: None }]);
    let mut upload = None;
    loop {
        let chunk = match read.next(CHUNK_BYTES_MAX) {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break,
            // There is nothing to keep of it.
            Err(failure) if failure.error.kind == StoreErrorKind::NotFound => return Ok(()),
            Err(failure) => return Err(Error::store("read", &from, &failure.error)),
        };
        let current = match upload.take() {
            Some(upload) => upload,
            None => stored.store.start_upload(&to).map_err(|error| write_failed(&to, error))?,
        };
        current.write(chunk.bytes).map_err(|error| write_failed(&to, error))?;
        upload = Some(current);
    }
    let Some(upload) = upload else { return Ok(()) };
    match upload.finish() {
        Ok(()) | Err(WriteError::AlreadyExists) => Ok(()),
        Err(error) => Err(write_failed(&to, error)),
    }
}

/// Sets a damaged object aside and puts one with these bytes in its place. A crash in between leaves
/// none, which the next repair finds missing.
pub(super) fn replace<S: Store, Y: System>(
    committer: &Committer<'_, S, Y>,
    object: &ObjectName,
    bytes: &[u8],
) -> Result<(), Error> {
    let stored = &committer.stored;
    set_aside(stored, object)?;
    let key = stored.name.key(object);
    if stored.store.get(&key).is_ok_and(|found| found == bytes) {
        // Another repair was faster.
        return Ok(());
    }
    committer.delete(&[object.to_string()]);
    match stored.store.create(&key, bytes) {
        Ok(()) => Ok(()),
        // Another repair was faster, or the damaged one could not be deleted.
        Err(WriteError::AlreadyExists) => match stored.store.get(&key) {
            Ok(found) if found == bytes => Ok(()),
            Ok(_) => {
                let message = format!("cannot replace {key}: it is still there; repair again");
                Err(Error::StoreFailed { message, transient: true })
            }
            Err(error) => Err(Error::store("read", &key, &error)),
        },
        Err(error) => Err(write_failed(&key, error)),
    }
}
