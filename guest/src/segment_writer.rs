//! Copies batches into new segments, each with its index: a driver.
//!
//! 1. Batches are copied whole, in the order given, after they were checked.
//! 2. Memory is bounded: bytes are passed on as they come, only the index is held.
//! 3. Nothing here commits: until a manifest names them, the segments are garbage.

use std::borrow::Cow;

use crate::batch::BatchRecord;
use crate::error::{Error, WriteFailure, WriteFate};
use crate::index::Index;
use crate::limits::SEGMENT_BYTES_TARGET;
use crate::names::{Attempt, Generation, SegmentName};
use crate::part::{Part, Piece};
use crate::parts::{Interrupted, PartsRead};
use crate::ports::{Store, StoreErrorKind, Upload, WriteError};
use crate::segment::NewSegment;
use crate::stored_log::StoredLog;
use crate::view::ListedBatch;

/// How copying ended.
pub(crate) enum Copied {
    Whole,
    /// A batch is gone: somebody has compacted it.
    Overtaken,
}

/// Writes the segments of one attempt.
pub(crate) struct SegmentWriter<'a, S: Store> {
    stored: &'a StoredLog<S>,
    generation: Generation,
    attempt: Attempt,
    /// Parts begun so far; the last may be incomplete.
    parts: Vec<NewSegment>,
    /// Batches of the part under way, and its bytes.
    batches: Vec<BatchRecord>,
    bytes: u64,
    upload: Option<S::Upload>,
}

impl<'a, S: Store> SegmentWriter<'a, S> {
    pub(crate) fn new(stored: &'a StoredLog<S>, generation: Generation, attempt: Attempt) -> Self {
        let (parts, batches) = (Vec::new(), Vec::new());
        Self { stored, generation, attempt, parts, batches, bytes: 0, upload: None }
    }

    /// The segments begun so far. Empty after batches without events were copied.
    pub(crate) fn into_segments(self) -> Vec<NewSegment> {
        self.parts
    }

    /// Copies live batches.
    pub(crate) fn copy(&mut self, batches: &[ListedBatch]) -> Result<Copied, Error> {
        let parts = batches.iter().map(|batch| Part::Batch(*batch)).collect();
        let (store, log) = (self.stored.store.clone(), self.stored.name.clone());
        let mut read = PartsRead::new(store, log, parts);
        loop {
            let mut lines = Vec::new();
            let mut end = None;
            let more = read.next(|piece| take(piece, &mut lines, &mut end));
            match more {
                Ok(true) => self.push(&lines, end)?,
                Ok(false) => break,
                Err(Interrupted::Gone(_)) => return Ok(Copied::Overtaken),
                Err(Interrupted::Failed(error)) => return Err(error),
            }
        }
        self.finish_part()?;
        Ok(Copied::Whole)
    }

    fn push(&mut self, lines: &[u8], end: Option<BatchRecord>) -> Result<(), Error> {
        if !lines.is_empty() {
            let name = self.name();
            let key = self.stored.name.key(name);
            let upload = match self.upload.take() {
                Some(upload) => upload,
                None => {
                    self.parts.push(NewSegment { name, batches: Vec::new() });
                    let upload = self.stored.store.start_upload(&key);
                    upload.map_err(|error| write_failed(&key, error))?
                }
            };
            upload.write(lines).map_err(|error| write_failed(&key, error))?;
            self.upload = Some(upload);
            self.bytes = self.bytes.saturating_add(u64::try_from(lines.len()).unwrap_or(0));
        }
        self.batches.extend(end);
        if end.is_some() && self.bytes >= SEGMENT_BYTES_TARGET {
            self.finish_part()?;
        }
        Ok(())
    }

    /// The name of the part under way.
    fn name(&self) -> SegmentName {
        let begun = self.parts.len() - usize::from(self.upload.is_some());
        let part = u16::try_from(begun).unwrap_or(u16::MAX);
        SegmentName { generation: self.generation, attempt: self.attempt, part }
    }

    /// Completes the part under way, if there is one, and writes its index.
    fn finish_part(&mut self) -> Result<(), Error> {
        let name = self.name();
        let log = &self.stored.name;
        let Some(upload) = self.upload.take() else {
            // Empty batches behind the last part stand in its index, or nowhere.
            return Ok(());
        };
        let key = log.key(name);
        landed(upload.finish()).map_err(|error| write_failed(&key, error))?;
        let index = Index::new(std::mem::take(&mut self.batches));
        self.bytes = 0;
        let bytes = index.encode().map_err(|error| Error::Unsupported(error.to_string()))?;
        let key = log.key(name.index());
        let created = landed(self.stored.store.create(&key, &bytes));
        created.map_err(|error| write_failed(&key, error))?;
        if let Some(part) = self.parts.last_mut() {
            part.batches = index.batches;
        }
        Ok(())
    }
}

fn take(piece: Piece<'_>, lines: &mut Vec<u8>, end: &mut Option<BatchRecord>) {
    match piece.lines {
        Cow::Owned(owned) if lines.is_empty() => *lines = owned,
        more => lines.extend_from_slice(&more),
    }
    *end = piece.end;
}

/// The outcome of writing a name that is this attempt's alone: an object of that name is an earlier
/// try of it that landed.
fn landed(outcome: Result<(), WriteError>) -> Result<(), WriteError> {
    match outcome {
        Err(WriteError::AlreadyExists) => Ok(()),
        outcome => outcome,
    }
}

/// A failed write of a compaction.
pub(crate) fn write_failed(key: &str, error: WriteError) -> Error {
    let (fate, error) = match error {
        WriteError::NotWritten(error) => (WriteFate::NotWritten, error),
        WriteError::Unknown(error) => (WriteFate::Unknown, error),
        WriteError::AlreadyExists => {
            return Error::Conflict(format!("{key} exists already: compact again"));
        }
    };
    match error.kind {
        StoreErrorKind::Unsupported => Error::Unsupported(error.message),
        _ => Error::WriteFailed(WriteFailure::new(key, fate, &error, 0)),
    }
}
