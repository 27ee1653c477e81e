//! Rebuilds the bytes of an index from all the evidence that is left.
//!
//! 1. No evidence is trusted: the result is used only if it has the digest that the manifest
//!    records.
//! 2. A batch's name has its number of events and their digest, so the segment's bytes determine
//!    its place. Or the bytes and the legible parts of its name determine the rest of it.
//! 3. A name from elsewhere may wait for more or fewer batches than that in the index.

use super::clues::{Clue, Clues, whole};
use super::digits::{self, Open};
use super::spelling::{self, Spelling};
use crate::error::Error;
use crate::format::batch::BatchRecord;
use crate::format::index::Index;
use crate::format::manifest::SegmentRecord;
use crate::format::names::{BatchName, Digest, Origin, Sequence};
use crate::format::numbers::to_usize;
use crate::format::ordered::{Map, Set};

/// The bytes of a segment.
pub(crate) trait Content {
    /// Returns the length and the digest of `events` lines from an offset. None if they do not
    /// exist.
    fn lines(&mut self, offset: u64, events: u64) -> Result<Option<(u64, Digest)>, Error>;
}

/// The outcome of a rebuild.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rebuilt {
    /// The original bytes.
    Same(Vec<u8>),
    /// The number of batches whose names are unknown.
    Unknown(usize),
    /// All batches seem to be known, but they do not have the recorded digest.
    Different,
}

/// The most illegible digits of a name that are searched for.
const MISSING_MAX: usize = 6;

/// Rebuilds an index.
pub(crate) fn rebuilt<C: Content>(
    segment: &SegmentRecord,
    clues: &Clues,
    content: &mut C,
) -> Result<Rebuilt, Error> {
    let Some(expected) = segment.index else { return Ok(Rebuilt::Different) };
    let count = to_usize(segment.batches);
    if count > super::mend::BATCHES_MAX {
        return Ok(Rebuilt::Different);
    }
    let lines = clues.lines(count);
    let mut walk = Walk::new(segment, clues, &lines, content);
    for at in 0..count {
        walk.step(at, count)?;
    }
    walk.place_last()?;
    let Walk { batches, open, .. } = walk;
    let unknown = batches.iter().filter(|batch| batch.is_none()).count();
    if unknown > 0 {
        return Ok(Rebuilt::Unknown(unknown));
    }
    let batches: Vec<BatchRecord> = batches.into_iter().flatten().collect();
    let is_sure = |at: &usize| batches.get(*at).is_some_and(|b| clues.is_listed(&b.name));
    let unsure: Vec<usize> = (0..batches.len()).filter(|at| !is_sure(at)).collect();
    let index = Index::new(batches);
    let bytes = index.encode().map_err(|error| Error::Unsupported(error.to_string()))?;
    let found = digits::corrected(bytes, expected, &index.batches, &unsure, &open);
    Ok(found.map_or(Rebuilt::Different, Rebuilt::Same))
}

/// The traversal of a segment, batch by batch.
struct Walk<'a, C> {
    segment: &'a SegmentRecord,
    clues: &'a Clues,
    lines: &'a [Clue],
    content: &'a mut C,
    /// Batches that may stand anywhere, by their events and their digest.
    pool: Map<(u64, Digest), Map<BatchName, BatchRecord>>,
    /// Their numbers of events.
    sizes: Set<u64>,
    /// The offset of the next batch. None once it is unknown.
    offset: Option<u64>,
    batches: Vec<Option<BatchRecord>>,
    /// The names in the lines, as far as they are known.
    spellings: Vec<Spelling>,
    /// The parts of lines that are not known, by line.
    open: Vec<(usize, Open)>,
}

impl<'a, C: Content> Walk<'a, C> {
    fn new(
        segment: &'a SegmentRecord,
        clues: &'a Clues,
        lines: &'a [Clue],
        content: &'a mut C,
    ) -> Self {
        let reserved: Set<_> = lines.iter().filter_map(|line| line.name).collect();
        let mut pool: Map<_, Map<_, _>> = Map::new();
        for record in clues.records().filter(|record| !record.lost && record.events > 0) {
            if segment.covers(record.name.time) && !reserved.contains(&record.name) {
                let of = pool.or_default((record.events, record.digest));
                of.insert(record.name, record);
            }
        }
        let sizes = pool.keys().map(|(events, _)| *events).collect();
        let mut spellings: Vec<_> = lines.iter().map(Clue::spelling).collect();
        spelling::complete(&mut spellings, clues.numbered());
        let (offset, batches, open) = (Some(0), Vec::new(), Vec::new());
        Self { segment, clues, lines, content, pool, sizes, offset, batches, spellings, open }
    }

