//! What a compaction commits: decisions only, no I/O.

use std::collections::BTreeSet;

use crate::limits::ABSORB_BATCHES_MAX;
use crate::manifest::{Manifest, SegmentRecord};
use crate::names::{Attempt, Generation};
use crate::segment::NewSegment;
use crate::view::{ListedBatch, View};

/// What to do with a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Fewer than two live batches.
    Nothing,
    /// Copy these, in this order, into a new segment and commit it as this generation.
    Absorb { batches: Vec<ListedBatch>, generation: Generation },
}

/// Decides what to do with a log. Batches are absorbed in the order of their names.
pub(crate) fn plan(view: &View) -> Plan {
    if view.live.len() < 2 {
        return Plan::Nothing;
    }
    let base = view.manifest.as_ref().map_or(Generation(0), |manifest| manifest.generation);
    Plan::Absorb {
        batches: view.live.iter().take(ABSORB_BATCHES_MAX).copied().collect(),
        generation: Generation(base.0.saturating_add(1)),
    }
}

/// The manifest that adds segments at the end of the log.
pub(crate) fn next_manifest(
    base: Option<&Manifest>,
    generation: Generation,
    attempt: Attempt,
    new: &[NewSegment],
) -> Option<Manifest> {
    let mut segments = base.map_or_else(Vec::new, |manifest| manifest.segments.clone());
    let mut position = base.map_or(0, |manifest| manifest.next_position);
    for NewSegment { name, batches } in new {
        let times = || batches.iter().map(|batch| batch.name.time);
        let record = SegmentRecord {
            name: *name,
            position,
            events: batches.iter().map(|batch| batch.events).sum(),
            bytes: batches.iter().map(|batch| batch.bytes).sum(),
            first_time: times().min()?,
            last_time: times().max()?,
        };
        position = position.checked_add(record.events)?;
        segments.push(record);
    }
    Some(Manifest {
        generation,
        attempt,
        first_position: base.map_or(0, |manifest| manifest.first_position),
        next_position: position,
        segments,
        retired_indexes: base.map_or_else(BTreeSet::new, |m| m.retired_indexes.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{BatchRecord, digest, seal};
    use crate::names::{BatchTime, SegmentName, WriterId};

    fn record(time: u64, events: u64) -> BatchRecord {
        let lines = b"x\n".repeat(events.try_into().unwrap());
        let name = seal(BatchTime::new(time).unwrap(), WriterId(1), events, &lines);
        BatchRecord { name, events, bytes: events * 2, digest: digest(&lines) }
    }

    #[test]
    fn fewer_than_two_batches_are_left_alone() {
        let mut view = View::default();
        assert_eq!(plan(&view), Plan::Nothing);
        view.live.push(ListedBatch { name: record(1, 1).name, size: 2 });
        assert_eq!(plan(&view), Plan::Nothing);
        view.live.push(ListedBatch { name: record(2, 1).name, size: 2 });
        let batches = view.live.clone();
        assert_eq!(plan(&view), Plan::Absorb { batches, generation: Generation(1) });
    }

    #[test]
    fn a_new_segment_stands_behind_the_old_ones() {
        let segment = |generation, part, batches: &[BatchRecord]| {
            let (generation, attempt) = (Generation(generation), Attempt(5));
            NewSegment {
                name: SegmentName { generation, attempt, part },
                batches: batches.to_vec(),
            }
        };
        let new = [segment(1, 0, &[record(7, 2), record(3, 1)])];
        let first = next_manifest(None, Generation(1), Attempt(5), &new).unwrap();
        let new = [segment(2, 0, &[record(5, 4)]), segment(2, 1, &[record(6, 1)])];
        let second = next_manifest(Some(&first), Generation(2), Attempt(5), &new).unwrap();
        assert_eq!((second.first_position, second.next_position), (0, 8));
        let shape: Vec<_> = second
            .segments
            .iter()
            .map(|s| (s.position, s.events, s.first_time.micros(), s.last_time.micros()))
            .collect();
        assert_eq!(shape, [(0, 3, 3, 7), (3, 4, 5, 5), (7, 1, 6, 6)]);
    }
}
