//! The index of a segment: the batches in it. One JSON line per batch, in order:
//! `{"batch":"batch_….jsonl","events":3,"bytes":120,"digest":"0123456789abcdef"}`, with
//! `"trimmed":N` if N events at the beginning of the batch were trimmed, and `"lost":true` if its
//! bytes were lost.
//!
//! 1. The batches stand in the segment in this order without gaps, so offsets and positions follow.
//! 2. The index has the digest that the manifest records. Format 1 records none; then the number of
//!    batches, their times, and the sums of their events and bytes are checked.
//! 3. A line agrees with the name of its batch.

use std::num::NonZeroU64;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::error::Damage;
use crate::error::quantities::{count, grouped, size};
use crate::format::batch::BatchRecord;
use crate::format::manifest::SegmentRecord;
use crate::format::names::{BatchId, BatchName, BatchTime, Digest, Origin};
use crate::format::numbers::to_u64;
use crate::format::ordered::{Map, Set};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    batch: std::borrow::Cow<'a, str>,
    events: u64,
    bytes: u64,
    digest: std::borrow::Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trimmed: Option<NonZeroU64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lost: Option<Lost>,
}

/// `true`, for a batch whose bytes were lost. Other batches have no such field.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "bool", into = "bool")]
struct Lost;

impl TryFrom<bool> for Lost {
    type Error = &'static str;

    fn try_from(lost: bool) -> Result<Self, Self::Error> {
        lost.then_some(Self).ok_or("`lost` is true or absent")
    }
}

impl From<Lost> for bool {
    fn from(_: Lost) -> Self {
        true
    }
}

/// A decoded index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    pub batches: Vec<BatchRecord>,
    names: Set<BatchName>,
}

impl Index {
    pub fn new(batches: Vec<BatchRecord>) -> Self {
        let names = batches.iter().map(|record| record.name).collect();
        Self { batches, names }
    }

    /// Returns true if the segment contains the batch.
    pub fn contains(&self, batch: &BatchName) -> bool {
        self.names.contains(batch)
    }

    /// Returns those of some batches, in the order of their names, that the segment contains.
    pub(crate) fn common(&self, batches: &[BatchName]) -> Vec<BatchName> {
        let (Some(first), Some(last)) = (self.names.first(), self.names.last()) else {
            return Vec::new();
        };
        let start = batches.partition_point(|batch| batch < first);
        let end = batches.partition_point(|batch| batch <= last);
        let batches = batches.get(start..end).unwrap_or_default();
        if batches.len() <= self.names.len() {
            return batches.iter().filter(|batch| self.contains(batch)).copied().collect();
        }
        // Of two names of a batch, the given one is returned.
        let given = |name: &BatchName| batches.get(batches.binary_search(name).ok()?).copied();
        self.names.iter().filter_map(given).collect()
    }

    /// Returns true if the segment contains the numbered batch.
    pub(crate) fn has(&self, batch: &BatchId) -> bool {
        let later = self.names.range_from(&BatchName::least(batch.time));
        let mut same_time = later.take_while(|name| name.time == batch.time);
        same_time.any(|name| name.id().as_ref() == Some(batch))
    }

    /// The batches, each with the positions of all its events in the segment, trimmed ones
    /// included.
    pub(crate) fn positions(
        &self,
        segment: &SegmentRecord,
    ) -> impl Iterator<Item = (&BatchRecord, Range<u64>)> {
        let mut next = segment.position;
        self.batches.iter().map(move |batch| {
            let start = next;
            next += batch.events;
            (batch, start - batch.trimmed..next)
        })
    }

    /// The position at which a new segment begins that has the rest of this one, from a batch on.
    /// None if that is all of this one, or nothing.
    pub(crate) fn cut_before(&self, segment: &SegmentRecord, first: &BatchRecord) -> Option<u64> {
        let mut positions = self.positions(segment);
        let (_, positions) = positions.find(|(batch, _)| batch.name == first.name)?;
        let start = positions.start.saturating_add(first.trimmed);
        (segment.position < start && start < positions.end).then_some(start)
    }

    /// The numbers of events before a position that are in the segment, by batch.
    pub(crate) fn events_before(
        &self,
        segment: &SegmentRecord,
        position: u64,
    ) -> Map<BatchName, u64> {
        let before = self.positions(segment).map(|(batch, positions)| {
            let start = positions.start.saturating_add(batch.trimmed);
            (batch.name, position.min(positions.end).saturating_sub(start))
        });
        before.filter(|(_, events)| *events > 0).collect()
    }

