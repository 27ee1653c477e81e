//! Copies batches into new segments, each with its index: a driver.
//!
//! 1. Batches are copied in the order given, after they were checked; whole, but for the first one
//!    if a trim cuts it.
//! 2. Memory is bounded: bytes are passed on as they come, only the index is held.
//! 3. No batch is written twice by one attempt: that would be damage, and is not committed.
//! 4. Nothing here commits: until a manifest names them, the segments are garbage.

use std::collections::BTreeSet;

use crate::decide::boundary::Cut;
use crate::decide::source::Source;
use crate::drive::batch_copy::BatchCopy;
use crate::drive::catalog::Catalog;
use crate::drive::existing;
use crate::drive::source_reader::{Interrupted, SourceReader};
use crate::error::{Damage, Error, WriteFailure, WriteFate};
use crate::format::batch::BatchRecord;
use crate::format::index::Index;
use crate::format::names::{BatchName, CommitId, Digest, Generation, ObjectName, SegmentName};
use crate::format::segment::NewSegment;
use crate::format::verified_chunk::{BatchSpan, VerifiedChunk};
use crate::limits::{COMMIT_SEGMENTS_MAX, SEGMENT_BATCHES_MAX};
use crate::mutants::{self, Mutant};
use crate::ports::{HostBytes, Store, StoreError, StoreErrorKind, Upload, WriteError};

/// What is copied into a segment.
pub(crate) enum Input {
    Sources(Vec<Source>),
    /// A batch whose bytes are lost: a record of it alone.
    Lost(BatchRecord),
    /// A batch whose bytes stand elsewhere, too.
    Copy(BatchCopy),
}

/// How copying ended.
pub(crate) enum Copied {
    Whole,
    /// An object is gone: somebody has compacted it.
    Overtaken(Box<Source>),
}

/// Writes the segments of one attempt.
pub(crate) struct SegmentWriter<'a, S: Store> {
    catalog: &'a Catalog<S>,
    generation: Generation,
    commit_id: CommitId,
    bytes_max: u64,
    /// Parts completed by earlier copies of this attempt.
    segments_before: u16,
    /// Parts begun by this copy; the last may be incomplete.
    segments: Vec<NewSegment>,
    /// Batches of the part under way that were written whole.
    batches: Vec<BatchRecord>,
    upload: Option<S::Upload>,
    /// What was placed in the part under way.
    placed: Placed,
    /// Parts begun because the one before was full.
    cuts: u16,
    /// Every batch that was written, in any part.
    written: BTreeSet<BatchName>,
}

#[derive(Default)]
struct Placed {
    bytes: u64,
    batches: u64,
    /// Whether the last batch is not complete yet.
    in_batch: bool,
}

impl<'a, S: Store> SegmentWriter<'a, S> {
    pub(crate) fn new(
        catalog: &'a Catalog<S>,
        generation: Generation,
        commit_id: CommitId,
        bytes_max: u64,
    ) -> Self {
        Self {
            catalog,
            generation,
            commit_id,
            bytes_max,
            segments_before: 0,
            segments: Vec::new(),
            batches: Vec::new(),
            upload: None,
            placed: Placed::default(),
            cuts: 0,
            written: BTreeSet::new(),
        }
    }

    /// The segments begun since this was asked last. None after batches without events.
    pub(crate) fn take_segments(&mut self) -> Vec<NewSegment> {
        let segments = std::mem::take(&mut self.segments);
        let begun = u16::try_from(segments.len()).unwrap_or(u16::MAX);
        self.segments_before = self.segments_before.saturating_add(begun);
        segments
    }

    /// Every batch that was written.
    pub(crate) fn into_written(self) -> BTreeSet<BatchName> {
        self.written
    }

    /// Copies parts of the log, one after the other, into segments of their own. What is cut is the
    /// beginning of the first part.
    pub(crate) fn copy(
        &mut self,
        inputs: Vec<Input>,
        mut cut: Option<Cut>,
    ) -> Result<Copied, Error> {
        for input in inputs {
            match input {
                Input::Sources(sources) => {
                    if let Copied::Overtaken(source) = self.copy_sources(sources, &mut cut)? {
                        return Ok(Copied::Overtaken(source));
                    }
                }
                Input::Lost(batch) => {
                    let spans = vec![BatchSpan::lost(batch)];
                    self.write_chunk(VerifiedChunk { spans, lines: S::Bytes::new(&[]) })?;
                }
                Input::Copy(copy) => match copy.read(&self.catalog.store)? {
                    Some(chunk) => {
                        let chunk = match &mut cut {
                            Some(cut) => cut.pass(chunk),
                            None => chunk,
                        };
                        self.write_chunk(chunk)?;
                    }
                    None => return Ok(Copied::Overtaken(Box::new(copy.source()))),
                },
            }
        }
        self.finish_segment()?;
        self.placed = Placed::default();
        Ok(Copied::Whole)
    }

