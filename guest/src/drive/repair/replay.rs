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
#[derive(Clone)]
struct Derivation {
    outputs: Range<usize>,
    rewrite: Rewrite,
}

impl Traces<'_> {
    /// Every manifest that the commit can have created.
    pub(super) fn manifests(&self) -> Vec<Manifest> {
        let mut found = Vec::new();
        self.explain(0, 0, &mut Vec::new(), &mut found);
        found
    }

    /// Derives the rest, from a segment and an output on.
    fn explain(
        &self,
        at: usize,
        output: usize,
        derivations: &mut Vec<Derivation>,
        found: &mut Vec<Manifest>,
    ) {
        let segments = &self.base.segments;
        let Some(segment) = segments.get(at) else {
            let mut derivations = derivations.clone();
            if output < self.outputs.len() {
                let Some(derivation) = self.derive(at..at, output..self.outputs.len()) else {
                    return;
                };
                derivations.push(derivation);
            }
            found.extend(self.manifest(&derivations));
            return;
        };
        if segment.end() <= self.first_position || (self.is_there)(segment) {
            self.explain(at + 1, output, derivations, found);
        }
        for end in output + 1..=self.outputs.len() {
            for to in at + 1..=segments.len() {
                let Some(derivation) = self.derive(at..to, output..end) else { continue };
                derivations.push(derivation);
                self.explain(to, end, derivations, found);
                derivations.pop();
                // The following segments may be a derivation of their own, with the same result.
                return;
            }
        }
    }

    /// Derives outputs as a rewrite of the segments and, behind all of them, of new batches. None
    /// if that is impossible.
    fn derive(&self, segments: Range<usize>, outputs: Range<usize>) -> Option<Derivation> {
        let outputs_of = self.outputs.get(outputs.clone())?;
        let lines: Vec<&BatchRecord> = outputs_of.iter().flat_map(|o| &o.batches).collect();
        let mut rest = lines.as_slice();
        let mut cut = false;
        for segment in self.base.segments.get(segments.clone())? {
            let is_cut =
                segment.position < self.first_position && self.first_position < segment.end();
            cut |= is_cut;
            rest = if is_cut {
                cut_from(rest, segment.end() - self.first_position)?
            } else {
                whole_from(rest, segment)?
            };
        }
        let absorbs = segments.end == self.base.segments.len() && outputs.end == self.outputs.len();
        let in_order = rest.is_sorted_by(|one, next| one.name < next.name);
        let is_new = rest.iter().all(|batch| !(self.is_absorbed)(&batch.name));
        let fits = rest.is_empty() || (absorbs && in_order && is_new);
        let size = u64::try_from(lines.len()).ok()?;
        let rewrite = Rewrite { segments, batches: rest.len(), bytes: 0, size, cut };
        fits.then_some(Derivation { outputs, rewrite })
    }

    fn manifest(&self, derivations: &[Derivation]) -> Option<Manifest> {
        let outputs = |derivation: &Derivation| {
            self.outputs.get(derivation.outputs.clone()).map(<[_]>::to_vec)
        };
        let rewrites = derivations
            .iter()
            .map(|derivation| Some((derivation.rewrite.clone(), outputs(derivation)?)));
        let rewrites: Option<Vec<_>> = rewrites.collect();
        compaction::next_manifest(Some(self.base), self.commit_id, self.first_position, &rewrites?)
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
