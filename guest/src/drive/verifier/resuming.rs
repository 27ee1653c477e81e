//! Continues a verification of a log that has changed.

use super::kept::Place;
use super::work::Work;
use super::{Stage, Verifier};
use crate::decide::source::Source;
use crate::error::Error;
use crate::format::index::Index;
use crate::format::manifest::SegmentRecord;
use crate::limits::MISSING_TRIES;
use crate::mutants::{self, Mutant};
use crate::ports::Store;

/// Loads of the log that were in vain.
#[derive(Default)]
pub(super) struct Tries {
    /// The loads since the work has advanced.
    loads: u32,
    reached: (u64, usize),
    /// The times that all results were dropped.
    begins: u32,
}

impl<S: Store> Verifier<S> {
    /// Returns true if the log was compacted. Then the log is loaded again.
    pub(super) fn has_changed(&mut self) -> Result<bool, Error> {
        if self.catalog.highest_generation()? == self.work.generation {
            return Ok(false);
        }
        self.load_again()?;
        Ok(true)
    }

    /// Continues with another load of the log.
    pub(super) fn load_again(&mut self) -> Result<(), Error> {
        self.stage = Stage::Load;
        self.reading = None;
        let reached = self.work.kept.reached();
        let Tries { loads, reached: before, .. } = &mut self.tries;
        if reached > *before {
            *loads = 0;
        }
        *before = reached;
        *loads += 1;
        if *loads <= MISSING_TRIES {
            return Ok(());
        }
        Err(self.overtaken())
    }

    /// Drops all results, and begins again.
    pub(super) fn begin_again(&mut self) -> Result<(), Error> {
        self.stage = Stage::Load;
        self.reading = None;
        self.work = Work::default();
        self.tries.reached = self.work.kept.reached();
        self.tries.begins += 1;
        if self.tries.begins <= MISSING_TRIES { Ok(()) } else { Err(self.overtaken()) }
    }

    fn overtaken(&self) -> Error {
        let log = self.catalog.name.as_str();
        let message = format!(
            "compactions change the log {log} faster than the log can be read; try again later"
        );
        Error::StoreFailed { message, transient: true }
    }

    /// Compares the results of earlier loads with this one. Returns false if the verification
    /// begins again.
    pub(super) fn continues(&mut self) -> Result<bool, Error> {
        let (manifest, generation) = (self.work.manifest.as_ref(), self.work.generation);
        if !self.work.kept.continues(manifest, generation) {
            self.begin_again()?;
            return Ok(false);
        }
        if self.work.kept.is_continued && mutants::is(Mutant::VerifyFromEnd) {
            self.work.kept.position = manifest.map_or(0, |manifest| manifest.next_position);
        }
        self.work.kept.set_state(manifest, generation);
        Ok(true)
    }

    /// Returns the segments that are left to read: of one that is checked in part, the rest. None
    /// if the log is loaded again.
    pub(super) fn segments_left(&mut self) -> Result<Option<Vec<Source>>, Error> {
        let position = self.work.kept.position;
        let segments = self.work.manifest.iter().flat_map(|manifest| &manifest.segments);
        let left = segments.filter(|segment| segment.end() > position).copied();
        let left: Vec<SegmentRecord> = left.collect();
        let mut sources = Vec::with_capacity(left.len());
        for segment in left {
            if segment.position >= position {
                sources.push(Source::Segment(Box::new(segment)));
                continue;
            }
            match self.catalog.index_of(&segment) {
                Ok(Some(index)) => match Source::behind(&segment, &index, position) {
                    Some(rest) => sources.push(rest),
                    // The batches that are left are lost.
                    None => self.record_places(&segment, &index),
                },
                Ok(None) if self.has_changed()? => return Ok(None),
                Ok(None) => self.missing(segment.name.index(), Some(segment.name)),
                Err(Error::Damaged(damage)) => {
                    self.work.record_damage(damage, Some(segment.name));
                }
                Err(error) => return Err(error),
            }
            if sources.is_empty() {
                self.work.kept.position = segment.end();
            }
        }
        Ok(Some(sources))
    }

    /// Records the places of the batches of a segment that are left, without reading them.
    fn record_places(&mut self, segment: &SegmentRecord, index: &Index) {
        let position = self.work.kept.position;
        let left = index.positions(segment).filter(|(_, positions)| positions.end > position);
        for (batch, positions) in left {
            let place = Place { start: positions.start, segment: segment.name };
            self.work.record_place(batch, place, &self.catalog.name);
        }
    }
}
