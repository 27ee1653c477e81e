//! Decides which records of trimmed segments a commit drops from the manifest. No I/O.
//!
//! 1. A record stays for 64 generations, so that a batch whose create lands late is known as
//!    absorbed.
//! 2. It stays longer while its index may have a listed batch, or the one before a listed batch:
//!    the times tell, so no index is read. Otherwise an absorbed batch whose deletes fail would
//!    become live, and one that is behind a gap would never be known to follow.
//! 3. A dropped record leaves its newest time in the horizon: see `visibility`.

use crate::format::manifest::{Manifest, Retired, SegmentRecord};
use crate::format::names::{BatchName, BatchTime, SegmentName};
use crate::format::ordered::Set;
use crate::limits::RETIRED_GENERATIONS;
use crate::mutants::{self, Mutant};

/// The times of batches that a commit has listed, and of those before them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Needed(Set<BatchTime>);

impl Needed {
    pub(crate) fn by(batches: impl IntoIterator<Item = BatchName>) -> Self {
        let times = batches.into_iter().flat_map(|batch| {
            let own = Some(batch.time).filter(|_| !mutants::is(Mutant::DropListedBatch));
            let before = batch.predecessor().map(|before| before.time);
            own.into_iter().chain(before.filter(|_| !mutants::is(Mutant::DropNeededIndex)))
        });
        Self(times.collect())
    }

    fn may_be_in(&self, segment: &SegmentRecord) -> bool {
        self.0.range(segment.first_time..=segment.last_time).next().is_some()
    }
}

impl Manifest {
    /// Drops the records that a commit of this generation need not keep.
    pub(crate) fn drop_old(&mut self, needed: &Needed) {
        let generation = self.generation;
        self.drop_retired(|retired| {
            is_old(retired, generation.0) && !needed.may_be_in(&retired.segment)
        });
    }

    /// Drops records, and moves the horizon.
    pub(crate) fn drop_retired(&mut self, is_dropped: impl Fn(&Retired) -> bool) {
        let retired = std::mem::take(&mut self.retired);
        let (dropped, kept): (Vec<_>, Vec<_>) = retired.into_iter().partition(is_dropped);
        let newest = dropped.iter().map(|retired| retired.segment.last_time).max();
        if !mutants::is(Mutant::DropHorizon) {
            self.horizon = self.horizon.max(newest);
        }
        self.retired = kept;
    }

    /// Returns every manifest that a commit can have created, if this one keeps all records. Its
    /// listing is unknown: it needed none of those that it may have dropped, all, those that the
    /// batches listed now need, or those whose indexes are still listed.
    pub(crate) fn with_records_dropped(
        self,
        needed: &Needed,
        is_listed: &dyn Fn(SegmentName) -> bool,
    ) -> Vec<Self> {
        let by_index = self.clone().without_unlisted(is_listed);
        let mut by_batches = self.clone();
        by_batches.drop_old(needed);
        let mut all = self.clone();
        all.drop_old(&Needed::default());
        let mut possible: Vec<Self> = Vec::new();
        for manifest in [by_index, by_batches, all, self] {
            if !possible.contains(&manifest) {
                possible.push(manifest);
            }
        }
        possible
    }

    /// Drops the old records whose indexes are not listed. One that is listed may have been dropped
    /// too, but to keep it is safe.
    pub(crate) fn without_unlisted(mut self, is_listed: &dyn Fn(SegmentName) -> bool) -> Self {
        let generation = self.generation;
        self.drop_retired(|retired| {
            is_old(retired, generation.0) && !is_listed(retired.segment.name)
        });
        self
    }
}

/// Returns true if a commit of this generation may drop the record.
fn is_old(retired: &Retired, generation: u64) -> bool {
    generation.saturating_sub(retired.generation.0) > RETIRED_GENERATIONS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::batch::name_for;
    use crate::format::manifest::tests::{empty, segment_record};
    use crate::format::names::{Generation, Sequence, WriterId};

    /// A manifest of generation 100 whose trimmed segments have these generations and times.
    fn manifest(retired: &[(u64, u64, u64)]) -> Manifest {
        let time = |micros| BatchTime::new(micros).unwrap();
        let retired = retired.iter().zip(1..).map(|((generation, first, last), number)| Retired {
            segment: SegmentRecord {
                name: SegmentName { generation: Generation(number), ..segment_record(1, 2).name },
                first_time: time(*first),
                last_time: time(*last),
                ..segment_record(1, 2)
            },
            generation: Generation(*generation),
        });
        Manifest { retired: retired.collect(), ..empty(100) }
    }

    fn batch(time: u64, gap: u64) -> BatchName {
        let sequence = Some(Sequence { number: u64::from(gap > 0), gap, waiting: 0 });
        let time = BatchTime::new(time).unwrap();
        name_for(time, WriterId(1), sequence, &b"x\n".to_vec())
    }

    /// The first times of the records kept, and the horizon.
    fn kept(mut manifest: Manifest, batches: &[BatchName]) -> (Vec<u64>, Option<u64>) {
        manifest.drop_old(&Needed::by(batches.iter().copied()));
        let first = |retired: &Retired| retired.segment.first_time.micros();
        let horizon = manifest.horizon.map(BatchTime::micros);
        (manifest.retired.iter().map(first).collect(), horizon)
    }

    #[test]
    fn record_is_dropped_after_64_generations_and_moves_the_horizon() {
        let old = manifest(&[(35, 10, 19), (36, 20, 29), (100, 30, 39)]);
        assert_eq!(kept(old.clone(), &[]), (vec![20, 30], Some(19)));
        // It never moves back.
        let old = Manifest { horizon: BatchTime::new(50), ..old };
        assert_eq!(kept(old, &[]), (vec![20, 30], Some(50)));
        assert_eq!(kept(manifest(&[(36, 20, 29)]), &[]), (vec![20], None));
    }

    #[test]
    fn record_stays_while_a_listed_batch_or_its_predecessor_may_need_it() {
        let old = || manifest(&[(1, 10, 19), (1, 20, 29)]);
        assert_eq!(kept(old(), &[batch(15, 0)]), (vec![10], Some(29)));
        assert_eq!(kept(old(), &[batch(40, 21)]), (vec![10], Some(29)));
        assert_eq!(kept(old(), &[batch(40, 11), batch(10, 0)]), (vec![10, 20], None));
        assert_eq!(kept(old(), &[batch(40, 10)]), (vec![], Some(29)));
    }

    #[test]
    fn commit_may_have_dropped_what_it_did_not_need() {
        let old = manifest(&[(1, 10, 19), (1, 20, 29), (99, 30, 39)]);
        let needed = Needed::by([batch(15, 0)]);
        let second = old.retired[1].segment.name;
        let possible = old.with_records_dropped(&needed, &|segment| segment == second);
        let kept: Vec<_> = possible.iter().map(|manifest| manifest.retired.len()).collect();
        let horizons = possible.iter().map(|manifest| manifest.horizon.map(BatchTime::micros));
        assert_eq!(kept, [2, 2, 1, 3]);
        assert_eq!(horizons.collect::<Vec<_>>(), [Some(19), Some(29), Some(29), None]);
    }
}
