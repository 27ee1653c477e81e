//! Copies batches into new segments, each with its index. A driver.
//!
//! 1. Batches are checked and copied in the given order; whole, except for the first one if a trim
//!    cuts it.
//! 2. Memory is bounded: bytes are passed on as they arrive. Only the index is kept, and small
//!    segments, of which several are written concurrently.
//! 3. A commit writes no batch twice: that would be damage, and is not committed.
//! 4. Nothing here commits: until a manifest names them, the segments are garbage.
//! 5. An index is created before its segment. So no crash leaves a segment without an index, and
//!    one without is damaged: it may be all that is left of a commit.
//! 6. A segment whose fate is unknown is left alone, with its index: it may land later.

use crate::decide::boundary::Cut;
use crate::decide::source::{Request, Source, SourceObject};
use crate::drive::batch_copy::BatchCopy;
use crate::drive::catalog::Catalog;
use crate::drive::interrupted::Interrupted;
use crate::drive::source_reader::SourceReader;
use crate::error::{Damage, Error, WriteFailure, WriteFate};
use crate::format::batch::BatchRecord;
use crate::format::host_bytes;
use crate::format::index::Index;
use crate::format::names::{BatchName, CommitId, Generation, ObjectName, SegmentName};
use crate::format::ordered::Set;
use crate::format::segment::NewSegment;
use crate::format::verified_chunk::{BatchSpan, VerifiedChunk};
use crate::limits::{COMMIT_SEGMENTS_MAX, SEGMENT_BATCHES_MAX, SEGMENT_BYTES_SMALL_MAX};
use crate::mutants::{self, Mutant};
use crate::ports::{HostBytes, Store, StoreError, StoreErrorKind, Upload, WriteError};

mod finishing;

use finishing::{Content, Finishing};

/// An input of a segment.
pub(crate) enum Input {
    Sources(Vec<Source>),
    /// The record of a batch whose bytes are lost.
    Lost(BatchRecord),
    /// A copy of a batch that stands elsewhere.
    Copy(BatchCopy),
}

/// Writes the segments of one commit.
pub(crate) struct SegmentWriter<'a, S: Store> {
    catalog: &'a Catalog<S>,
    generation: Generation,
    commit_id: CommitId,
    bytes_max: u64,
    /// Segments of this commit that were taken already.
    segments_before: u16,
    /// Segments begun since; the last may be incomplete.
    segments: Vec<NewSegment>,
    /// Batches written whole to the segment in progress.
    batches: Vec<BatchRecord>,
    /// The bytes of the segment in progress.
    content: Option<Content<S>>,
    /// The segments before it that are not durable yet.
    finishing: Finishing<S>,
    /// The contents of the segment in progress.
    placed: Placed,
    /// Segments begun because the one before was full.
    cuts: u16,
    /// Every batch written, in any segment.
    written: Set<BatchName>,
}

