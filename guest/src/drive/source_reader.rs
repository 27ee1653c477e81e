//! Reads sources of a log in order, and checks them. A driver over the store's ordered read.
//!
//! 1. Events come in the order of the sources, and only after they were checked.
//! 2. Each object of a source is one range. The host may fetch several of them, and parts of a
//!    large one, concurrently.
//! 3. The number of handles does not depend on the number of chunks.

use std::collections::VecDeque;

use crate::decide::source::{Request, Source, SourceObject};
use crate::drive::catalog::Catalog;
use crate::drive::interrupted::Interrupted;
use crate::error::quantities::size;
use crate::error::{Damage, Error};
use crate::format::batch_reader::BatchReader;
use crate::format::index::Index;
use crate::format::legacy_batch::LegacyBatchReader;
use crate::format::listed::ListedBatch;
use crate::format::manifest::SegmentRecord;
use crate::format::names::LogName;
use crate::format::numbers::to_u64;
use crate::format::segment::SegmentReader;
use crate::format::verified_chunk::{UncutChunk, VerifiedChunk};
use crate::limits::{CHUNK_BYTES_MAX, INDEX_BYTES_MAX, READ_RANGES_AFTER_RESTART, READ_RANGES_MAX};
use crate::ports::{Chunk, HostBytes, OrderedRead, Store, StoreError, StoreErrorKind};

/// The sources being read.
pub(crate) struct SourceReader<S: Store> {
    store: S,
    log: LogName,
    request: Request,
    /// Sources whose objects were not requested yet.
    later: VecDeque<Source>,
    /// Objects requested, about `window_max` at most, and the number of the one being decoded.
    window: Vec<SourceObject>,
    window_max: usize,
    read: Option<S::Read>,
    at: u32,
    decoder: Option<Decoder<S::Bytes>>,
    index: Option<Index>,
    /// Checked chunks that were not returned yet.
    verified: VecDeque<UncutChunk<S::Bytes>>,
    /// The failure behind them.
    interrupted: Option<Interrupted>,
}

enum Decoder<B> {
    Index(SegmentRecord, Vec<u8>),
    Segment(SegmentReader<B>),
    Batch(BatchReader<B>),
    LegacyBatch(LegacyBatchReader),
}

/// Counts the first events of a source, at most `events_max`, and their bytes.
pub(crate) fn count_first<S: Store>(
    catalog: &Catalog<S>,
    source: Source,
    events_max: u64,
) -> Result<(u64, u64), Interrupted> {
    let mut sources = SourceReader::new(catalog, vec![source], Request::Recorded);
    let (mut events, mut bytes) = (0_u64, 0_u64);
    while events < events_max {
        let next = sources.next().inspect_err(|interrupted| catalog.record_gone(interrupted));
        let Some(chunk) = next? else { break };
        let in_chunk = chunk.spans.iter().map(|span| span.events).sum::<u64>();
        let wanted = in_chunk.min(events_max - events);
        events += wanted;
        let all = wanted == in_chunk;
        bytes += match all {
            true => chunk.lines.length(),
            false => chunk.lines.line_end(wanted),
        };
    }
    Ok((events, bytes))
}

impl<S: Store> SourceReader<S> {
    pub(crate) fn new(catalog: &Catalog<S>, sources: Vec<Source>, request: Request) -> Self {
        Self {
            store: catalog.store.clone(),
            log: catalog.name.clone(),
            request,
            later: sources.into(),
            window: Vec::new(),
            window_max: READ_RANGES_MAX,
            read: None,
            at: 0,
            decoder: None,
            index: None,
            verified: VecDeque::new(),
            interrupted: None,
        }
    }

    /// Reads until some events are checked, and returns them. None at the end.
    pub(crate) fn next(&mut self) -> Result<Option<VerifiedChunk<S::Bytes>>, Interrupted> {
        loop {
            if let Some(chunk) = self.verified.pop_front() {
                return Ok(Some(chunk.cut()));
            }
            if let Some(interrupted) = self.interrupted.take() {
                return Err(interrupted);
            }
            match self.read_on() {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(interrupted) => self.interrupted = Some(interrupted),
            }
        }
    }

    /// Takes a chunk. Returns false at the end.
    fn read_on(&mut self) -> Result<bool, Interrupted> {
        if self.read.is_none() && !self.request() {
            return Ok(false);
        }
        let Some(read) = &self.read else { return Ok(false) };
        match read.next(CHUNK_BYTES_MAX) {
            Ok(Some(chunk)) => self.take(chunk)?,
            Ok(None) if self.decoder.is_none() && self.current().is_none() => self.read = None,
            Ok(None) => return Err(self.out_of_step("the read ended early")),
            Err(failure) => {
                let Some(object) = self.object(failure.number) else {
                    return Err(self.out_of_step("a failure names a range that was not requested"));
                };
                return Err(match (failure.error.kind, &object.source) {
                    (StoreErrorKind::NotFound, _) => object.clone().into(),
                    (StoreErrorKind::Invalid, source) if source.end().is_some() => {
                        let expected = format!("at least {}", size(source.end().unwrap_or(0)));
                        let found = failure.error.message;
                        self.damaged(Damage::new(object.name, expected, found))
                    }
                    _ => Error::store("read", &self.log.key(object.name), &failure.error).into(),
                });
            }
        }
        Ok(true)
    }

