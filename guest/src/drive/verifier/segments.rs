//! Checks damaged segments batch by batch.

use super::Verifier;
use super::kept::Place;
use crate::decide::source::SourceObject;
use crate::drive::repair::damaged_batches::damaged_batches;
use crate::drive::source_reader::SourceReader;
use crate::error::quantities::count;
use crate::error::{Damage, Error};
use crate::format::manifest::SegmentRecord;
use crate::format::numbers::to_u64;
use crate::format::verified_chunk::BatchSpan;
use crate::ports::Store;

impl<S: Store> Verifier<S> {
    /// Records damage and resumes behind the object. Of a segment, the batches that are not damaged
    /// are counted, unless the damage is in its index.
    pub(super) fn pass(
        &mut self,
        mut damage: Damage,
        reading: SourceReader<S>,
    ) -> Result<(), Error> {
        let object = reading.current().cloned();
        let is_index = object.as_ref().is_some_and(SourceObject::is_index);
        let segment = object.as_ref().and_then(|object| object.source.segment()).copied();
        self.work.drop_incomplete();
        if let Some(segment) = segment.filter(|_| !is_index) {
            // If the store fails, the next call begins with this batch again.
            let batches = self.count_whole(&segment)?;
            if batches > 1 {
                let batches = count(batches, "batch", "batches");
                damage.found.push_str(&format!("; {batches} of the segment are damaged"));
            }
        }
        self.work.record_damage(damage, segment.map(|segment| segment.name));
        self.skip_one(reading);
        Ok(())
    }

    /// Counts the batches of a segment that are not damaged, from the one on at which the work is.
    /// Returns the number of damaged ones.
    fn count_whole(&mut self, segment: &SegmentRecord) -> Result<u64, Error> {
        let index = match self.catalog.index_of(segment) {
            Ok(Some(index)) => index,
            Ok(None) | Err(Error::Damaged(_)) => return Ok(0),
            Err(error) => return Err(error),
        };
        let damaged = damaged_batches(&self.catalog, segment, &index)?.batches;
        let position = self.work.kept.position;
        let left = index.positions(segment).filter(|(_, positions)| positions.end > position);
        for (batch, positions) in left {
            if damaged.contains(&batch.name) {
                let place = Place { start: positions.start, segment: segment.name };
                self.work.record_place(batch, place, &self.catalog.name);
                continue;
            }
            let span = BatchSpan {
                batch: batch.name,
                segment: Some(segment.name),
                positions: Some(positions),
                trimmed: batch.trimmed,
                bytes: batch.bytes,
                events: batch.events_stored(),
                end: Some(*batch),
            };
            self.work.record_span(&span, &self.catalog.name);
        }
        Ok(to_u64(damaged.len()))
    }
}
