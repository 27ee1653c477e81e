//! Derives a commit from the manifest before it and the segments that it wrote. No I/O.
//!
//! 1. A segment of the manifest before stays, is trimmed, or is the source of the next batches of
//!    the new segments: as many, with as many events, of the same times.
//! 2. New batches come behind all segments, in the order of their names, and are in no earlier
//!    index.
//! 3. The result is every manifest that is possible. The damaged manifest's bytes decide between
//!    them.

use std::ops::Range;

use crate::decide::compaction::{self, Rewrite};
use crate::format::batch::BatchRecord;
use crate::format::manifest::{Manifest, SegmentRecord};
use crate::format::names::{BatchName, CommitId};
use crate::format::segment::NewSegment;

/// The traces of a commit.
pub(super) struct Traces<'a> {
    pub(super) base: &'a Manifest,
    pub(super) commit_id: CommitId,
    pub(super) first_position: u64,
    /// The segments that it wrote, in the order of the log.
    pub(super) outputs: &'a [NewSegment],
    /// Returns true if a segment of the manifest before still exists.
    pub(super) is_there: &'a dyn Fn(&SegmentRecord) -> bool,
    /// Returns true if an index of the manifest before contains the batch, as far as these exist.
    pub(super) is_absorbed: &'a dyn Fn(&BatchName) -> bool,
}

/// New segments, and the rewrite that made them.
struct Derivation {
    outputs: Range<usize>,
    rewrite: Rewrite,
    /// The place of the one before.
    before: Option<usize>,
}

/// The segments and outputs that are not explained yet, behind a derivation.
struct Rest {
    segment: usize,
    output: usize,
    last: Option<usize>,
}

impl Traces<'_> {
    /// Every manifest that the commit can have created.
    pub(super) fn manifests(&self) -> Vec<Manifest> {
        let lines = Lines::of(self.outputs);
        let mut derivations: Vec<Derivation> = Vec::new();
        let mut found = Vec::new();
        // Explanations to continue, the one with most segments explained last.
        let mut open = vec![Rest { segment: 0, output: 0, last: None }];
        while let Some(Rest { mut segment, output, last }) = open.pop() {
            while let Some(record) = self.base.segments.get(segment) {
                if let Some((outputs, rewrite)) = self.derive(&lines, segment, output) {
                    let (segment, output) = (rewrite.segments.end, outputs.end);
                    open.push(Rest { segment, output, last: Some(derivations.len()) });
                    derivations.push(Derivation { outputs, rewrite, before: last });
                }
                if record.end() > self.first_position && !(self.is_there)(record) {
                    break;
                }
                segment += 1;
            }
            if segment == self.base.segments.len() {
                found.extend(self.manifest(&lines, &derivations, output, last));
            }
        }
        found
    }

    /// Derives the next outputs as a rewrite of segments, from one on, and, behind all of them, of
    /// new batches. As few as possible: the following segments may be a derivation of their own,
    /// with the same result. None if that is impossible.
    fn derive(
        &self,
        lines: &Lines<'_>,
        segment: usize,
        output: usize,
    ) -> Option<(Range<usize>, Rewrite)> {
        let all = lines.from(output)?;
        let (mut rest, mut cut) = (all, false);
        for (at, record) in self.base.segments.iter().enumerate().skip(segment) {
            let is_cut =
                record.position < self.first_position && self.first_position < record.end();
            cut |= is_cut;
            rest = if is_cut {
                cut_from(rest, record.end() - self.first_position)?
            } else {
                whole_from(rest, record)?
            };
            if let Some(end) = lines.output_at(rest) {
                let size = u64::try_from(all.len() - rest.len()).ok()?;
                let rewrite =
                    Rewrite { segments: segment..at + 1, batches: 0, bytes: 0, size, cut };
                return Some((output..end, rewrite));
            }
        }
        let (from, end) = (segment, self.base.segments.len());
        Some((output..self.outputs.len(), self.absorbing(all, rest, from..end, cut)?))
    }

    /// The rewrite that made some lines of segments and of the last ones, which are new batches.
    fn absorbing(
        &self,
        lines: &[&BatchRecord],
        new: &[&BatchRecord],
        segments: Range<usize>,
        cut: bool,
    ) -> Option<Rewrite> {
        let in_order = new.is_sorted_by(|one, next| one.name < next.name);
        let is_new = new.iter().all(|batch| !(self.is_absorbed)(&batch.name));
        let size = u64::try_from(lines.len()).ok()?;
        let rewrite = Rewrite { segments, batches: new.len(), bytes: 0, size, cut };
        (in_order && is_new).then_some(rewrite)
    }

    /// The manifest of all derivations up to the last one. The outputs behind them are new batches.
    fn manifest(
        &self,
        lines: &Lines<'_>,
        derivations: &[Derivation],
        output: usize,
        mut last: Option<usize>,
    ) -> Option<Manifest> {
        let mut rewrites = Vec::new();
        if let Some(new) = lines.from(output) {
            let end = self.base.segments.len();
            let rewrite = self.absorbing(new, new, end..end, false)?;
            rewrites.push((rewrite, self.outputs.get(output..)?.to_vec()));
        }
        while let Some(derivation) = last.and_then(|last| derivations.get(last)) {
            let outputs = self.outputs.get(derivation.outputs.clone())?;
            rewrites.push((derivation.rewrite.clone(), outputs.to_vec()));
            last = derivation.before;
        }
        rewrites.reverse();
        compaction::next_manifest(Some(self.base), self.commit_id, self.first_position, &rewrites)
    }
}

