//! Sets a damaged object aside: copies what there is of it to a name that the log ignores.

use crate::error::Error;
use crate::limits::CHUNK_BYTES_MAX;
use crate::names::{LogName, ObjectName};
use crate::ports::{OrderedRead, ReadPart, Store, StoreErrorKind, Upload, WriteError};
use crate::segment_writer::write_failed;
use crate::stored_log::StoredLog;

/// The key of an object that was set aside.
pub(super) fn key(log: &LogName, object: &ObjectName) -> String {
    log.key(format!("set-aside_{object}"))
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