    /// Finds the next batch, or at least its end.
    fn step(&mut self, at: usize, count: usize) -> Result<(), Error> {
        let clue = self.lines.get(at);
        let mut found = match clue {
            Some(clue) => self.by_clue(clue)?.map(|found| self.placed(at, found)),
            None => None,
        };
        if found.is_none() {
            found = self.by_content(at)?;
        }
        if found.is_none() {
            // The segment's bytes may be damaged or gone.
            found = clue.and_then(|clue| clue.record.or_else(|| self.lost(clue.name?)));
        }
        if let (None, Some(clue)) = (found, clue) {
            found = match self.spelled(at, count, clue)? {
                Some(found) => Some(found),
                None => self.as_written(at, clue),
            };
        }
        if found.is_none() {
            found = self.between(at, clue)?;
        } else {
            let bytes = found.map_or(0, |batch| batch.bytes);
            self.offset = self.offset.and_then(|offset| offset.checked_add(bytes));
        }
        self.batches.push(found);
        Ok(())
    }

    fn lines_at(
        &mut self,
        offset: Option<u64>,
        events: u64,
    ) -> Result<Option<(u64, Digest)>, Error> {
        match offset {
            Some(offset) if events > 0 => self.content.lines(offset, events),
            _ => Ok(None),
        }
    }

    /// The batch of a line, if the segment's bytes agree.
    fn by_clue(&mut self, clue: &Clue) -> Result<Option<BatchRecord>, Error> {
        self.fitting(clue, self.offset)
    }

    fn fitting(&mut self, clue: &Clue, offset: Option<u64>) -> Result<Option<BatchRecord>, Error> {
        if let Some(record) = clue.record {
            let nothing = record.lost || record.events == 0;
            let found = self.lines_at(offset, record.events)?;
            if nothing || found == Some((record.bytes, record.digest)) {
                return Ok(Some(record));
            }
        }
        let Some(name) = clue.name else { return Ok(None) };
        let whole = name.origin.map(|origin| whole(name, origin));
        let known = self.clues.of(&name).iter().copied().filter(|record| !record.lost);
        for record in known.chain(whole) {
            if let Some((bytes, digest)) = self.lines_at(offset, record.events)?
                && digest == record.digest
            {
                return Ok(Some(BatchRecord { bytes, ..record }));
            }
        }
        Ok(None)
    }

    /// The batch that the segment's bytes identify. Of several with the same bytes, the next by
    /// name.
    fn by_content(&mut self, at: usize) -> Result<Option<BatchRecord>, Error> {
        let before = self.batches.last().copied().flatten().map(|batch| batch.name);
        for events in self.sizes.clone() {
            let Some((bytes, digest)) = self.lines_at(self.offset, events)? else { continue };
            let Some(same) = self.pool.get_mut(&(events, digest)) else { continue };
            let later = before.and_then(|before| {
                same.range_from(&before).find(|(name, _)| **name > before).map(|(name, _)| *name)
            });
            let Some(name) = later.or_else(|| same.keys().next().copied()) else { continue };
            let Some(record) = same.remove(&name) else { continue };
            let name = self.waiting(at, name);
            return Ok(Some(BatchRecord { name, bytes, ..record }));
        }
        Ok(None)
    }