    fn copy_sources(
        &mut self,
        sources: Vec<Source>,
        cut: &mut Option<Cut>,
    ) -> Result<Copied, Error> {
        let (store, log) = (self.catalog.store.clone(), self.catalog.name.clone());
        let mut read = SourceReader::new(store, log, sources);
        loop {
            match read.next() {
                Ok(Some(chunk)) => {
                    let chunk = match cut {
                        Some(cut) => cut.pass(chunk),
                        None => chunk,
                    };
                    self.write_chunk(chunk)?;
                }
                Ok(None) => return Ok(Copied::Whole),
                Err(Interrupted::Gone(source)) => return Ok(Copied::Overtaken(source)),
                Err(Interrupted::Failed(error)) => return Err(error),
            }
        }
    }

    /// Writes a run; what belongs to one part at once.
    fn write_chunk(&mut self, chunk: VerifiedChunk<S::Bytes>) -> Result<(), Error> {
        let (mut start, mut end) = (0, 0_u64);
        for span in &chunk.spans {
            if self.place(span) {
                self.write(chunk.lines.slice(start..end))?;
                self.finish_segment()?;
                start = end;
            }
            end = end.saturating_add(span.bytes);
            if let Some(batch) = span.end {
                self.take_note(batch, span)?;
            }
        }
        self.write(if start == 0 { chunk.lines } else { chunk.lines.slice(start..end) })
    }

    /// A batch was written whole. One that was written before must not be committed.
    fn take_note(&mut self, batch: BatchRecord, span: &BatchSpan) -> Result<(), Error> {
        self.batches.push(batch);
        if self.written.insert(batch.name) || mutants::is(Mutant::CommitTwice) {
            return Ok(());
        }
        let object = span.segment.map_or(ObjectName::Batch(batch.name), ObjectName::Segment);
        let expected = format!("{} once in the log", batch.name);
        let found = "it stands before, too";
        Err(self.catalog.damaged(Damage::new(object, expected, found)))
    }

    /// Decides which part a piece goes to: true when a new one begins with it.
    fn place(&mut self, span: &BatchSpan) -> bool {
        let placed = &mut self.placed;
        let full = placed.bytes.saturating_add(span.bytes) > self.bytes_max
            || placed.batches >= SEGMENT_BATCHES_MAX;
        let cuts =
            full && placed.bytes > 0 && !placed.in_batch && self.cuts < COMMIT_SEGMENTS_MAX / 2;
        if cuts {
            self.cuts += 1;
            *placed = Placed::default();
        }
        placed.bytes = placed.bytes.saturating_add(span.bytes);
        placed.batches += u64::from(span.end.is_some());
        placed.in_batch = span.end.is_none();
        cuts
    }

    fn write(&mut self, lines: S::Bytes) -> Result<(), Error> {
        if lines.length() == 0 {
            return Ok(());
        }
        let key = self.catalog.name.key(self.name());
        let upload = match self.upload.take() {
            Some(upload) => upload,
            None => self.begin_segment()?,
        };
        upload.write(lines).map_err(|error| write_failed(&key, error))?;
        self.upload = Some(upload);
        Ok(())
    }

    fn begin_segment(&mut self) -> Result<S::Upload, Error> {
        let name = self.name();
        let key = self.catalog.name.key(name);
        self.segments.push(NewSegment { name, batches: Vec::new(), index: None });
        self.catalog.store.start_upload(&key).map_err(|error| write_failed(&key, error))
    }

    /// The name of the part under way.
    fn name(&self) -> SegmentName {
        let begun = self.segments.len() - usize::from(self.upload.is_some());
        let part = self.segments_before.saturating_add(u16::try_from(begun).unwrap_or(u16::MAX));
        SegmentName { generation: self.generation, commit_id: self.commit_id, part }
    }

    /// Completes the part under way, if there is one, and writes its index.
    fn finish_segment(&mut self) -> Result<(), Error> {
        let name = self.name();
        let log = &self.catalog.name;
        let batches = std::mem::take(&mut self.batches);
        let upload = match self.upload.take() {
            Some(upload) => upload,
            // Events that were lost have positions and no bytes.
            None if batches.iter().any(|batch| batch.events > 0) => self.begin_segment()?,
            // Batches without events alone: they stand in no index.
            None => return Ok(()),
        };
        let key = log.key(name);
        let store = &self.catalog.store;
        landed(upload.finish(), || existing::check_segment(store, log, name, &batches))
            .map_err(|error| write_failed(&key, error))?;
        let index = Index::new(batches);
        let bytes = index.encode().map_err(|error| Error::Unsupported(error.to_string()))?;
        let key = log.key(name.index());
        let created =
            landed(store.create(&key, &bytes), || existing::check_bytes(store, &key, &bytes));
        created.map_err(|error| write_failed(&key, error))?;
        if let Some(segment) = self.segments.last_mut() {
            segment.batches = index.batches;
            segment.index = Some(Digest::of(&bytes));
        }
        Ok(())
    }
}

/// The outcome of writing a name that is this attempt's alone: an object of that name is an earlier
/// try of it that landed, if the check passes.
pub(crate) fn landed(
    outcome: Result<(), WriteError>,
    check: impl FnOnce() -> Result<(), StoreError>,
) -> Result<(), WriteError> {
    match outcome {
        Err(WriteError::AlreadyExists) => check().map_err(WriteError::Unknown),
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
