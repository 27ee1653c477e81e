//! Creates the objects of a copy.
//!
//! 1. All copies of one log create an object of one name with the same bytes. So an object that
//!    exists is accepted once it was read and is the same.

use super::Copier;
use crate::drive::existing;
use crate::drive::segment_writer::landed;
use crate::error::{Error, WriteFailure, WriteFate};
use crate::format::host_bytes;
use crate::limits::{COMMIT_TRIES, SEGMENT_BYTES_SMALL_MAX};
use crate::ports::{HostBytes, PendingCreate, Store, StoreError, System, Upload, WriteError};

/// An object whose bytes arrive piece by piece.
pub(super) struct NewObject<'a, S: Store> {
    store: &'a S,
    key: String,
    content: Content<S>,
}

enum Content<S: Store> {
    Small(Option<S::Bytes>),
    Large(S::Upload),
}

impl<'a, S: Store> NewObject<'a, S> {
    pub(super) fn new(store: &'a S, key: String) -> Self {
        Self { store, key, content: Content::Small(None) }
    }

    /// Adds bytes at the end.
    pub(super) fn write(&mut self, bytes: S::Bytes) -> Result<(), Error> {
        let failed = |error| copy_failed(&self.key, error);
        match &mut self.content {
            Content::Large(upload) => upload.write(bytes).map_err(failed),
            Content::Small(before) => {
                let bytes = host_bytes::join(before.take(), bytes);
                if bytes.length() <= SEGMENT_BYTES_SMALL_MAX {
                    *before = Some(bytes);
                    return Ok(());
                }
                let upload = self.store.start_upload(&self.key).map_err(failed)?;
                upload.write(bytes).map_err(failed)?;
                self.content = Content::Large(upload);
                Ok(())
            }
        }
    }

    /// Completes the object. `check` reads one that exists already.
    pub(super) fn finish(
        self,
        check: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<(), Error> {
        let outcome = match &self.content {
            Content::Large(upload) => upload.finish(),
            Content::Small(Some(bytes)) => self.store.start_create(&self.key, bytes).wait(),
            Content::Small(None) => self.store.create(&self.key, &[]),
        };
        landed(outcome, check).map_err(|error| copy_failed(&self.key, error))
    }
}

impl<S: Store, Y: System> Copier<S, Y> {
    /// Creates an object of the target. One that exists must have the same bytes.
    pub(super) fn create(&self, key: &str, bytes: &[u8]) -> Result<(), Error> {
        let store = &self.to.store;
        let outcome = create_in_doubt(store, key, bytes);
        landed(outcome, || existing::check_bytes(store, key, bytes))
            .map_err(|error| copy_failed(key, error))
    }

    /// Creates an object of the target, unless it exists.
    pub(super) fn create_or_keep(&self, key: &str, bytes: &[u8]) -> Result<(), Error> {
        match create_in_doubt(&self.to.store, key, bytes) {
            Ok(()) | Err(WriteError::AlreadyExists) => Ok(()),
            Err(error) => Err(copy_failed(key, error)),
        }
    }
}

/// Creates an object, and repeats that while its fate is unknown.
fn create_in_doubt<S: Store>(store: &S, key: &str, bytes: &[u8]) -> Result<(), WriteError> {
    let mut tries = 1;
    loop {
        match store.create(key, bytes) {
            Err(WriteError::Unknown(_)) if tries < COMMIT_TRIES => tries += 1,
            outcome => return outcome,
        }
    }
}

/// The error of a copy's write.
pub(super) fn copy_failed(key: &str, error: WriteError) -> Error {
    let (fate, error) = match error {
        WriteError::NotWritten(error) => (WriteFate::NotWritten, error),
        WriteError::Unknown(error) => (WriteFate::Unknown, error),
        WriteError::AlreadyExists => {
            return Error::Conflict(format!(
                "cannot write {key}: the object already exists; copy again"
            ));
        }
    };
    Error::WriteFailed(WriteFailure::new(key, fate, &error, 0))
}
