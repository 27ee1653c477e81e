//! Skips damage in a reading pass. It passes as few events as possible, and keeps a record.
//!
//! 1. A damaged batch is skipped alone, in a segment too. A segment without its index is skipped
//!    from the current position on, for nothing else has the places of its batches.
//! 2. Objects that decide which events exist are never skipped: a manifest, and an index that
//!    decides if a listed batch was absorbed. A repair can fix those.

use super::{Reader, Stage};
use crate::decide::source::{Source, SourceObject};
use crate::error::{Damage, Error};
use crate::format::manifest::SegmentRecord;
use crate::format::names::BatchId;
use crate::mutants::{self, Mutant};
use crate::ports::Store;

/// Damage that a reader skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    pub damage: Damage,
    /// Events that could not be yielded. None if their number is unknown.
    pub events: Option<u64>,
}

impl<S: Store> Reader<S> {
    /// Skips damage from now on, where possible.
    pub fn skip_damaged(&mut self) {
        self.skipped.get_or_insert_default();
    }

    /// Returns the damage skipped since the last call.
    pub fn take_skipped(&mut self) -> Vec<Skipped> {
        self.skipped.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Skips the damage if that is enabled; otherwise returns the error.
    pub(super) fn skip(&mut self, error: Error, object: Option<SourceObject>) -> Result<(), Error> {
        let (Error::Damaged(damage), Some(object), Some(_)) = (&error, object, &self.skipped)
        else {
            return Err(error);
        };
        let is_index = object.is_index();
        let events = match object.source {
            Source::Batch(batch) => {
                let origin = batch.name.origin;
                let passed = self.cursor.position().passed(&batch.name);
                self.cursor.skip_live(batch.name, None);
                origin.map(|origin| origin.events - passed.count(origin.events))
            }
            Source::Segment(segment) if is_index => Some(self.skip_rest(&segment)),
            Source::Segment(segment) => self.skip_batch(&segment)?,
            Source::SegmentRange(range) => self.skip_batch(&range.segment)?,
        };
        let skipped = Skipped { damage: damage.clone(), events };
        self.skipped.get_or_insert_default().push(skipped);
        self.stage = Stage::Load;
        Ok(())
    }

    /// Skips a batch that is gone if that is enabled, and reads on behind it; otherwise returns the
    /// error.
    pub(super) fn skip_gone(&mut self, gone: BatchId) -> Result<(), Error> {
        let damage = self.catalog.gone_batch(gone);
        match &mut self.skipped {
            Some(skipped) => skipped.push(Skipped { damage, events: None }),
            None if mutants::is(Mutant::GoneUnnoticed) => {}
            None => return Err(Error::Damaged(damage)),
        }
        self.catalog.pass_gone(gone);
        self.stage = Stage::Load;
        Ok(())
    }

    /// Passes the batch of a segment at the current position.
    fn skip_batch(&mut self, segment: &SegmentRecord) -> Result<Option<u64>, Error> {
        let index = match self.catalog.index_of(segment) {
            Ok(Some(index)) => index,
            Ok(None) | Err(Error::Damaged(_)) => return Ok(Some(self.skip_rest(segment))),
            Err(error) => return Err(error),
        };
        let next = self.cursor.position().next;
        let mut batches = index.positions(segment);
        let Some((batch, positions)) = batches.find(|(_, positions)| positions.end > next) else {
            // The damage is behind the last batch: no event is missing.
            self.cursor.leave(segment, None);
            return Ok(Some(0));
        };
        let left = self.cursor.left_of(batch, &positions);
        self.cursor.pass_unread(&batch.name, &positions);
        Ok(Some(left))
    }

    /// Passes the rest of a segment.
    fn skip_rest(&mut self, segment: &SegmentRecord) -> u64 {
        let from = self.cursor.position().next.max(segment.position);
        self.cursor.leave(segment, None);
        segment.end().saturating_sub(from)
    }
}