    /// Requests the objects of the next sources. Returns false if none are left.
    fn request(&mut self) -> bool {
        self.window.clear();
        while let Some(source) = self.later.front()
            && (self.window.is_empty()
                || self.window.len() + source.objects_count() <= self.window_max)
        {
            self.window.extend(self.later.pop_front().into_iter().flat_map(Source::objects));
        }
        if self.window.is_empty() {
            return false;
        }
        self.window_max = (self.window_max * 2).min(READ_RANGES_MAX);
        let ranges = self.window.iter().map(|object| object.to_read(&self.log, self.request));
        self.read = Some(self.store.read(&ranges.collect::<Vec<_>>()));
        self.at = 0;
        true
    }

    /// The object that is being read, or at which reading failed.
    pub(crate) fn current(&self) -> Option<&SourceObject> {
        self.object(self.at)
    }

    /// Prepares to read the sources that were not read completely again, after an interruption.
    pub(crate) fn restart(&mut self) {
        let done = usize::try_from(std::mem::take(&mut self.at)).unwrap_or(usize::MAX);
        let objects = std::mem::take(&mut self.window).into_iter().skip(done);
        // Each source ends with its bytes.
        let sources = objects.filter(|object| !object.is_index()).map(|object| object.source);
        sources.rev().for_each(|source| self.later.push_front(source));
        // The next interruption may be near: the sources requested behind it are in vain.
        self.window_max = READ_RANGES_AFTER_RESTART;
        (self.read, self.decoder, self.index, self.interrupted) = (None, None, None, None);
        self.verified.clear();
    }

    /// Leaves out the first source that is left after a restart.
    pub(crate) fn leave_out(&mut self) -> Option<Source> {
        self.later.pop_front()
    }

    fn object(&self, number: u32) -> Option<&SourceObject> {
        self.window.get(usize::try_from(number).ok()?)
    }

    fn take(&mut self, chunk: Chunk<S::Bytes>) -> Result<(), Interrupted> {
        if chunk.number != self.at {
            return Err(self.out_of_step("a chunk belongs to another range than the next"));
        }
        let last = chunk.last;
        let mut decoder = match (self.decoder.take(), self.current()) {
            (Some(decoder), _) => decoder,
            (None, Some(object)) => {
                let object = object.clone();
                self.decoder(object).map_err(|damage| self.damaged(damage))?
            }
            (None, None) => return Err(self.out_of_step("a chunk belongs to no object")),
        };
        let mut verified = Vec::new();
        let pushed = decoder.push(chunk, &mut verified);
        self.verified.extend(verified);
        let index = pushed.map_err(|damage| self.damaged(damage))?;
        self.index = index.or(self.index.take());
        if last {
            self.at += 1;
        } else {
            self.decoder = Some(decoder);
        }
        Ok(())
    }

    fn decoder(&mut self, object: SourceObject) -> Result<Decoder<S::Bytes>, Damage> {
        let is_index = object.is_index();
        Ok(match object.source {
            Source::Segment(segment) if is_index => Decoder::Index(*segment, Vec::new()),
            Source::Segment(segment) => {
                let index = self.index.take().unwrap_or_default();
                Decoder::Segment(SegmentReader::new(&segment, index.batches))
            }
            Source::SegmentRange(range) => Decoder::Segment(SegmentReader::of_range(*range)),
            Source::Batch(ListedBatch { name, size }) => match name.origin {
                Some(origin) => Decoder::Batch(BatchReader::new(name, origin, size)?),
                None => Decoder::LegacyBatch(LegacyBatchReader::new(name, size)),
            },
        })
    }

    fn damaged(&self, damage: Damage) -> Interrupted {
        damage.of(&self.log).into()
    }

    /// The error of a host that broke the contract of the ordered read.
    fn out_of_step(&self, what: &str) -> Interrupted {
        let message =
            format!("the host broke the contract of ordered reads: {what}; check the host");
        let error = StoreError { kind: StoreErrorKind::Other, message };
        Error::store("read", &self.log.folder(), &error).into()
    }
}

impl<B: HostBytes> Decoder<B> {
    /// Takes a chunk. Returns the index if it is complete.
    fn push(
        &mut self,
        Chunk { bytes, last, .. }: Chunk<B>,
        verified: &mut Vec<UncutChunk<B>>,
    ) -> Result<Option<Index>, Damage> {
        match self {
            Self::Index(segment, incomplete) => {
                incomplete.append(&mut bytes.read());
                if incomplete.len() > INDEX_BYTES_MAX {
                    let expected = format!("at most {}", size(to_u64(INDEX_BYTES_MAX)));
                    return Err(Damage::new(segment.name.index(), expected, "more"));
                }
                return last.then(|| Index::decode(segment, incomplete)).transpose();
            }
            Self::Segment(reader) => reader.push(bytes, last, verified)?,
            Self::Batch(reader) => verified.extend(reader.push(bytes, last)?.map(UncutChunk::from)),
            Self::LegacyBatch(reader) => {
                verified.extend(reader.push(&bytes, last)?.map(UncutChunk::from))
            }
        }
        Ok(None)
    }
}