#[derive(Default)]
struct Placed {
    bytes: u64,
    batches: u64,
    /// True if the last batch is incomplete.
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
            content: None,
            finishing: Finishing::new(),
            placed: Placed::default(),
            cuts: 0,
            written: Set::new(),
        }
    }

    /// Returns the segments begun since the last call. Empty after batches without events.
    pub(crate) fn take_segments(&mut self) -> Vec<NewSegment> {
        let segments = std::mem::take(&mut self.segments);
        let begun = u16::try_from(segments.len()).unwrap_or(u16::MAX);
        self.segments_before = self.segments_before.saturating_add(begun);
        segments
    }

    /// Returns every batch that was written.
    pub(crate) fn into_written(self) -> Set<BatchName> {
        self.written
    }

    /// Copies inputs in order into new segments. `cut` drops the beginning of the first one.
    pub(crate) fn copy(
        &mut self,
        inputs: Vec<Input>,
        mut cut: Option<Cut>,
    ) -> Result<(), Interrupted> {
        let copied = self.copy_all(inputs, &mut cut);
        if copied.is_err() {
            self.finishing.abandon(self.catalog);
            return copied;
        }
        self.finishing.settle(self.catalog, &mut self.segments)?;
        self.placed = Placed::default();
        Ok(())
    }

    fn copy_all(&mut self, inputs: Vec<Input>, cut: &mut Option<Cut>) -> Result<(), Interrupted> {
        for input in inputs {
            match input {
                Input::Sources(sources) => self.copy_sources(sources, cut)?,
                Input::Lost(batch) => {
                    let spans = vec![BatchSpan::lost(batch)];
                    self.write_chunk(VerifiedChunk { spans, lines: S::Bytes::new(&[]) })?;
                }
                Input::Copy(copy) => {
                    let chunk = copy.read(&self.catalog.store)?;
                    let chunk = chunk.ok_or_else(|| SourceObject::bytes(copy.source()))?;
                    self.write_chunk(kept(chunk, cut))?;
                }
            }
        }
        self.finish_segment()?;
        Ok(())
    }

    fn copy_sources(
        &mut self,
        sources: Vec<Source>,
        cut: &mut Option<Cut>,
    ) -> Result<(), Interrupted> {
        let mut read = SourceReader::new(self.catalog, sources, Request::Recorded);
        while let Some(chunk) = read.next()? {
            self.write_chunk(kept(chunk, cut))?;
        }
        Ok(())
    }

    /// Writes a chunk, the spans of one segment in one call.
    fn write_chunk(&mut self, chunk: VerifiedChunk<S::Bytes>) -> Result<(), Error> {
        let (mut start, mut end) = (0, 0_u64);
        for span in &chunk.spans {
            if self.place(span) {
                self.write(chunk.lines.slice(start..end))?;
                self.finish_segment()?;
                start = end;
            }
            end += span.bytes;
            if let Some(batch) = span.end {
                self.record_written(batch, span)?;
            }
        }
        self.write(if start == 0 { chunk.lines } else { chunk.lines.slice(start..end) })
    }

    /// Records a batch that was written whole. An error if it was written before.
    fn record_written(&mut self, batch: BatchRecord, span: &BatchSpan) -> Result<(), Error> {
        self.batches.push(batch);
        if self.written.insert(batch.name) || mutants::is(Mutant::CommitTwice) {
            return Ok(());
        }
        let object = span.segment.map_or(ObjectName::Batch(batch.name), ObjectName::Segment);
        let expected = format!("{} once in the log", batch.name);
        let found = "the same batch at an earlier position";
        Err(self.catalog.damaged(Damage::new(object, expected, found)))
    }

    /// Decides which segment a span belongs to. Returns true if it begins a new one.
    fn place(&mut self, span: &BatchSpan) -> bool {
        let placed = &mut self.placed;
        let full =
            placed.bytes + span.bytes > self.bytes_max || placed.batches >= SEGMENT_BATCHES_MAX;
        let cuts =
            full && placed.bytes > 0 && !placed.in_batch && self.cuts < COMMIT_SEGMENTS_MAX / 2;
        if cuts {
            self.cuts += 1;
            *placed = Placed::default();
        }
        placed.bytes += span.bytes;
        placed.batches += u64::from(span.end.is_some());
        placed.in_batch = span.end.is_none();
        cuts
    }

    fn write(&mut self, lines: S::Bytes) -> Result<(), Error> {
        if lines.length() == 0 {
            return Ok(());
        }
        let key = self.catalog.name.key(self.name());
        let failed = |error: WriteError| write_failed(&key, error);
        let content: Content<S> = match self.content.take() {
            None => {
                self.begin_segment()?;
                Content::Small(lines)
            }
            Some(Content::Small(bytes)) => Content::Small(host_bytes::join(Some(bytes), lines)),
            Some(Content::Large(upload)) => {
                upload.write(lines).map_err(failed)?;
                Content::Large(upload)
            }
        };
        self.content = Some(match content {
            Content::Small(bytes) if bytes.length() > SEGMENT_BYTES_SMALL_MAX => {
                let upload = self.catalog.store.start_upload(&key).map_err(failed)?;
                upload.write(bytes).map_err(failed)?;
                Content::Large(upload)
            }
            content => content,
        });
        Ok(())
    }

    /// Begins a segment.
    fn begin_segment(&mut self) -> Result<(), Error> {
        let name = self.name();
        if name.part >= COMMIT_SEGMENTS_MAX {
            let message = format!("a commit writes at most {COMMIT_SEGMENTS_MAX} segments");
            return Err(Error::Unsupported(message));
        }
        self.segments.push(NewSegment { name, batches: Vec::new(), index: None });
        Ok(())
    }

    /// The name of the segment in progress.
    fn name(&self) -> SegmentName {
        let begun = self.segments.len() - usize::from(self.content.is_some());
        let part = self.segments_before.saturating_add(u16::try_from(begun).unwrap_or(u16::MAX));
        SegmentName { generation: self.generation, commit_id: self.commit_id, part }
    }

    /// Completes the segment in progress, if there is one.
    fn finish_segment(&mut self) -> Result<(), Error> {
        let name = self.name();
        let batches = std::mem::take(&mut self.batches);
        let content = match self.content.take() {
            Some(content) => content,
            // Lost events have positions and no bytes.
            None if batches.iter().any(|batch| batch.events > 0) => {
                self.begin_segment()?;
                Content::Small(S::Bytes::new(&[]))
            }
            // Only batches without events, which stand in no index.
            None => return Ok(()),
        };
        self.finishing.add(self.catalog, name, Index::new(batches), content)?;
        if self.finishing.is_full() {
            self.finishing.settle(self.catalog, &mut self.segments)?;
        }
        Ok(())
    }
}

/// The part of a chunk that a cut keeps.
fn kept<B: HostBytes>(chunk: VerifiedChunk<B>, cut: &mut Option<Cut>) -> VerifiedChunk<B> {
    match cut {
        Some(cut) => cut.pass(chunk),
        None => chunk,
    }
}

/// The outcome of writing a name that only this commit uses: an existing object of that name is an
/// earlier try that landed, if the check passes.
pub(crate) fn landed(
    outcome: Result<(), WriteError>,
    check: impl FnOnce() -> Result<(), StoreError>,
) -> Result<(), WriteError> {
    match outcome {
        Err(WriteError::AlreadyExists) => check().map_err(WriteError::Unknown),
        outcome => outcome,
    }
}

/// The error of a compaction's write.
pub(crate) fn write_failed(key: &str, error: WriteError) -> Error {
    let (fate, error) = match error {
        WriteError::NotWritten(error) => (WriteFate::NotWritten, error),
        WriteError::Unknown(error) => (WriteFate::Unknown, error),
        WriteError::AlreadyExists => {
            return Error::Conflict(format!(
                "cannot write {key}: the object already exists; compact again"
            ));
        }
    };
    match error.kind {
        StoreErrorKind::Unsupported => Error::Unsupported(error.message),
        _ => Error::WriteFailed(WriteFailure::new(key, fate, &error, 0)),
    }
}
