//! Checks damaged segments batch by batch.

use super::Verifier;
use super::work::Place;
use crate::decide::source::{Source, SourceObject};
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
        // If the store fails, the next call begins with this object again.
        self.read_again(reading);
        if let Some(object) = object.filter(|object| !object.is_index())
            && let SourceObject { source: Source::Segment(segment), .. } = object
        {
            let batches = self.count_whole(&segment)?;
            if batches > 1 {
                let batches = count(batches, "batch", "batches");
                damage.found.push_str(&format!("; {batches} of the segment are damaged"));
            }
        }
        self.work.record_damage(damage);
        if let Some(reading) = self.reading.take() {
            self.skip_one(reading);
        }
        Ok(())
    }

    /// Counts the batches of a segment that are not damaged. Returns the number of the others.
    fn count_whole(&mut self, segment: &SegmentRecord) -> Result<u64, Error> {
        let index = match self.catalog.index_of(segment) {
            Ok(Some(index)) => index,
            Ok(None) | Err(Error::Damaged(_)) => return Ok(0),
            Err(error) => return Err(error),
        };
        let damaged = damaged_batches(&self.catalog, segment, &index)?.batches;
        for (batch, positions) in index.positions(segment) {
            if damaged.contains(&batch.name) {
                let place =
                    Place { start: positions.start, segment: segment.name, is_retired: false };
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
