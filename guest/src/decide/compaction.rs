//! Decides what a compaction rewrites and what it commits. No I/O.
//!
//! 1. Live batches are absorbed in the order of their names, behind all segments.
//! 2. Segments of one size tier are merged where `fan_in` of them are neighbours, smaller ones
//!    between them included. Tier t holds sizes of at least `fan_in`^t bytes and less than the next
//!    power. A final segment is above all tiers.
//! 3. A merge takes in the smaller tiers directly before it. Appends come only at the end, so in
//!    front of a larger segment they would never have enough neighbours again.
//! 4. Smaller tiers that still stand before a segment become one. They do not fit with it or were
//!    merged under other options. A single one stays: at most one for each larger segment.
//! 5. Nothing grows beyond the limits of a segment. A segment of over half the limit is final: it
//!    stays as it is. A merge that the limits cut short has made a final segment.
//! 6. Merging joins neighbours, so no event changes its position.
//! 7. A first segment with trimmed events is rewritten without them, alone if nothing else is due.
//!    Trimmed events are never copied, and the next compaction removes those that a trim left.
//!
//! By 2 and 3 every rewrite of a byte raises its tier, so a byte is rewritten at most
//! log(`segment_bytes_max`)/log(`fan_in`) times. The tiers never rise along the log, so fewer than
//! `fan_in` segments of each are left. Rule 4 may rewrite a byte without raising its tier, but
//! never twice in a row: its output is isolated between higher tiers, so the next merge raises it.
//! A plan that was carried out leaves nothing to plan: 2 to 4 look at tiers alone, and by 5 any two
//! segments that are not final can be joined.

use std::ops::Range;

use crate::decide::boundary::Boundary;
use crate::decide::log_state::LogState;
use crate::decide::options::CompactOptions;
use crate::format::batch::BatchRecord;
use crate::format::manifest::{Manifest, Retired, SegmentRecord};
use crate::format::names::{CommitId, Generation};
use crate::format::numbers::{sum, to_u64};
use crate::format::segment::NewSegment;
use crate::limits::{COMMIT_SEGMENTS_MAX, SEGMENT_BATCHES_MAX};

/// Neighbours that become one segment, or as few as the limits allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rewrite {
    /// The segments, by their numbers in the manifest.
    pub segments: Range<usize>,
    /// The number of live batches, the first by name, behind those segments.
    pub batches: usize,
    pub bytes: u64,
    /// The number of batches in all, those of the segments and the live ones.
    pub size: u64,
    /// True if the first segment holds trimmed events, which are dropped.
    pub cut: bool,
}

/// Decides what to rewrite, in the order of the log. Empty if nothing is due. The boundary is the
/// kept part of the first segment, if that still holds trimmed events.
pub(crate) fn plan(
    state: &LogState,
    boundary: Option<&Boundary>,
    options: &CompactOptions,
) -> Vec<Rewrite> {
    let segments = state.segments().iter().enumerate().map(|(number, segment)| {
        let cut = boundary.filter(|boundary| boundary.kept.segment.name == segment.name);
        cut.map_or(Rewrite::alone(number, segment), |cut| Rewrite::cut(number, cut))
    });
    let mut units: Vec<Rewrite> = segments.collect();
    let least = if options.full { 1 } else { 2 };
    if state.live.len() >= least {
        units.push(absorb(state, options.batches_max));
    }
    let units =
        if options.full { join_all(units, options) } else { tiers::join_tiers(units, options) };
    let rewritten = units.into_iter().filter(Rewrite::is_written);
    // A commit has a limited number of segments; the rest waits for the next compaction.
    let mut segments = 0_u64;
    rewritten
        .take_while(|unit| {
            let first = segments == 0;
            segments =
                segments.saturating_add(unit.bytes / options.segment_bytes_max).saturating_add(2);
            first || segments <= u64::from(COMMIT_SEGMENTS_MAX)
        })
        .collect()
}

/// Absorbs the first live batches behind all segments, at most `batches_max`.
pub(crate) fn absorb(state: &LogState, batches_max: usize) -> Rewrite {
    let (segments, absorbed) = (state.segments().len(), state.live.iter().take(batches_max));
    Rewrite {
        segments: segments..segments,
        batches: absorbed.len(),
        // Listed sizes only decide about limits.
        bytes: absorbed.clone().map(|batch| batch.size).fold(0, u64::saturating_add),
        size: to_u64(absorbed.len()),
        cut: false,
    }
}

/// Rewrites the segment at the boundary alone.
pub(crate) fn cut(state: &LogState, boundary: &Boundary) -> Option<Rewrite> {
    let name = boundary.kept.segment.name;
    let at = state.segments().iter().position(|segment| segment.name == name)?;
    Some(Rewrite::cut(at, boundary))
}

/// Joins neighbours as far as the limits allow.
fn join_all(units: Vec<Rewrite>, options: &CompactOptions) -> Vec<Rewrite> {
    let mut joined: Vec<Rewrite> = Vec::new();
    for unit in units {
        match joined.last_mut() {
            Some(last) if last.fits(&unit, options) => last.join(&unit),
            _ => joined.push(unit),
        }
    }
    joined
}

impl Rewrite {
    /// A segment by itself.
    pub(crate) fn alone(number: usize, segment: &SegmentRecord) -> Self {
        Self {
            segments: number..number + 1,
            batches: 0,
            bytes: segment.bytes,
            size: segment.batches,
            cut: false,
        }
    }

    /// The kept part of a segment that a trim has cut, by itself.
    pub(crate) fn cut(number: usize, boundary: &Boundary) -> Self {
        Self {
            segments: number..number + 1,
            batches: 0,
            bytes: boundary.bytes(),
            size: boundary.batches(),
            cut: true,
        }
    }