/// The lines of all outputs.
struct Lines<'a> {
    lines: Vec<&'a BatchRecord>,
    /// The number of lines before each output.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(outputs: &'a [NewSegment]) -> Self {
        let (mut lines, mut starts) = (Vec::new(), Vec::new());
        for output in outputs {
            starts.push(lines.len());
            lines.extend(&output.batches);
        }
        Self { lines, starts }
    }

    /// The lines of an output and of those behind it. None if there is no such output.
    fn from(&self, output: usize) -> Option<&[&'a BatchRecord]> {
        self.lines.get(*self.starts.get(output)?..)
    }

    /// The output that begins with the last lines, or the number of outputs if none are left.
    fn output_at(&self, rest: &[&BatchRecord]) -> Option<usize> {
        match rest.len() {
            0 => Some(self.starts.len()),
            left => self.starts.binary_search(&(self.lines.len() - left)).ok(),
        }
    }
}

/// The lines behind the batches of a segment. None if these are not its batches.
fn whole_from<'l, 'b>(
    lines: &'l [&'b BatchRecord],
    segment: &SegmentRecord,
) -> Option<&'l [&'b BatchRecord]> {
    let (own, rest) = lines.split_at_checked(usize::try_from(segment.batches).ok()?)?;
    let sum = |of: fn(&BatchRecord) -> u64| {
        own.iter().try_fold(0_u64, |sum, batch| sum.checked_add(of(batch)))
    };
    let times = || own.iter().map(|batch| batch.name.time);
    let is_same_size =
        own.iter().any(|batch| batch.lost) || sum(|batch| batch.bytes) == Some(segment.bytes);
    let fits = sum(|batch| batch.events) == Some(segment.events)
        && is_same_size
        && times().min() == Some(segment.first_time)
        && times().max() == Some(segment.last_time);
    fits.then_some(rest)
}

/// The lines behind the batches of a segment with this many events left.
fn cut_from<'l, 'b>(
    mut lines: &'l [&'b BatchRecord],
    events: u64,
) -> Option<&'l [&'b BatchRecord]> {
    let mut left = events;
    while left > 0 {
        let (batch, rest) = lines.split_first()?;
        left = left.checked_sub(batch.events)?;
        lines = rest;
    }
    Some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::manifest::tests::{empty, segment_record};
    use crate::format::names::{BatchTime, Digest, Generation, SegmentName};

    fn name(generation: u64, part: u16) -> SegmentName {
        SegmentName { generation: Generation(generation), commit_id: CommitId(5), part }
    }

    /// The record of the one batch of a segment.
    fn batch(time: u64) -> BatchRecord {
        let name = BatchName { time: BatchTime::new(time).unwrap(), origin: None };
        BatchRecord::whole(name, 1, 2, Digest(0))
    }

    /// A manifest of segments of one event each.
    fn base(count: u64) -> Manifest {
        let segments = (0..count).map(|at| {
            let time = BatchTime::new(at).unwrap();
            let record = segment_record(1, 2);
            let (first_time, last_time) = (time, time);
            SegmentRecord {
                name: name(at, 0),
                position: at,
                batches: 1,
                first_time,
                last_time,
                ..record
            }
        });
        Manifest { next_position: count, segments: segments.collect(), ..empty(count) }
    }

    #[test]
    fn commit_on_many_segments_is_derived() {
        // Every tenth group of ten was merged, and two batches were absorbed.
        let count = 20_000;
        let base = base(count);
        let is_merged = |at: u64| at / 10 % 10 == 3;
        let mut batches: Vec<Vec<_>> = vec![Vec::new(); usize::try_from(count / 100).unwrap()];
        for at in (0..count).filter(|at| is_merged(*at)) {
            batches[usize::try_from(at / 100).unwrap()].push(batch(at));
        }
        batches.push(vec![batch(count), batch(count + 1)]);
        let outputs = batches.into_iter().zip(0..).map(|(batches, part)| {
            let index = Some(Digest(1));
            NewSegment { name: name(count + 1, part), batches, index }
        });
        let outputs: Vec<_> = outputs.collect();
        // The sources exist or not: a crash may have left them.
        for is_left in [false, true] {
            let traces = Traces {
                base: &base,
                commit_id: CommitId(5),
                first_position: 0,
                outputs: &outputs,
                is_there: &|segment| is_left || !is_merged(segment.position),
                is_absorbed: &|batch| batch.time.micros() < count,
            };
            let manifests = traces.manifests();
            let [manifest] = &manifests[..] else { panic!("{} manifests", manifests.len()) };
            assert_eq!(manifest.segments.len(), 18_000 + 201);
            assert_eq!((manifest.next_position, manifest.absorbed_bytes), (count + 2, 4));
        }
    }
}
