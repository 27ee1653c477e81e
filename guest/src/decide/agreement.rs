//! Decides if a full listing agrees with the current manifest and with itself. No I/O.
//!
//! 1. All objects that the current manifest names are listed, segments with the recorded size. In
//!    format 1 the indexes of trimmed segments may be missing.
//! 2. Generations have no gaps: all kept manifests are listed, and no segment is of a generation
//!    beyond the next.
//!
//! A listing is not a snapshot, so it may disagree while others compact. The log is then loaded
//! again before anything follows from it.

use crate::format::listed::{ListedOther, sizes};
use crate::format::manifest::Manifest;
use crate::format::names::{BatchName, Generation, ObjectName, SegmentName};
use crate::format::ordered::Set;
use crate::limits::MANIFESTS_KEPT;

/// A contradiction in a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disagreement {
    /// An object of the log is not listed.
    LeftOut(ObjectName),
    /// A segment is listed with another size than the manifest records.
    Size { segment: ObjectName, expected: u64, found: u64 },
    /// A listed object belongs to a generation after a manifest that is not listed.
    BeyondNext { object: ObjectName, generation: Generation },
    /// An index of the next generation has a batch that is nowhere else: see `catalog::orphans`.
    Orphan { object: ObjectName, batch: BatchName },
    /// An index of the next generation has what a trim kept of a segment that is not listed.
    Kept { object: ObjectName, segment: SegmentName },
    /// An index of the next generation is not one, though it was created in one piece.
    Unreadable(ObjectName),
    /// A segment of the next generation has no index.
    Alone(SegmentName),
}

/// Returns the first disagreement.
pub(crate) fn disagreement(
    manifest: Option<&Manifest>,
    others: &[ListedOther],
) -> Option<Disagreement> {
    let listed = sizes(others);
    let left_out =
        |name: ObjectName| (!listed.contains_key(&name)).then_some(Disagreement::LeftOut(name));
    let highest = manifest.map_or(0, |manifest| manifest.generation.0);
    let kept = highest.saturating_sub(MANIFESTS_KEPT).max(Generation::FIRST.0)..=highest;
    let manifests = kept.map(|generation| ObjectName::Manifest(Generation(generation)));
    let segments = manifest.into_iter().flat_map(|manifest| &manifest.segments);
    let retired = manifest.into_iter().flat_map(|manifest| &manifest.retired);
    let retired = retired.map(|retired| &retired.segment).filter(|s| s.index.is_some());
    let indexes = segments.clone().chain(retired).map(|s| ObjectName::Index(s.name.index()));
    let wrong_size = segments.map(|s| (ObjectName::Segment(s.name), s.bytes));
    let wrong_size = wrong_size.filter_map(|(segment, expected)| match listed.get(&segment) {
        None => Some(Disagreement::LeftOut(segment)),
        Some(found) if *found == expected => None,
        Some(found) => Some(Disagreement::Size { segment, expected, found: *found }),
    });
    beyond_next(manifest, others)
        .into_iter()
        .chain(manifests.filter_map(left_out))
        .chain(wrong_size)
        .chain(indexes.filter_map(left_out))
        .next()
}

/// Returns a segment or an index of a generation beyond the next.
pub(crate) fn beyond_next(
    manifest: Option<&Manifest>,
    others: &[ListedOther],
) -> Option<Disagreement> {
    let made_by = |name: ObjectName| match name {
        ObjectName::Segment(segment) => Some((segment.generation, name)),
        ObjectName::Index(index) => Some((index.0.generation, name)),
        ObjectName::Batch(_) | ObjectName::Manifest(_) => None,
    };
    let next = manifest.map_or(0, |manifest| manifest.generation.0) + 1;
    let newest = others.iter().filter_map(|other| made_by(other.name)).max()?;
    let (generation, object) = newest;
    (generation.0 > next).then_some(Disagreement::BeyondNext { object, generation })
}

/// Returns the first listed segment of certain generations whose index is not listed.
pub(crate) fn without_index(
    others: &[ListedOther],
    is_wanted: impl Fn(Generation) -> bool,
) -> Option<SegmentName> {
    let listed: Set<_> = others.iter().map(|other| other.name).collect();
    let mut segments = listed.iter().filter_map(|name| match name {
        ObjectName::Segment(segment) if is_wanted(segment.generation) => Some(*segment),
        _ => None,
    });
    segments.find(|segment| !listed.contains(&ObjectName::Index(segment.index())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::manifest::tests::{empty, segment_record};
    use crate::format::manifest::{Retired, SegmentRecord};

    fn segment(generation: u64, bytes: u64) -> SegmentRecord {
        let record = segment_record(3, bytes);
        let name = SegmentName { generation: Generation(generation), ..record.name };
        SegmentRecord { name, ..record }
    }

    fn log() -> (Manifest, Vec<ListedOther>) {
        let (named, trimmed) = (segment(9, 6), segment(3, 6));
        let retired = vec![Retired { segment: trimmed, generation: Generation(10) }];
        let manifest = Manifest { segments: vec![named], retired, ..empty(10) };
        let objects = [
            ObjectName::Segment(named.name),
            ObjectName::Index(named.name.index()),
            ObjectName::Index(trimmed.name.index()),
        ];
        let kept = (2..=10).map(|generation| ObjectName::Manifest(Generation(generation)));
        let others = objects.into_iter().chain(kept).map(|name| ListedOther { name, size: 6 });
        (manifest, others.collect())
    }

    #[test]
    fn whole_listing_agrees_and_so_does_one_with_more() {
        let (manifest, mut others) = log();
        assert_eq!(disagreement(Some(&manifest), &others), None);
        for generation in [1, 11] {
            let name = ObjectName::Segment(segment(generation, 1).name);
            others.push(ListedOther { name, size: 1 });
        }
        others.push(ListedOther { name: ObjectName::Manifest(Generation(1)), size: 1 });
        assert_eq!(disagreement(Some(&manifest), &others), None);
        assert_eq!(disagreement(None, &[]), None);
    }

    #[test]
    fn each_object_that_is_left_out_is_noticed() {
        let (manifest, others) = log();
        for at in 0..others.len() {
            let mut some = others.clone();
            let left_out = Disagreement::LeftOut(some.remove(at).name);
            assert_eq!(disagreement(Some(&manifest), &some), Some(left_out));
        }
    }

    #[test]
    fn trimmed_index_of_format_1_may_be_gone() {
        let (mut manifest, mut others) = log();
        others.remove(2);
        manifest.retired[0].segment.index = None;
        assert_eq!(disagreement(Some(&manifest), &others), None);
    }

    #[test]
    fn another_size_and_a_segment_beyond_the_next_generation_are_noticed() {
        let (manifest, mut others) = log();
        others[0].size = 5;
        let name = others[0].name;
        let size = Disagreement::Size { segment: name, expected: 6, found: 5 };
        assert_eq!(disagreement(Some(&manifest), &others), Some(size));
        for (base, generation) in [(None, 2), (Some(&manifest), 12)] {
            let (_, mut others) = log();
            if base.is_none() {
                others.clear();
            }
            let object = ObjectName::Index(segment(generation, 1).name.index());
            others.push(ListedOther { name: object, size: 1 });
            let generation = Generation(generation);
            let beyond = Disagreement::BeyondNext { object, generation };
            assert_eq!(disagreement(base, &others), Some(beyond));
        }
    }
}
