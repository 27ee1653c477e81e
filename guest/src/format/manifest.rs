//! The manifest: the list of the log's segments. The one with the highest generation is current.
//!
//! 1. Segments stand in the order of their positions, without gaps, up to the next position. The
//!    first position lies in the first of them: events before it were trimmed.
//! 2. A manifest is created once, exclusively; creating it is the commit of a compaction.
//! 3. Every byte is covered: a manifest has a digest of itself, of each segment's index, which has
//!    one of each batch, and of the previous manifest.
//! 4. A log has one identity, which its first manifest sets and every later one carries.
//! 5. All sums over a decoded manifest fit in 64 bits.

use crate::error::{Damage, Error};
use crate::format::names::{BatchTime, CommitId, Digest, Generation, LogId, SegmentName};
use crate::format::ordered::Set;

mod stand_in;
mod text;

pub use stand_in::StandIn;
pub(crate) use text::{END_BYTES, FORMAT, is_whole, mended, with_digest};

/// The manifest's record of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentRecord {
    pub name: SegmentName,
    /// The position of its first event.
    pub position: u64,
    pub batches: u64,
    pub events: u64,
    /// The number of its events that a repair recorded as lost.
    pub lost: u64,
    pub bytes: u64,
    pub first_time: BatchTime,
    pub last_time: BatchTime,
    /// The digest of its index. None in a manifest of format 1.
    pub index: Option<Digest>,
}

impl SegmentRecord {
    /// The position after its last event.
    pub fn end(&self) -> u64 {
        self.position + self.events
    }

    /// The number of its events that can be read.
    pub fn readable(&self) -> u64 {
        self.events - self.lost
    }

    /// Returns true if the time lies between those of its oldest and its newest batch.
    pub fn covers(&self, time: BatchTime) -> bool {
        self.first_time <= time && time <= self.last_time
    }
}

/// A segment that was trimmed. Its index stays for a while, so that a batch whose create lands late
/// is recognized as absorbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retired {
    pub segment: SegmentRecord,
    /// The generation that trimmed it.
    pub generation: Generation,
}

/// A decoded manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// None in a manifest of format 1.
    pub log: Option<LogId>,
    pub generation: Generation,
    pub commit_id: CommitId,
    /// The digest of all bytes of the previous manifest. None in the first and in format 1.
    pub previous: Option<Digest>,
    pub first_position: u64,
    pub next_position: u64,
    pub segments: Vec<SegmentRecord>,
    pub retired: Vec<Retired>,
    /// The newest time of all segments whose records were dropped from `retired`. No index shows
    /// any more that a batch of this time or before was absorbed. None if none was dropped.
    pub horizon: Option<BatchTime>,
    /// Bytes of all batches ever absorbed.
    pub absorbed_bytes: u64,
    /// Bytes of all segments ever committed.
    pub compacted_bytes: u64,
    /// The digest of all its bytes, which the next manifest records as `previous`. None if it was
    /// not read from an object.
    pub digest: Option<Digest>,
}

impl Manifest {
    /// The records of all segments that it names, trimmed ones last.
    pub fn records(&self) -> impl Iterator<Item = &SegmentRecord> {
        self.segments.iter().chain(self.retired.iter().map(|retired| &retired.segment))
    }

    /// Trimmed events in its first segment, which a trim has left to the next compaction.
    pub fn trimmed_events(&self) -> u64 {
        let start = self.segments.first().map_or(self.first_position, |first| first.position);
        self.first_position - start
    }

    /// Returns true if its segments, trimmed ones included, cover every position. Then every batch
    /// that was ever absorbed, and had events, is in an index that it names.
    pub(crate) fn covers_all_positions(&self) -> bool {
        let mut ranges: Vec<_> = self.records().map(|s| (s.position, s.end())).collect();
        ranges.sort_unstable();
        let reached = ranges
            .into_iter()
            .try_fold(0, |reached: u64, (start, end)| (start <= reached).then(|| reached.max(end)));
        reached.is_some_and(|reached| reached >= self.next_position)
    }

    /// Checks its fields against each other.
    fn check(self) -> Result<Self, Error> {
        let generation = self.generation;
        let damage = |expected: String, found: String| {
            Err(Error::Damaged(Damage::new(generation, expected, found)))
        };
        let mut position = self.segments.first().map_or(self.next_position, |s| s.position);
        for segment in &self.segments {
            if segment.position != position {
                let found = format!("{} at position {}", segment.name, segment.position);
                return damage(format!("a segment at position {position}"), found);
            }
            let Some(end) = position.checked_add(segment.events) else {
                return damage("positions of 64 bits".to_owned(), segment.name.to_string());
            };
            position = end;
        }
        if position != self.next_position {
            let expected = format!("next position {position}, after its segments");
            return damage(expected, self.next_position.to_string());
        }
        let (start, end) =
            self.segments.first().map_or((position, position), |s| (s.position, s.end()));
        let first = self.first_position;
        if first < start || (first >= end && first != self.next_position) {
            return damage(format!("a first position from {start} to {end}"), first.to_string());
        }
        let mut names = Set::new();
        if let Some(twice) = self.records().find(|segment| !names.insert(segment.name)) {
            return damage("each segment once".to_owned(), format!("{} twice", twice.name));
        }
        let trimmed = self.retired.iter().map(|retired| &retired.segment);
        let beyond = trimmed.into_iter().find(|s| s.position.checked_add(s.events).is_none());
        let sum = |of: fn(&SegmentRecord) -> u64| {
            self.records().try_fold(0_u64, |sum, record| sum.checked_add(of(record)))
        };
        let sums = sum(|s| s.bytes).and(sum(|s| s.batches)).and(sum(|s| s.events));
        if beyond.is_some() || sums.is_none() {
            let found = "more in its segments".to_owned();
            return damage("sums of 64 bits".to_owned(), found);
        }
        Ok(self)
    }
}

#[cfg(test)]
pub(crate) mod tests;