    /// # Errors
    /// A message if a record cannot be written as JSON, which does not happen.
    pub fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = Vec::new();
        for record in &self.batches {
            let line = Line {
                batch: record.name.to_string().into(),
                events: record.events,
                bytes: record.bytes,
                digest: record.digest.to_string().into(),
                trimmed: NonZeroU64::new(record.trimmed),
                lost: record.lost.then_some(Lost),
            };
            serde_json::to_writer(&mut bytes, &line)?;
            bytes.push(b'\n');
        }
        Ok(bytes)
    }

    /// Decodes the index of a segment and checks it against the manifest's record of it.
    ///
    /// # Errors
    /// [`Damage`] that names the index.
    pub fn decode(segment: &SegmentRecord, bytes: &[u8]) -> Result<Self, Damage> {
        let damage =
            |expected: String, found: String| Damage::new(segment.name.index(), expected, found);
        let found = Digest::of(bytes);
        if let Some(expected) = segment.index.filter(|expected| *expected != found) {
            let expected = format!("xxh3 {expected}, as the manifest says");
            return Err(damage(expected, format!("{}, xxh3 {found}", size(to_u64(bytes.len())))));
        }
        let Some(lines) = bytes.strip_suffix(b"\n") else {
            let found = format!("{} without one at the end", size(to_u64(bytes.len())));
            return Err(damage("lines that end with a line feed".to_owned(), found));
        };
        let mut batches = Vec::new();
        for (number, line) in lines.split(|&byte| byte == b'\n').enumerate() {
            let expected = || format!("a batch's record in line {}", number + 1);
            let line: Line = serde_json::from_slice(line)
                .map_err(|error| damage(expected(), error.to_string()))?;
            batches.push(line.record().map_err(|found| damage(expected(), found))?);
        }
        let index = Self::new(batches);
        index.check(segment).map_err(|(expected, found)| damage(expected, found))?;
        Ok(index)
    }

    /// Checks the index against the manifest's record. Returns the expectation and the finding.
    fn check(&self, segment: &SegmentRecord) -> Result<(), (String, String)> {
        let total = |field: fn(&BatchRecord) -> u64| {
            self.batches.iter().try_fold(0_u64, |sum, record| sum.checked_add(field(record)))
        };
        let found = (total(|record| record.events), total(|record| record.bytes));
        if found != (Some(segment.events), Some(segment.bytes)) {
            let said = |(events, bytes): (Option<u64>, Option<u64>)| match (events, bytes) {
                (Some(events), Some(bytes)) => format!("{} in {}", counted(events), size(bytes)),
                _ => "sums beyond 64 bits".to_owned(),
            };
            let expected = said((Some(segment.events), Some(segment.bytes)));
            return Err((format!("{expected}, as the manifest says"), said(found)));
        }
        let lost = total(BatchRecord::events_lost);
        if lost != Some(segment.lost) {
            let said = |lost: u64| count(lost, "lost event", "lost events");
            let found = lost.map_or("a sum beyond 64 bits".to_owned(), said);
            return Err((format!("{}, as the manifest says", said(segment.lost)), found));
        }
        let said = |batches: u64, first: BatchTime, last: BatchTime| {
            let batches = count(batches, "batch", "batches");
            format!("{batches} of times {} to {}", first.micros(), last.micros())
        };
        let times = || self.batches.iter().map(|record| record.name.time);
        let (first, last) = (times().min().unwrap_or_default(), times().max().unwrap_or_default());
        let batches = to_u64(self.batches.len());
        if (batches, first, last) != (segment.batches, segment.first_time, segment.last_time) {
            let expected = said(segment.batches, segment.first_time, segment.last_time);
            let expected = format!("{expected}, as the manifest says");
            return Err((expected, said(batches, first, last)));
        }
        let mut position = Some(segment.position);
        for record in &self.batches {
            if position.is_none_or(|position| position < record.trimmed) {
                let expected = match position {
                    Some(position) => {
                        format!("at most the {} before it trimmed", counted(position))
                    }
                    None => "positions of 64 bits".to_owned(),
                };
                return Err((expected, format!("{} of {}", record.trimmed, record.name)));
            }
            position = position.and_then(|position| position.checked_add(record.events));
        }
        if position.is_none() {
            let expected = format!("positions of 64 bits, from {}", segment.position);
            return Err((expected, counted(segment.events)));
        }
        if self.names.len() != self.batches.len() {
            return Err(("each batch once".to_owned(), "a batch twice".to_owned()));
        }
        Ok(())
    }
}

impl Line<'_> {
    /// The record of the line. An error with the line's contents if they are invalid or contradict
    /// each other.
    fn record(&self) -> Result<BatchRecord, String> {
        let (Some(name), Some(digest)) =
            (BatchName::parse(&self.batch), Digest::parse(self.digest.as_bytes()))
        else {
            return Err(format!("batch {:?}, digest {:?}", self.batch, self.digest));
        };
        let record = BatchRecord {
            name,
            events: self.events,
            bytes: self.bytes,
            digest,
            trimmed: self.trimmed.map_or(0, NonZeroU64::get),
            lost: self.lost.is_some(),
        };
        record.contradiction().map_or(Ok(record), Err)
    }
}

impl BatchRecord {
    /// Describes how the record contradicts its name or itself.
    fn contradiction(&self) -> Option<String> {
        let Self { name, events, bytes, digest, trimmed, lost } = *self;
        let is_cut = lost || trimmed > 0;
        let says = |origin: Origin| {
            events.checked_add(trimmed) == Some(origin.events)
                && (is_cut || digest == origin.digest)
        };
        if !name.origin.is_none_or(says) {
            return Some(format!(
                "{}, {} trimmed, xxh3 {digest} of {name}",
                counted(events),
                grouped(trimmed)
            ));
        }
        if is_cut && events == 0 {
            return Some(format!("nothing left of {name}"));
        }
        let has_bytes = bytes > 0 || digest != Digest::of(b"");
        (lost && has_bytes).then(|| format!("{}, xxh3 {digest} of {name}, lost", size(bytes)))
    }
}

fn counted(events: u64) -> String {
    count(events, "event", "events")
}

mod clues;
mod digits;
mod mend;
mod rebuild;
mod spelling;

pub(crate) use clues::Clues;
pub(crate) use mend::batches_of;
pub(crate) use rebuild::{Content, Rebuilt, rebuilt};

#[cfg(test)]
mod tests;