    /// The next line with bytes in the segment. The batches before it end at its offset.
    fn anchor(&self, at: usize) -> Option<&'a Clue> {
        let mut lines = self.lines.iter().skip(at + 1);
        lines.find(|line| line.record.is_none_or(|record| record.bytes > 0))
    }

    /// The record of a lost batch in another index.
    fn lost(&self, name: BatchName) -> Option<BatchRecord> {
        self.clues.of(&name).iter().copied().find(|record| record.lost)
    }

    /// The batch of a line, in the place that the lines around it and other names give it.
    fn placed(&self, at: usize, found: BatchRecord) -> BatchRecord {
        let BatchName { time, origin } = found.name;
        let place = self.spellings.get(at).and_then(Spelling::sequence).flatten();
        let origin = origin.map(|origin| match (origin.sequence, place) {
            (Some(Sequence { waiting, .. }), Some(place)) => {
                Origin { sequence: Some(Sequence { waiting, ..place }), ..origin }
            }
            _ => origin,
        });
        BatchRecord { name: BatchName { time, origin }, ..found }
    }

    /// The name of a numbered batch with what it waits for as the line says. The digest decides.
    fn waiting(&mut self, at: usize, name: BatchName) -> BatchName {
        let Some(id) = name.id() else { return name };
        self.open.push((at, Open::Waiting));
        let waiting = self.spellings.get(at).and_then(Spelling::waiting);
        let waiting = waiting.filter(|waiting| *waiting <= id.number);
        waiting.map_or(name, |waiting| name.waiting_for(waiting))
    }

    /// A batch whose name is partly illegible: the line and those around it have its time, writer
    /// and sequence, the segment the rest.
    fn spelled(
        &mut self,
        at: usize,
        count: usize,
        clue: &Clue,
    ) -> Result<Option<BatchRecord>, Error> {
        let Some(spelling) = self.spellings.get(at) else { return Ok(None) };
        for events in clue.counts(spelling.events) {
            let Some((bytes, digest)) = self.lines_at(self.offset, events)? else { continue };
            let end = self.offset.and_then(|offset| offset.checked_add(bytes));
            let is_end = match self.anchor(at) {
                _ if clue.mentions(digest) => true,
                // The name is legible, so the segment is damaged.
                _ if clue.name.is_some() => false,
                Some(next) => self.fitting(next, end)?.is_some(),
                None => at + 1 == count && end == Some(self.segment.bytes),
            };
            if is_end {
                let name = self.name(at, events, digest);
                return Ok(name.map(|name| BatchRecord::whole(name, events, bytes, digest)));
            }
        }
        Ok(None)
    }

    /// The name of a batch with these bytes, of which the rest follows from the lines.
    fn name(&mut self, at: usize, events: u64, digest: Digest) -> Option<BatchName> {
        let spelling = self.spellings.get(at)?;
        let (time, writer) = spelling.time_and_writer()?;
        let sequence = spelling.sequence()?;
        let missing: Vec<_> = spelling.missing().map(|column| (at, Open::Digit(column))).collect();
        if missing.len() > MISSING_MAX {
            return None;
        }
        self.open.extend(missing);
        let name = BatchName { time, origin: Some(Origin { writer, sequence, events, digest }) };
        Some(self.waiting(at, name))
    }

    /// A batch whose name is partly illegible: the lines have all of it in one place or another.
    /// The segment may be gone.
    fn as_written(&mut self, at: usize, clue: &Clue) -> Option<BatchRecord> {
        let spelling = self.spellings.get(at).filter(|_| clue.name.is_none())?;
        let events = clue.counts(spelling.events).next()?;
        let digest = spelling.digest.or_else(|| clue.digest())?;
        let bytes = clue.field("bytes")?;
        let is_whole = clue.digest().is_none_or(|found| found == digest);
        let name = self.name(at, events, digest).filter(|_| is_whole)?;
        Some(BatchRecord::whole(name, events, bytes, digest))
    }

    /// The batch before the next one that is known: one that was cut, lost or damaged.
    fn between(&mut self, at: usize, clue: Option<&Clue>) -> Result<Option<BatchRecord>, Error> {
        let Some(start) = self.offset.take() else { return Ok(None) };
        let Some(next) = self.anchor(at) else { return Ok(None) };
        let name = clue.and_then(|clue| clue.name);
        if self.fitting(next, Some(start))?.is_some() {
            // No bytes stand before it.
            self.offset = Some(start);
            return Ok(name.and_then(|name| left_of(name, name.origin?.events, 0, Digest::of(b""))));
        }
        let most = name.and_then(|name| name.origin).map_or(self.segment.events, |o| o.events);
        for events in 1..=most {
            let Some((bytes, digest)) = self.content.lines(start, events)? else { break };
            let end = start.checked_add(bytes);
            if self.fitting(next, end)?.is_none() {
                continue;
            }
            self.offset = end;
            return Ok(name.and_then(|name| left_of(name, events, bytes, digest)));
        }
        Ok(None)
    }

    /// Places the one batch that is left in the bytes that no other batch covers.
    fn place_last(&mut self) -> Result<(), Error> {
        let mut open = self.batches.iter().enumerate().filter(|(_, batch)| batch.is_none());
        let (Some((at, _)), None) = (open.next(), open.next()) else { return Ok(()) };
        let Some(name) = self.lines.get(at).and_then(|line| line.name) else { return Ok(()) };
        let left = |of: fn(&BatchRecord) -> u64, all: u64| {
            let batches = self.batches.iter().flatten();
            batches.map(of).try_fold(all, u64::checked_sub)
        };
        let events = left(|batch| batch.events, self.segment.events);
        let bytes = left(|batch| batch.bytes, self.segment.bytes);
        let (Some(events), Some(bytes)) = (events, bytes) else { return Ok(()) };
        let before = self.batches.iter().take(at).flatten();
        let start = before.map(|batch| batch.bytes).try_fold(0_u64, u64::checked_add);
        let found = self.lines_at(start, events)?.map_or(Digest::of(b""), |(_, digest)| digest);
        if let Some(batch) = self.batches.get_mut(at) {
            *batch = left_of(name, events, bytes, found);
        }
        Ok(())
    }
}

/// The record of the remainder of a batch.
fn left_of(name: BatchName, events: u64, bytes: u64, digest: Digest) -> Option<BatchRecord> {
    let Some(origin) = name.origin else {
        return Some(BatchRecord::whole(name, events, bytes, digest));
    };
    let trimmed = origin.events.checked_sub(events)?;
    let lost = bytes == 0;
    let digest = match (lost, trimmed) {
        (true, _) => Digest::of(b""),
        (false, 0) => origin.digest,
        (false, _) => digest,
    };
    Some(BatchRecord { name, events, bytes, digest, trimmed, lost })
}

#[cfg(test)]
mod tests;