    fn join(&mut self, next: &Self) {
        self.segments.end = next.segments.end;
        self.batches += next.batches;
        self.bytes = self.bytes.saturating_add(next.bytes);
        self.size = self.size.saturating_add(next.size);
        self.cut |= next.cut;
    }

    /// Returns true if both fit into one segment. Live batches that are too large for one segment
    /// are cut into several, so the units before them enlarge the first of those.
    fn fits(&self, next: &Self, options: &CompactOptions) -> bool {
        let mut joined = self.clone();
        joined.join(next);
        let is_cut = next.batches > 0 && !next.is_within(options);
        joined.is_within(options) || (is_cut && self.is_within(options))
    }

    fn is_within(&self, options: &CompactOptions) -> bool {
        self.bytes <= options.segment_bytes_max && self.size <= SEGMENT_BATCHES_MAX
    }

    /// The number of batches that come from segments and were absorbed before.
    fn merged(&self) -> Option<usize> {
        usize::try_from(self.size).ok()?.checked_sub(self.batches)
    }

    /// Returns true if it becomes a new segment.
    fn is_written(&self) -> bool {
        self.batches > 0 || self.segments.len() > 1 || self.cut
    }

    /// The size tier. None for a final segment.
    fn tier(&self, options: &CompactOptions) -> Option<u32> {
        let large =
            self.bytes > options.segment_bytes_max / 2 || self.size > SEGMENT_BATCHES_MAX / 2;
        (!large).then(|| tier(self.bytes, options.fan_in))
    }
}

/// The size tier of this many bytes.
pub(crate) fn tier(bytes: u64, fan_in: u64) -> u32 {
    bytes.checked_ilog(fan_in).unwrap_or(0)
}

/// Returns the manifest in which the outputs replace the sources of each rewrite, and segments with
/// trimmed events are retired. None if its sums need more than 64 bits.
pub(crate) fn next_manifest(
    base: Option<&Manifest>,
    commit_id: CommitId,
    first_position: u64,
    rewrites: &[(Rewrite, Vec<NewSegment>)],
) -> Option<Manifest> {
    let mut next = Manifest::after(base, commit_id);
    next.first_position = first_position;
    let old = std::mem::take(&mut next.segments);
    let mut kept = old.iter().enumerate().peekable();
    for (rewrite, outputs) in rewrites {
        while let Some((_, segment)) = kept.next_if(|(at, _)| *at < rewrite.segments.start) {
            next.keep(*segment);
        }
        let first = kept.peek().map(|(_, segment)| segment.position);
        while let Some((_, segment)) = kept.next_if(|(at, _)| *at < rewrite.segments.end) {
            if rewrite.cut && segment.position < first_position {
                next.retire(*segment);
            }
        }
        let mut position = match first.filter(|_| !rewrite.segments.is_empty()) {
            Some(_) if rewrite.cut => first_position,
            Some(first) => first,
            None => next.next_position,
        };
        for output in outputs {
            let record = output.record(position)?;
            position = position.checked_add(record.events)?;
            next.compacted_bytes = next.compacted_bytes.checked_add(record.bytes)?;
            next.segments.push(record);
        }
        next.next_position = next.next_position.max(position);
        let batches = outputs.iter().flat_map(|output| &output.batches);
        let absorbed = batches.skip(rewrite.merged()?).map(|batch| batch.bytes);
        next.absorbed_bytes = next.absorbed_bytes.checked_add(sum(absorbed)?)?;
    }
    kept.for_each(|(_, segment)| next.keep(*segment));
    Some(next)
}

impl NewSegment {
    /// The manifest's record of the segment, if its first event has this position.
    fn record(&self, position: u64) -> Option<SegmentRecord> {
        let times = || self.batches.iter().map(|batch| batch.name.time);
        Some(SegmentRecord {
            name: self.name,
            position,
            batches: u64::try_from(self.batches.len()).ok()?,
            events: sum(self.batches.iter().map(|batch| batch.events))?,
            lost: sum(self.batches.iter().map(BatchRecord::events_lost))?,
            bytes: sum(self.batches.iter().map(|batch| batch.bytes))?,
            first_time: times().min()?,
            last_time: times().max()?,
            index: self.index,
        })
    }
}

impl Manifest {
    /// Keeps a segment, unless all of it is trimmed.
    fn keep(&mut self, segment: SegmentRecord) {
        if segment.position < self.first_position && segment.end() <= self.first_position {
            self.retire(segment);
        } else {
            self.segments.push(segment);
        }
    }

    /// Retires a segment that holds trimmed events. Its index stays for a while.
    fn retire(&mut self, segment: SegmentRecord) {
        self.retired.push(Retired { segment, generation: self.generation });
    }

    /// The next generation, without a change yet. It keeps all records of trimmed segments. Fields
    /// that format 1 lacks are still missing, and so is the identity of a new log.
    pub(crate) fn after(base: Option<&Self>, commit_id: CommitId) -> Self {
        let generation = base.map_or(0, |base| base.generation.0) + 1;
        let mut next = match base {
            Some(base) => base.clone(),
            None => Self {
                log: None,
                generation: Generation(0),
                commit_id,
                previous: None,
                first_position: 0,
                next_position: 0,
                segments: Vec::new(),
                retired: Vec::new(),
                horizon: None,
                absorbed_bytes: 0,
                compacted_bytes: 0,
                digest: None,
            },
        };
        next.generation = Generation(generation);
        next.previous = next.digest.take();
        next.commit_id = commit_id;
        next
    }
}

mod tiers;

#[cfg(test)]
pub(crate) mod tests;
